"""What a node needs of its middleware, and what it publishes: the seam between what ROS 1 and ROS 2 share and the rest."""

from __future__ import annotations

import time
from typing import Any, Dict, NamedTuple, Optional, Protocol, Tuple


class Port(Protocol):
    """One node's connection to ROS 1 or ROS 2; every method from any thread."""

    def now_ns(self) -> int:
        """ROS time in nanoseconds, simulated where that is asked for; 0 until simulated time has begun."""

    def message(self, kind: str) -> Any:
        """An empty message of this kind (``pvtpp/Target``)."""

    def publish(self, topic: str, message: Any) -> None:
        """Send on a topic of `OUTPUTS`; never waits for a reader."""

    def listeners(self, topic: str) -> int:
        """How many read a topic of `OUTPUTS`; 0 where its messages are not installed."""

    def rotation(self, to_frame: str, from_frame: str) -> Any:
        """By tf, the geometry_msgs/Quaternion that takes vectors of `from_frame` to `to_frame`; None as long as it knows
        none. Raises InputError where tf2_ros is not installed."""

    def tell(self, level: str, text: str) -> None:
        """Log at level ``info``, ``warning`` or ``error``."""


class Output(NamedTuple):
    """A topic: its kind of message, how many may wait for a slow reader, whether late readers get the last one.
    Messages of `optional` topics may be missing on a machine."""

    kind: str
    queue: int
    latched: bool = False
    optional: bool = False


OUTPUTS: Dict[str, Output] = {
    "target": Output("pvtpp/Target", 1),
    "bearing": Output("pvtpp/Bearing", 1),
    "result": Output("pvtpp/Result", 10),
    "trajectory": Output("pvtpp/Trajectory", 10),
    "events": Output("pvtpp/Event", 1000),
    "status": Output("pvtpp/Status", 1, latched=True),
    "debug_image": Output("sensor_msgs/Image", 1),
    "detections": Output("vision_msgs/Detection2DArray", 10, optional=True),
    "diagnostics": Output("diagnostic_msgs/DiagnosticArray", 10),
}
"""Under the node's own name; ``diagnostics`` is the system's."""


class Voice:
    """Tells what happens again and again once per `period` seconds, with how often it was left out meanwhile."""

    def __init__(self, port: Port, period: float = 1.0):
        self._port, self._period = port, period
        self._told: Dict[str, Tuple[float, int]] = {}

    def tell(self, level: str, text: str, about: Optional[str] = None) -> None:
        """`about`: what counts as the same (None: the same text)."""
        about, now = about or text, time.monotonic()
        last, left_out = self._told.get(about, (-self._period, 0))
        if now - last < self._period:
            self._told[about] = last, left_out + 1
            return
        self._told[about] = now, 0
        self._port.tell(level, f"{text} (and {left_out} more of this kind)" if left_out else text)
