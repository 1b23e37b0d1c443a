"""A study's own node on ROS 2."""

from __future__ import annotations

import os
import sys
import threading
from typing import Any, Callable, List, Mapping

import rclpy
from pvtpp_msgs.srv import Init

from pvtpp.errors import InputError
from pvtpp_ros_nodes.ros2.rclpy_basics import message_class, profile
from pvtpp_ros_nodes.ros2.spinning import Spinning
from pvtpp_ros_nodes.study_link import NAMESPACE, WAIT_S, Publish, written


class Ros2Link:
    """`Link` by rclpy, on loopback; as all its processes with the profile of Fast DDS that is shipped."""

    name = "ROS 2"

    def __init__(self) -> None:
        os.environ.update(
            ROS_DOMAIN_ID=str(1 + os.getpid() % 100),
            ROS_AUTOMATIC_DISCOVERY_RANGE="LOCALHOST",
            FASTRTPS_DEFAULT_PROFILES_FILE=os.path.join(os.path.dirname(os.path.abspath(__file__)), "fastdds.xml"),
        )
        rclpy.init()
        self._node = rclpy.create_node("study", namespace=NAMESPACE)
        self._init = self._node.create_client(Init, "tracker/init")
        self._spinning = Spinning(self._node)

    def message(self, kind: str) -> Any:
        """As `Link.message`."""
        return message_class(kind)()

    def publisher(self, topic: str, kind: str) -> Publish:
        """As `Link.publisher`."""
        made = self._node.create_publisher(message_class(kind), topic, profile(10, reliable=False))
        return made.publish

    def subscribe(self, topic: str, kind: str, take: Callable[[Any], None]) -> None:
        """As `Link.subscribe`."""
        self._node.create_subscription(message_class(kind), topic, take, profile(10_000, reliable=True))

    def init(self, roi: Any) -> bool:
        """As `Link.init`."""
        if not self._init.wait_for_service(WAIT_S):
            raise InputError("the tracker node offers no service init")
        done = threading.Event()
        future = self._init.call_async(self._init.srv_type.Request(roi=roi))
        future.add_done_callback(lambda _: done.set())
        return done.wait(WAIT_S) and bool(future.result().success)

    def tracker(self, parameters: Mapping[str, Any]) -> List[str]:
        """As `Link.tracker`."""
        given = [part for name, value in parameters.items() for part in ("-p", f"{name}:={written(value)}")]
        module = "pvtpp_ros_nodes.ros2.tracker_node"
        return [sys.executable, "-m", module, "--ros-args", "-r", f"__ns:={NAMESPACE}", *given]

    def close(self) -> None:
        """As `Link.close`."""
        self._spinning.stop()
        self._node.destroy_node()
        rclpy.try_shutdown()
