"""On board: the camera's driver runs already, and the operator sends init_roi from the ground.

A node that ends is started again, and what scoring the flight needs is recorded.
"""

import time

from pvtpp_ros_nodes.ros2 import launching
from pvtpp_ros_nodes.ros2.launching import Argument

ARGUMENTS = [
    Argument("camera", "camera", "The camera's namespace."),
    Argument("image", "image_raw", "The topic of its images, in that namespace or absolute."),
    Argument("camera_info", "camera_info", "That of the calibration."),
    Argument("record", "pvtpp", "The bag's name begins with this; empty: none."),
    *launching.node_arguments(),
]


def start(values):
    """What the arguments ask for."""
    actions = [launching.tracker(values, ["image", "camera_info"], values["camera"], respawn=True)]
    if values["record"]:
        # `ros2 bag record` wants a folder that is not there yet.
        folder = f"{values['record']}_{time.strftime('%Y-%m-%d-%H-%M-%S')}"
        camera = values["camera"].strip("/")
        topics = f"/({camera}/(tracker/events|tracker/status|tracker/target|init_roi)|diagnostics)"
        actions.append(launching.recording(folder, topics))
    return actions


def generate_launch_description():
    """Called by `ros2 launch pvtpp drone.launch.py`."""
    return launching.description(ARGUMENTS, start)
