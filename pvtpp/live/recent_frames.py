"""The frames of the last seconds, so that a target may be given on an image that is already in the past."""

from __future__ import annotations

from bisect import bisect_left
from types import SimpleNamespace
from typing import List, Optional

from pvtpp.errors import InputError
from pvtpp.tracker import Frame
from pvtpp.validation import above, check, whole_from


class NotInMemory(InputError):
    """No frame of this capture time is remembered."""


class RecentFrames:
    """Keeps references to the newest frames, no copies.

    The newest frame stays whatever its size. Not for two threads at once.

    Parameters
    ----------
    seconds
        How much older than the newest a frame may be.
    count
        How many frames there are at most.
    memory
        Bytes of image that they hold in all at most.

    Raises
    ------
    InputError
        For a limit that leaves nothing.
    """

    def __init__(self, seconds: float = 2.0, count: int = 256, memory: int = 256 << 20):
        limits = SimpleNamespace(seconds=seconds, count=count, memory=memory)
        check(limits, {"seconds": above(0), "count": whole_from(1), "memory": whole_from(0)}, "RecentFrames")
        self._span_ns, self._count, self._memory = round(seconds * 1e9), count, memory
        self._frames: List[Frame] = []

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def newest(self) -> Optional[Frame]:
        """The newest frame; None before the first."""
        return self._frames[-1] if self._frames else None

    @property
    def oldest(self) -> Optional[Frame]:
        """The oldest frame in memory; None before the first."""
        return self._frames[0] if self._frames else None

    def push(self, frame: Frame) -> None:
        """Keep a frame newer than all others."""
        self._frames.append(frame)
        keep, held = 0, 0
        for each in reversed(self._frames[-self._count :]):
            held += each.nbytes
            if keep and (held > self._memory or each.t_ns < frame.t_ns - self._span_ns):
                break
            keep += 1
        del self._frames[:-keep]

    def find(self, t_ns: int) -> Optional[Frame]:
        """Return the frame captured at `t_ns` (nanoseconds); None if it is not in memory."""
        at = bisect_left([frame.t_ns for frame in self._frames], t_ns)
        return self._frames[at] if at < len(self._frames) and self._frames[at].t_ns == t_ns else None

    def near(self, t_ns: int) -> Optional[Frame]:
        """Return the frame captured nearest to `t_ns` (nanoseconds); None before the first."""
        return min(self._frames, key=lambda frame: abs(frame.t_ns - t_ns), default=None)
