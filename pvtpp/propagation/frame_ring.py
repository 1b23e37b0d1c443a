"""A ring of the newest grey frames, bounded in time and in bytes, and the steps measured between them."""

from __future__ import annotations

from bisect import bisect_left
from typing import Dict, List, Optional, Tuple

import cv2
import numpy as np

from pvtpp.errors import InputError
from pvtpp.propagation.similarity import Step
from pvtpp.tracker import Frame

LARGEST = 1920 * 1080
"""Most pixels of an image in memory; a larger image is reduced by a whole factor to at most this many."""

STEPS_KEPT = 4
"""Most steps kept for each frame."""


class Kept:
    """One frame in memory, and the steps that start at it.

    Attributes
    ----------
    number
        Number of the frame in the order of arrival.
    t_ns
        Capture time, nanoseconds.
    grey
        Grey image, shape ``(rows, columns)``, uint8.
    reduction
        Pixels of the camera's image per pixel of `grey`, along each side.
    """

    __slots__ = ("number", "t_ns", "grey", "reduction", "_steps")

    def __init__(self, number: int, t_ns: int, grey: np.ndarray, reduction: int):
        self.number, self.t_ns, self.grey, self.reduction = number, t_ns, grey, reduction
        self._steps: Dict[int, Step] = {}

    def add_step(self, to: int, step: Step) -> None:
        """Keep the step to frame number `to`, in place of an older one to it."""
        self._steps.pop(to, None)
        self._steps[to] = step
        if len(self._steps) > STEPS_KEPT:
            del self._steps[next(iter(self._steps))]

    def longest_step(self, box: np.ndarray, to: int) -> Optional[Tuple[int, Step]]:
        """Find the step for this box that leads farthest, but not beyond frame number `to`.

        Returns
        -------
        tuple or None
            Number of the frame that the step leads to, and the step; None if there is none for this box.
        """
        fitting = (number for number, step in self._steps.items() if number <= to and step.serves(box))
        farthest = max(fitting, default=None)
        return None if farthest is None else (farthest, self._steps[farthest])


class FrameRing:
    """Grey copies of the newest frames.

    Copies, not references: they need a third of the memory, and a camera driver that reuses its buffers cannot change
    them. Buffers of dropped frames are used again.

    Parameters
    ----------
    seconds
        How far back frames are kept. After a longer gap older frames are dropped, since flow across it means nothing.
    memory
        Most bytes of image; but two frames within `seconds` are always kept.
    """

    def __init__(self, seconds: float, memory: int):
        self._span_ns, self._memory = round(seconds * 1e9), memory
        self._frames: List[Kept] = []
        self._times: List[int] = []
        self._spare: List[np.ndarray] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._frames)

    def newest(self, back: int = 0) -> Kept:
        """The newest frame, or the frame `back` frames before it."""
        return self._frames[-1 - back]

    def find(self, t_ns: int) -> Optional[Kept]:
        """The frame captured at `t_ns`, None if it is not in memory."""
        at = bisect_left(self._times, t_ns)
        return self._frames[at] if at < len(self._times) and self._times[at] == t_ns else None

    def numbered(self, number: int) -> Kept:
        """The frame of this number, which must be in memory."""
        return self._frames[number - self._frames[0].number]

    def longest_gap(self, first: int, last: int) -> int:
        """Longest time between two neighbours of the frames numbered `first` to `last`, nanoseconds."""
        oldest = self._frames[0].number
        times = self._times[first - oldest : last - oldest + 1]
        return max((b - a for a, b in zip(times, times[1:])), default=0)

    @property
    def memory(self) -> int:
        """Bytes of image in memory, spare buffers included."""
        return sum(kept.grey.nbytes for kept in self._frames) + sum(grey.nbytes for grey in self._spare)

    def push(self, frame: Frame) -> bool:
        """Keep a copy of this frame.

        An image of another size than the newest one empties the memory first: no box is propagated across a change of
        size.

        Returns
        -------
        bool
            False for a frame with the time of the newest one, which is ignored.

        Raises
        ------
        InputError
            If the frame is older than the newest one.
        """
        if self._times and frame.t_ns <= self._times[-1]:
            if frame.t_ns == self._times[-1]:
                return False
            raise InputError(
                f"{frame.source}: t_ns={frame.t_ns} is before the newest frame, t_ns={self._times[-1]}; "
                "frames must come in capture order (after a jump back in time, start a new propagator)"
            )
        image = frame.image
        reduction = 1
        while image.shape[0] * image.shape[1] > LARGEST * reduction**2:
            reduction += 1
        rows, columns = (max(side // reduction, 1) for side in image.shape[:2])
        if reduction > 1:
            whole = image[: rows * reduction, : columns * reduction]
            image = cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)
        if self._frames and (self._frames[-1].grey.shape != (rows, columns) or self._frames[-1].reduction != reduction):
            self._frames, self._times, self._spare = [], [], []
        self._drop(frame.t_ns, rows * columns)
        buffer = self._spare.pop() if self._spare else None
        self._frames.append(
            Kept(self._count, frame.t_ns, cv2.cvtColor(image, cv2.COLOR_BGR2GRAY, dst=buffer), reduction)
        )
        self._times.append(frame.t_ns)
        self._count += 1
        return True

    def _drop(self, newest_ns: int, size: int) -> None:
        """Drop frames that are too old, or leave too little memory for one more of `size` bytes."""
        others = max(self._memory // size, 2) - 1
        old = max(bisect_left(self._times, newest_ns - self._span_ns), len(self._frames) - others)
        if old > 0:
            self._spare = [kept.grey for kept in self._frames[:old]][:1]
            del self._frames[:old], self._times[:old]
