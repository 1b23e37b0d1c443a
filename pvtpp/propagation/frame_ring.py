"""The newest grey frames, bounded in time and in bytes, and the steps measured between them."""

from __future__ import annotations

from bisect import bisect_left
from typing import Dict, List, Optional, Tuple

import cv2
import numpy as np

from pvtpp.errors import InputError
from pvtpp.propagation.similarity import Step
from pvtpp.tracker import Frame

LARGEST = 1920 * 1080
"""Pixels of the largest image kept whole; a larger one is reduced by a whole factor to at most this many."""

STEPS_KEPT = 4


class Kept:
    """One frame in memory: its `number` in the order of arrival, its grey image, `reduction` image pixels per grey pixel,
    and the steps that start at it, by the number of the frame they lead to.
    """

    __slots__ = ("number", "t_ns", "grey", "reduction", "_steps")

    def __init__(self, number: int, t_ns: int, grey: np.ndarray, reduction: int):
        self.number, self.t_ns, self.grey, self.reduction = number, t_ns, grey, reduction
        self._steps: Dict[int, Step] = {}

    def add_step(self, to: int, step: Step) -> None:
        """Remember the step to frame number `to`, instead of an older one."""
        self._steps.pop(to, None)
        self._steps[to] = step
        if len(self._steps) > STEPS_KEPT:
            del self._steps[next(iter(self._steps))]

    def longest_step(self, box: np.ndarray, to: int) -> Optional[Tuple[int, Step]]:
        """The remembered step for this box that leads farthest, but not beyond frame number `to`, and where it leads."""
        fitting = (number for number, step in self._steps.items() if number <= to and step.serves(box))
        farthest = max(fitting, default=None)
        return None if farthest is None else (farthest, self._steps[farthest])


class FrameRing:
    """Grey copies, not references: a third of the memory, no work is repeated when a frame is measured again, and a camera
    driver that reuses its buffers cannot change the past. Buffers of dropped frames are used again.

    Keeps frames of the newest `seconds`, as many as fit into `memory` bytes, and of those never fewer than two: what one sees
    after a longer gap is not what moved meanwhile.
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
        """The newest frame, or the one `back` frames before it."""
        return self._frames[-1 - back]

    def find(self, t_ns: int) -> Optional[Kept]:
        """The frame captured at `t_ns`, None if it is not in memory."""
        at = bisect_left(self._times, t_ns)
        return self._frames[at] if at < len(self._times) and self._times[at] == t_ns else None

    def numbered(self, number: int) -> Kept:
        """The frame of this number, which must be in memory."""
        return self._frames[number - self._frames[0].number]

    @property
    def memory(self) -> int:
        """Bytes of image held."""
        return sum(kept.grey.nbytes for kept in self._frames) + sum(grey.nbytes for grey in self._spare)

    def push(self, frame: Frame) -> bool:
        """Keep this frame. False where it is the newest one once more; InputError where it is older.

        An image of another size than the newest starts the memory anew: boxes are not carried across a change of size.
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
        room = max(self._memory // size, 2) - 1
        old = max(bisect_left(self._times, newest_ns - self._span_ns), len(self._frames) - room)
        if old > 0:
            self._spare = [kept.grey for kept in self._frames[:old]][:1]
            del self._frames[:old], self._times[:old]
