"""What is heard by two subscriptions of one topic counts once."""

from __future__ import annotations

import time
from collections import deque
from typing import Any, Callable, Deque, Tuple

from pvtpp_ros_nodes import conversions

KEPT = 16
FORGOTTEN_S = 2.0
"""The second copy of a region comes at once; one that comes later was sent again."""


class Once:
    """Passes regions on that come by a reliable subscription, by one that is not, or by both.

    Best-effort publishers are heard by the second alone. What a reliable one sends comes by both, and one of the copies
    is left out. The same region sent again is passed on again: who sends it may have been refused before.

    Parameters
    ----------
    take
        Called with every Roi.
    clock
        Seconds.
    """

    def __init__(self, take: Callable[[Any], None], clock: Callable[[], float] = time.monotonic):
        self._take, self._clock = take, clock
        # What was passed on, by which subscription and when, as long as its copy has not come.
        self._single: Deque[Tuple[Any, bool, float]] = deque(maxlen=KEPT)

    def reliable(self, roi: Any) -> None:
        """Take a Roi of the reliable subscription."""
        self._came(roi, True)

    def best_effort(self, roi: Any) -> None:
        """Take a Roi of the other one."""
        self._came(roi, False)

    def _came(self, roi: Any, reliable: bool) -> None:
        # NaN is not equal to itself; its text is.
        key, now = (conversions.stamp_ns(roi.header.stamp), str(list(roi.xywh))), self._clock()
        for each in self._single:
            if each[:2] == (key, not reliable) and now - each[2] <= FORGOTTEN_S:
                self._single.remove(each)
                return
        self._single.append((key, reliable, now))
        self._take(roi)
