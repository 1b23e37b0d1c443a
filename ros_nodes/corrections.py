"""Regions that come as a stream: a detector sees the target again and again, and each time may be right or late."""

from __future__ import annotations

import time
from enum import Enum
from typing import Callable, Optional

import numpy as np

from pvtpp.boxes import iou

SAME = 0.1
"""A region that overlaps the target by at least this intersection over union is about the target."""
AGREES = 0.5
"""One that overlaps it by so much changes nothing, as long as the target is tracked."""
STREAM_S = 1.0
"""Regions that follow one another faster are a stream; of a stream one correction is taken in so many seconds."""


class About(Enum):
    """What a region is about."""

    NEW = "a new target"
    CORRECTION = "the target, which is elsewhere or of another size than was thought"
    AGREEMENT = "the target, and agrees with what is known of it"


class Corrections:
    """Says what a region is about: the target that is followed, or a new one.

    A correction begins anew on the image that the region was seen in, so the tracker needs time to catch up: were each
    of a stream one, it would never track. A single region, as of an operator, is always taken in.

    Parameters
    ----------
    clock
        Seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._came: Optional[float] = None
        self._taken: Optional[float] = None

    def about(self, box: np.ndarray, expected: Optional[np.ndarray], tracked: bool) -> About:
        """Say what a region is about.

        Parameters
        ----------
        box
            The region, ``[cx, cy, w, h]``, pixels.
        expected
            The target at the region's time; None without a target.
        tracked
            Whether the target is TRACKING.
        """
        now = self._clock()
        single = self._came is None or now - self._came > STREAM_S
        self._came = now
        overlap = 0.0 if expected is None else float(iou(box, expected))
        if overlap < SAME:
            about = About.NEW
        elif single:
            about = About.CORRECTION
        elif (tracked and overlap >= AGREES) or (self._taken is not None and now - self._taken <= STREAM_S):
            return About.AGREEMENT
        else:
            about = About.CORRECTION
        self._taken = now
        return about
