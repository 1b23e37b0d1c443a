"""Rotations from tf, the same in ROS 1 and ROS 2. tf2_ros is imported when it is first asked."""

from __future__ import annotations

from typing import Any

from pvtpp.errors import InputError


class Rotations:
    """Asks tf for the newest rotation between two frames.

    Parameters
    ----------
    newest
        The time that stands for the newest transform: rospy's or rclpy's zero.
    listener
        What tf's listener takes besides the buffer: in ROS 2 the node.
    """

    def __init__(self, newest: Any, *listener: Any):
        self._newest, self._arguments = newest, listener
        self._buffer: Any = None

    def ask(self, to_frame: str, from_frame: str) -> Any:
        """As `pvtpp_ros_nodes.middleware.Middleware.rotation`."""
        try:
            import tf2_ros
        except ImportError as error:
            raise InputError(f"tf cannot be asked ({error})") from None
        if self._buffer is None:
            self._buffer = tf2_ros.Buffer()
            self._listener = tf2_ros.TransformListener(self._buffer, *self._arguments)
        try:
            return self._buffer.lookup_transform(to_frame, from_frame, self._newest).transform.rotation
        except tf2_ros.TransformException:
            return None
