"""A camera of this computer by the package v4l2_camera, and a window to draw the first box in."""

from launch_ros.actions import Node

from pvtpp_ros_nodes.ros2 import launching
from pvtpp_ros_nodes.ros2.launching import Argument

ARGUMENTS = [
    Argument("device", "/dev/video0", "The camera."),
    *launching.node_arguments(imu=False, without=["image_transport"]),
]


def start(values):
    """What the arguments ask for."""
    camera = Node(
        package="v4l2_camera",
        executable="v4l2_camera_node",
        name="driver",
        namespace="camera",
        parameters=[{"video_device": values["device"], "camera_frame_id": "camera_optical_frame"}],
        output="screen",
    )
    shown = {**values, "image": "image_raw"}
    selector = launching.program("roi_selector", "roi_selector", values, {}, [("image", "image_raw")])
    return [camera, launching.tracker(shown, ["image"]), selector]


def generate_launch_description():
    """Called by `ros2 launch pvtpp camera.launch.py`."""
    return launching.description(ARGUMENTS, start)
