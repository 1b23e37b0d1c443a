"""What the core needs of its middleware, by rclpy."""

from __future__ import annotations

from typing import Any, Dict

from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.time import Time

from pvtpp.errors import InputError
from pvtpp_ros_nodes.middleware import OUTPUTS
from pvtpp_ros_nodes.ros2.rclpy_basics import LOGS, connected, message_class, overridable, profile
from pvtpp_ros_nodes.rotations import Rotations

UNMANAGED = ("events", "status", "diagnostics")
"""Of a managed node these go out in every state: the log of a target has no gap, and why it is silent can be read."""
ACKNOWLEDGED_S = 1.0
"""How long the end waits at most for readers of the event log."""


class RclpyMiddleware:
    """`Middleware` by rclpy. Optional outputs are left out where their messages are not installed.

    Parameters
    ----------
    node
        Publishes and logs. Of a managed node most outputs are silent while it is inactive.

    Raises
    ------
    InputError
        Other messages are not installed.
    """

    LOSS_ADVICE = (
        "default Fast DDS loses images (FASTRTPS_DEFAULT_PROFILES_FILE, see Transport in docs/how-to/ros2.md), and so "
        "does a computer that is too busy"
    )

    def __init__(self, node: Node):
        self._node = node
        self._publishers: Dict[str, Any] = {}
        self._rotations = Rotations(Time(), node)
        managed = getattr(node, "create_lifecycle_publisher", node.create_publisher)
        for topic, output in OUTPUTS.items():
            try:
                kind = message_class(output.kind)
            except InputError:
                if not output.optional:
                    raise
                continue
            create = node.create_publisher if topic in UNMANAGED else managed
            name = "/diagnostics" if topic == "diagnostics" else f"~/{topic}"
            qos = profile(output.queue, reliable=True, latched=output.latched)

            def make(create: Any = create, kind: Any = kind, name: str = name, qos: QoSProfile = qos) -> Any:
                return create(kind, name, qos, qos_overriding_options=overridable())

            self._publishers[topic] = connected(name, make)

    def now_ns(self) -> int:
        """As `Middleware.now_ns`."""
        return self._node.get_clock().now().nanoseconds

    def message(self, kind: str) -> Any:
        """As `Middleware.message`."""
        return message_class(kind)()

    def publish(self, topic: str, message: Any) -> None:
        """As `Middleware.publish`."""
        try:
            self._publishers[topic].publish(message)
        except Exception:
            # Threads go on for a moment after the context was shut down.
            if self._node.context.ok():
                raise

    def listeners(self, topic: str) -> int:
        """As `Middleware.listeners`."""
        publisher = self._publishers.get(topic)
        return 0 if publisher is None else publisher.get_subscription_count()

    def rotation(self, to_frame: str, from_frame: str) -> Any:
        """As `Middleware.rotation`."""
        return self._rotations.ask(to_frame, from_frame)

    def log(self, level: str, text: str) -> None:
        """As `Middleware.log`."""
        LOGS[level](self._node.get_logger(), text)

    def close(self) -> None:
        """End all publishers; what was published of the event log has arrived, where its readers are alive."""
        if self._node.context.ok():
            self._publishers["events"].wait_for_all_acked(Duration(seconds=ACKNOWLEDGED_S))
        for publisher in self._publishers.values():
            # Managed ones would stay listed otherwise.
            destroy = getattr(self._node, "destroy_lifecycle_publisher", self._node.destroy_publisher)
            destroy(publisher)
