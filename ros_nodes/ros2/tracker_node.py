"""The tracker node of ROS 2: rclpy for the core that ROS 1 and ROS 2 share.

  python3 -m pvtpp_ros_nodes.ros2.tracker_node --ros-args -r image:=/camera/image_raw -p predictor:=motion

Messages are those of the package ``pvtpp_msgs`` beside this file, built by colcon.
"""

from __future__ import annotations

import sys

from rclpy.node import Node

from pvtpp_ros_nodes.ros2.connections import Connections
from pvtpp_ros_nodes.ros2.node_parameters import NodeParameters, qos_overrides
from pvtpp_ros_nodes.ros2.running import run


class TrackerNode(Node):
    """Tracks from its start to its end.

    Raises
    ------
    InputError
        A parameter is not allowed, or what it asks for cannot be loaded.
    """

    def __init__(self) -> None:
        super().__init__("tracker", automatically_declare_parameters_from_overrides=True)
        overrides = qos_overrides(self)
        parameters = NodeParameters(self)
        self._connections = Connections(self, parameters.config, overrides)
        parameters.on_change = self._connections.core.reconfigure

    def close(self) -> None:
        """End tracking; no event is lost."""
        self._connections.close()


def main() -> None:
    """Run the node. A parameter that is not allowed is one line and exit status 2."""
    sys.exit(run(TrackerNode, "pvtpp_ros_nodes.ros2.tracker_node"))


if __name__ == "__main__":
    main()
