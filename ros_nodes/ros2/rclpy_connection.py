"""`Connection` by rclpy."""

from __future__ import annotations

import os
import sys
import threading
from typing import Any, Callable, List

import rclpy
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.context import Context
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from pvtpp_ros_nodes.ros2.rclpy_basics import LOGS, QOS, SYSTEM, connected, message_class, overridable, profile, start
from pvtpp_ros_nodes.ros2.spinning import Spinning

PARAMETER = ParameterDescriptor(dynamic_typing=True, read_only=True)
"""A whole number serves as a real one; what type it must have, the tool says itself."""


class RclpyPublisher:
    """`Publisher` by rclpy.

    Parameters
    ----------
    node
        Publishes.
    topic
        As of `Connection.publisher`.
    kind
        The class of its messages.
    queue
        As of `Connection.publisher`.
    """

    def __init__(self, node: Node, topic: str, kind: Any, queue: int):
        qos = profile(queue, reliable=True)
        self._publisher = connected(
            topic, lambda: node.create_publisher(kind, topic, qos, qos_overriding_options=overridable())
        )
        self._context = node.context
        self.topic: str = self._publisher.topic_name

    def publish(self, message: Any) -> None:
        """As `Publisher.publish`."""
        try:
            self._publisher.publish(message)
        except Exception:
            # rclpy has no error of its own for a context that was shut down meanwhile.
            if self._context.ok():
                raise

    def readers(self) -> int:
        """As `Publisher.readers`."""
        return int(self._publisher.get_subscription_count()) if self._context.ok() else 0


class RclpyConnection:
    """`Connection` by rclpy: what comes is taken in one thread.

    Parameters
    ----------
    name, several
        As of `pvtpp_ros_nodes.connection.connect`.

    Raises
    ------
    InputError
        The command line cannot be read.
    """

    def __init__(self, name: str, several: bool = False):
        self._context = Context()
        if several:
            start(sys.argv[:1], self._context)
        else:
            start(sys.argv, self._context, SignalHandlerOptions.ALL)
        self._node = Node(
            f"{name}_{os.getpid()}" if several else name,
            context=self._context,
            automatically_declare_parameters_from_overrides=True,
        )
        self._given = [each for each in self._node.get_parameters_by_prefix("") if each not in SYSTEM]
        for each in self._given:
            # Declared again where it is read, with a descriptor.
            self._node.undeclare_parameter(each)
        self.over = threading.Event()
        self._context.on_shutdown(self.over.set)
        self._spinning = Spinning(self._node)

    def now_ns(self) -> int:
        """As `Connection.now_ns`."""
        return int(self._node.get_clock().now().nanoseconds)

    def parameter(self, name: str, default: Any) -> Any:
        """As `Connection.parameter`."""
        return self._node.declare_parameter(name, default, PARAMETER).value

    def given(self) -> List[str]:
        """As `Connection.given`; overrides of QoS profiles are left out."""
        return [each for each in self._given if not each.startswith(f"{QOS}.")]

    def message(self, kind: str) -> Any:
        """As `Connection.message`."""
        return message_class(kind)()

    def resolved(self, topic: str) -> str:
        """As `Connection.resolved`."""
        return str(self._node.resolve_topic_name(topic))

    def publisher(self, topic: str, kind: str, queue: int) -> RclpyPublisher:
        """As `Connection.publisher`."""
        return RclpyPublisher(self._node, topic, message_class(kind), queue)

    def subscribe(self, topic: str, kind: str, take: Callable[[Any], None], queue: int) -> None:
        """As `Connection.subscribe`."""
        # Best effort, since it hears reliable drivers as well as those that are not.
        qos = profile(queue, reliable=False)
        subscribe, made = self._node.create_subscription, message_class(kind)
        connected(topic, lambda: subscribe(made, topic, take, qos, qos_overriding_options=overridable()))

    def log(self, level: str, text: str) -> None:
        """As `Connection.log`."""
        if self._context.ok():
            LOGS[level](self._node.get_logger(), text)

    def close(self) -> None:
        """As `Connection.close`."""
        self._spinning.stop()
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)
