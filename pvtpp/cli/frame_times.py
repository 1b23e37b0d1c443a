"""Capture times of a video's frames, from the times in the file; where those fail, from the frame rate."""

from __future__ import annotations

import math
from collections import deque
from typing import Callable, Deque, Optional

import numpy as np

RECENT = 9
"""So many steps of the file decide how far a frame without a time of its own is from the one before."""
DELAY_FRAMES = 16
"""A decoder gives at most so many frames at the end of a file without their times (OpenCV before 4.10, and AVI)."""
LONGEST_STEP_S = 60.0
"""A longer step between two frames is taken for a fault of the file, unless its rate asks for it."""


class FrameTimes:
    """Turns the times that a decoder gives, frame by frame, into capture times that always increase.

    A time that does not increase or is missing is replaced. One that is missing is placed a step of the file after the
    frame before, one that goes back half a step, so that single frames in wrong order delay no other. Where the file's
    times run on from elsewhere, as in joined recordings, their steps count.

    Parameters
    ----------
    name
        Of the file, for messages.
    fps
        Its frame rate, the step where the file has no times at all.
    warn
        Called with one line, once at most.
    """

    def __init__(self, name: str, fps: float, warn: Callable[[str], None]):
        self._name, self._fps, self._warn = name, fps, warn
        self._longest_ns = max(LONGEST_STEP_S, 10 / fps) * 1e9
        self._steps: Deque[int] = deque(maxlen=RECENT)
        self._base_ms: Optional[float] = None
        self._raw_ms = 0.0
        self._last_ns = 0
        self._missing = 0
        self._replaced_before = self._warned = False
        self.count = 0

    def add(self, ms: float) -> int:
        """Return the capture time of the next frame.

        Parameters
        ----------
        ms
            Its time in the file, milliseconds. Not above 0 means for any but the first frame that it has none.

        Returns
        -------
        int
            Nanoseconds since the first frame.
        """
        self.count += 1
        if self._base_ms is None:
            self._base_ms = self._raw_ms = ms if math.isfinite(ms) else 0.0
            return 0
        if not math.isfinite(ms) or (ms <= 0 and self._raw_ms >= 0):
            self._missing += 1
            self._last_ns += self._typical_ns()
            if self._missing > DELAY_FRAMES:
                self._say("are missing by")
            return self._last_ns
        before_ms, missing = self._raw_ms, self._missing
        self._raw_ms, self._missing = ms, 0
        t_ns = round((ms - self._base_ms) * 1e6)
        if 0 < t_ns - self._last_ns <= self._longest_ns:
            if missing:
                self._say("are missing by")
            elif not self._replaced_before:
                self._steps.append(t_ns - self._last_ns)
            self._last_ns, self._replaced_before = t_ns, False
            return self._last_ns
        how = "stand still" if ms == before_ms else "go back" if ms < before_ms else "jump"
        self._say(f"{how} (from {before_ms * 1e-3:.3f} s to {ms * 1e-3:.3f} s) at")
        # Where times begin anew, the first one of them is 0, which looked like a missing one.
        since_ms = 0.0 if missing == 1 and ms < before_ms else before_ms
        raw_step = round((ms - since_ms) * 1e6)
        if (self._replaced_before or since_ms != before_ms) and 0 < raw_step <= self._longest_ns:
            self._steps.append(raw_step)
            self._last_ns += raw_step
        else:
            step = self._typical_ns()
            whole = self._replaced_before or ms > before_ms or not self._steps
            self._last_ns += step if whole else max(step // 2, 1)
        self._replaced_before = True
        return self._last_ns

    def finish(self) -> None:
        """Say what is known only at the end of the file: that it has no times at all."""
        if self._missing and not self._steps and self.count > 1:
            self._say("are missing by", frame=1)

    @property
    def last_s(self) -> float:
        """Time of the last frame, seconds since the first one."""
        return self._last_ns * 1e-9

    def _typical_ns(self) -> int:
        return round(float(np.median(self._steps)) if self._steps else 1e9 / self._fps)

    def _say(self, how: str, frame: Optional[int] = None) -> None:
        if self._warned:
            return
        self._warned = True
        number = self.count - 1 if frame is None else frame
        self._warn(
            f"{self._name}: the times in the file {how} frame {number}; "
            f"frames without a valid time are placed by the frame rate ({self._fps:g} per second)"
        )


class GivenRate:
    """Capture times by a frame rate alone; stands in for `FrameTimes`.

    Parameters
    ----------
    fps
        Frames per second.
    """

    def __init__(self, fps: float):
        self._fps = fps
        self.count = 0

    def add(self, ms: float) -> int:
        """Return the capture time of the next frame, nanoseconds since the first one; `ms` is not used."""
        self.count += 1
        return round((self.count - 1) * 1e9 / self._fps)

    def finish(self) -> None:
        """Do nothing."""

    @property
    def last_s(self) -> float:
        """Time of the last frame, seconds since the first one."""
        return max(self.count - 1, 0) / self._fps
