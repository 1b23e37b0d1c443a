"""ROS 2: your robot's own launch file with the tracker in it. `ros2 launch examples/follow.launch.py`.

It starts a camera, includes the tracker of pvtpp, and starts your controller, which reads /camera/tracker/target: the
box for the time of each message, 100 times a second. The first box goes to /camera/init_roi. Not run by its authors,
whose ROS 2 has no launch.
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_ros.actions import Node

TRACKER = {
    "camera": "camera",  # its topics are /camera/image_raw and so on
    "tracker": "nanotrack-v3",
    "rate": "100",
    "lead_time": "0.05",  # seconds from a message to the motors' answer
}


def generate_launch_description():
    """Called by `ros2 launch`."""
    drone = Path(get_package_share_directory("pvtpp"), "launch", "drone.launch.py")
    return LaunchDescription(
        [
            Node(package="v4l2_camera", executable="v4l2_camera_node", name="v4l2_camera", namespace="camera"),
            IncludeLaunchDescription(PythonLaunchDescriptionSource(str(drone)), launch_arguments=list(TRACKER.items())),
            Node(package="my_robot", executable="my_controller", name="controller"),
        ]
    )
