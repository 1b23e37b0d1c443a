"""Propagation by optical flow: steps are measured as frames arrive, and chained when a late result is to be moved."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import List, Optional

import numpy as np

from pvtpp.boxes import ArrayLike, as_box
from pvtpp.errors import InputError
from pvtpp.propagation.flow import Guess, measure
from pvtpp.propagation.frame_ring import FrameRing, Kept
from pvtpp.propagation.registry import Carried
from pvtpp.propagation.similarity import Step
from pvtpp.tracker import Frame
from pvtpp.validation import above, at_least, between, check, whole_from

DIM = 0.02
"""Least quality of a box that was seen in any step."""
BLIND_NS = 250_000_000
"""If nothing was seen for longer than this, the quality is 0, whatever was seen before."""
GAP_NS = 150_000_000
"""A doubtful step between two neighbouring frames that are farther apart than this is as good as nothing seen."""


@dataclass(frozen=True)
class FlowConfig:
    """Settings of `OpticalFlow`.

    Attributes
    ----------
    seconds
        How far back frames are kept.
    memory
        Most bytes of image that are kept.
    refine_after
        A chain of at least this many steps is compared with its first frame directly.
    doubtful
        So is a chain with a quality below this.
    trust
        The direct comparison replaces the chain if its quality is at least this many times that of the chain.
    links
        Where no stored step can be used, frames are skipped so that about this many steps are measured.
    """

    seconds: float = 2.0
    memory: int = 128 << 20
    refine_after: int = 4
    doubtful: float = 0.2
    trust: float = 0.8
    links: int = 4

    def __post_init__(self) -> None:
        check(
            self,
            {
                "seconds": above(0, 60),
                "memory": whole_from(1),
                "refine_after": whole_from(2),
                "doubtful": between(0, 1),
                "trust": at_least(0),
                "links": whole_from(1),
            },
        )


class OpticalFlow:
    """Moves a box by a chain of steps, and over longer gaps also by comparing the two end frames directly.

    A step is stored with the region that it was measured on, and is used for every box that overlaps it well
    (`similarity.OVERLAP`). For other boxes it is measured again from the frames in memory. The result of a direct
    comparison is stored as a step too, one that spans several frames. The next call from there starts with it, so drift
    does not add up. The same calls give the same answers to the bit. Only one thread may use it at a time.

    Parameters
    ----------
    config
        Settings; None for the defaults.
    """

    def __init__(self, config: Optional[FlowConfig] = None):
        self.config = config or FlowConfig()
        self._ring = FrameRing(self.config.seconds, self.config.memory)

    def push(self, frame: Frame, region: Optional[ArrayLike]) -> None:
        """Take the newest frame; see `Propagator.push`."""
        box = None if region is None else as_box(region, "region")
        if self._ring.push(frame) and box is not None and len(self._ring) > 1:
            before, after = self._ring.newest(1), self._ring.newest()
            before.add_step(after.number, _measure(before, after, box))

    def carry(self, box: ArrayLike, from_ns: int, to_ns: int) -> Carried:
        """Move a box between two frames; see `Propagator.carry`."""
        first_box = as_box(box, "box to carry")
        if to_ns < from_ns:
            raise InputError(f"cannot carry a box back in time: from t_ns={from_ns} to t_ns={to_ns}")
        if to_ns == from_ns:
            return Carried(first_box, 1.0, 0)
        first, last = self._ring.find(from_ns), self._ring.find(to_ns)
        if first is None or last is None:
            return Carried(first_box, 0.0, 0)
        gap = last.number - first.number
        stride = -(-gap // self.config.links)
        qualities: List[float] = []
        lost_sight = False
        moved, measured, here, seen_ns = first_box, 0, first, from_ns
        while here is not last:
            stored = here.longest_step(moved, last.number)
            if stored is None:
                there = self._ring.numbered(min(here.number + stride, last.number))
                stored = there.number, _measure(here, there, moved)
                here.add_step(*stored)
                measured += 1
            number, step = stored
            if step.quality < self.config.doubtful:
                lost_sight = lost_sight or self._ring.longest_gap(here.number, number) > GAP_NS
            here, moved = self._ring.numbered(number), step.move(moved)
            qualities.append(step.quality)
            if step.quality:
                seen_ns = here.t_ns
        # A single step that saw nothing does not make the whole chain worthless.
        quality = max(min(qualities), DIM) if any(qualities) and not lost_sight else 0.0
        if len(qualities) >= self.config.refine_after or (gap > 1 and quality < self.config.doubtful):
            dx, dy = (moved[:2] - first_box[:2]).tolist()
            direct = _measure(first, last, first_box, (dx, dy, float(moved[2] / first_box[2])))
            measured += 1
            least = self.config.doubtful if lost_sight else self.config.trust * quality
            if direct.quality > 0 and direct.quality >= least:
                moved, quality = direct.move(first_box), direct.quality
                first.add_step(last.number, direct)
            else:
                # The chain does not agree with the first frame: something may have covered the target.
                quality = math.sqrt(quality * max(direct.quality, DIM)) if to_ns - seen_ns <= BLIND_NS else 0.0
        moved.flags.writeable = False
        return Carried(moved, quality, measured)


def _measure(before: Kept, after: Kept, box: np.ndarray, guess: Guess = (0.0, 0.0, 1.0)) -> Step:
    """The step in pixels of the camera's image, measured on grey images that may be reduced."""
    reduction = before.reduction
    if reduction == 1:
        return measure(before.grey, after.grey, box, guess)
    step = measure(before.grey, after.grey, box / reduction, (guess[0] / reduction, guess[1] / reduction, guess[2]))
    return step._replace(region=box, dx=step.dx * reduction, dy=step.dy * reduction)
