"""The tracker node alone: image, camera_info and init_roi are relative to the namespace `camera`."""

from pvtpp_ros_nodes.ros2 import launching
from pvtpp_ros_nodes.ros2.launching import Argument

ARGUMENTS = [
    Argument("camera", "camera", "The namespace of its topics."),
    Argument("image", "image", "The topic of the images, in that namespace or absolute."),
    Argument("camera_info", "camera_info", "That of the calibration."),
    Argument("respawn", "false", "Start the node again when it has ended."),
    *launching.node_arguments(),
]


def start(values):
    """What the arguments ask for."""
    respawn = launching.switch(values, "respawn")
    return [launching.tracker(values, ["image", "camera_info"], values["camera"], respawn=respawn)]


def generate_launch_description():
    """Called by `ros2 launch pvtpp tracker.launch.py`."""
    return launching.description(ARGUMENTS, start)
