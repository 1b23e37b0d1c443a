"""What a node needs of its middleware, and what it publishes: the interface that ROS 1 and ROS 2 implement."""

from __future__ import annotations

import math
import time
from typing import Any, Callable, Dict, NamedTuple, Optional, Protocol, Tuple


class Middleware(Protocol):
    """One node's connection to ROS 1 or ROS 2. Every method may be called from any thread.

    Attributes
    ----------
    LOSS_ADVICE
        What helps where images are lost on the way to the node.
    """

    LOSS_ADVICE: str

    def now_ns(self) -> int:
        """ROS time in nanoseconds, simulated where that is asked for; 0 until simulated time has begun."""

    def message(self, kind: str) -> Any:
        """Make an empty message of this kind (``pvtpp/Target``)."""

    def publish(self, topic: str, message: Any) -> None:
        """Send on a topic of `OUTPUTS`; never waits for a reader."""

    def listeners(self, topic: str) -> int:
        """Count the readers of a topic of `OUTPUTS`; 0 where its messages are not installed."""

    def rotation(self, to_frame: str, from_frame: str) -> Any:
        """Ask tf for a rotation.

        Returns
        -------
        geometry_msgs/Quaternion or None
            It takes vectors of `from_frame` to `to_frame`. None as long as tf knows none.

        Raises
        ------
        InputError
            tf2_ros is not installed.
        """

    def log(self, level: str, text: str) -> None:
        """Log at level ``info``, ``warning`` or ``error``."""


class Output(NamedTuple):
    """A topic that the node publishes.

    Attributes
    ----------
    kind
        Its kind of message.
    queue
        How many messages may wait for a slow reader.
    latched
        Whether late readers get the last message.
    optional
        Whether its messages may be missing on a machine.
    """

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


def camera_info_beside(image: str) -> str:
    """Name the topic of the calibration of the camera whose images are on the topic `image`, as all drivers do."""
    return image.rpartition("/")[0] + "/camera_info"


class ThrottledLog:
    """Logs what happens again and again once per `period` seconds, with how often it was left out since.

    Parameters
    ----------
    middleware
        Where the texts are logged.
    period
        Seconds between two texts about the same.
    clock
        Seconds.
    """

    def __init__(self, middleware: Middleware, period: float = 1.0, clock: Callable[[], float] = time.monotonic):
        self._middleware, self._period, self._clock = middleware, period, clock
        # By what it is about: when it was logged last, and how often it was left out since then.
        self._logged: Dict[str, Tuple[float, int]] = {}

    def log(self, level: str, text: str, about: Optional[str] = None) -> None:
        """Log a text, unless another one about the same was logged a moment ago.

        Parameters
        ----------
        level
            ``info``, ``warning`` or ``error``.
        text
            What is logged.
        about
            Texts with the same `about` count as the same; None: only the same text does.
        """
        about, now = about or text, self._clock()
        last, left_out = self._logged.get(about, (-math.inf, 0))
        if now - last < self._period:
            self._logged[about] = last, left_out + 1
            return
        self._logged[about] = now, 0
        self._middleware.log(level, f"{text} (and {left_out} more of this kind)" if left_out else text)
