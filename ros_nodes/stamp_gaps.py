"""Images that were lost on the way to the node: gaps in the stamps of those that came, against the rate."""

from __future__ import annotations

from collections import deque
from typing import Deque, NamedTuple, Optional

import numpy as np

KEPT = 150
"""Intervals that are looked at: of a camera at 30 Hz the last five seconds."""
LEAST = 20
"""With fewer intervals nothing is said."""
GAP = 1.6
"""An interval of so many usual ones is a gap."""
NOTICED = 0.05
"""A share of lost images from which on it is a fault."""


class Lost(NamedTuple):
    """What the stamps of the newest images say.

    Attributes
    ----------
    lost, sent
        How many of the newest images are missing, and of how many.
    hz
        The camera's rate.
    """

    lost: int
    sent: int
    hz: float


class StampGaps:
    """Counts the images that must have been between two that came.

    The camera's rate is taken from the lower quartile of the newest intervals: lost images only make intervals longer.
    A camera that changes its rate is believed as soon as the intervals of before are forgotten.

    Parameters
    ----------
    longest_s
        A longer interval is no gap: the camera was silent.
    """

    def __init__(self, longest_s: float):
        self.longest_s = longest_s
        self._intervals: Deque[int] = deque(maxlen=KEPT)
        self._last_ns = 0

    def arrived(self, stamp_ns: int) -> None:
        """Take note of an image of this stamp, nanoseconds, whatever becomes of it."""
        passed, self._last_ns = stamp_ns - self._last_ns, stamp_ns
        if 0 < passed <= self.longest_s * 1e9:
            self._intervals.append(passed)
        elif passed:
            # Silence, another clock, time that went back: what was before says nothing of now.
            self._intervals.clear()

    def lost(self) -> Optional[Lost]:
        """Say what is missing; None as long as too few images came."""
        # Another thread adds to them.
        intervals = np.array(self._intervals.copy(), dtype=np.float64)
        if len(intervals) < LEAST:
            return None
        usual = float(np.percentile(intervals, 25))
        missing = np.where(intervals > GAP * usual, np.round(intervals / usual) - 1, 0)
        lost = int(missing.sum())
        return Lost(lost, len(intervals) + lost, 1e9 / usual)


def noticed(found: Optional[Lost]) -> bool:
    """Say whether so many images are missing that it is a fault."""
    return found is not None and found.lost > NOTICED * found.sent
