"""A file or a folder of images, and the same played on the clock as if it were a camera."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Callable, Iterator, NamedTuple, Optional

import numpy as np

from pvtpp.sources.source import Condition, Status, Timing, Warn, ignore, sizes_reported
from pvtpp.tracker import Frame


class TimedImage(NamedTuple):
    """An image, uint8 BGR ``(height, width, 3)``, and its capture time in nanoseconds since the first one."""

    t_ns: int
    image: np.ndarray


@dataclass(frozen=True)
class Recorded:
    """A source that waits and starts again; follows the protocol `pvtpp.sources.source.Source`.

    Attributes
    ----------
    name, fps, count
        As of `Source`.
    read
        Iterates over images and times; called with what takes warnings.
    """

    name: str
    fps: float
    count: Optional[int]
    read: Callable[[Warn], Iterator[TimedImage]]

    live = False
    timing = Timing.FILE

    def frames(self, warn: Warn = ignore) -> Iterator[Frame]:
        """Read the images from the first one on, as `Source.frames`."""
        made = (Frame(index, t_ns, image, self.name) for index, (t_ns, image) in enumerate(self.read(warn)))
        return sizes_reported(made, self.name, warn)

    def close(self) -> None:
        """Nothing to end: who iterates stops."""


class Played:
    """A recorded source, played in real time as a live one: follows the protocol `pvtpp.sources.source.Source`.

    Parameters
    ----------
    recorded
        What is played.
    """

    live = True
    timing = Timing.FILE
    delay_s: Optional[float] = None

    def __init__(self, recorded: Recorded):
        self.name, self.fps, self.count = recorded.name, recorded.fps, recorded.count
        self.status = Status(Condition.CONNECTING)
        self._recorded = recorded
        self._closed = threading.Event()

    def frames(self, warn: Warn = ignore) -> Iterator[Frame]:
        """Yield each frame at its time; its capture time is that moment by `time.time_ns`."""
        started: Optional[int] = None
        for frame in self._recorded.frames(warn):
            if started is None:
                began, started = time.monotonic_ns(), time.time_ns()
                self.status = Status(Condition.PLAYING)
            if self._closed.wait(max(began + frame.t_ns - time.monotonic_ns(), 0) * 1e-9):
                break
            yield Frame(frame.index, started + frame.t_ns, frame.image, frame.source)
        self.status = Status(Condition.ENDED, f"{self.name}: that was all of it")

    def close(self) -> None:
        """End it, as `Source.close`."""
        self._closed.set()
