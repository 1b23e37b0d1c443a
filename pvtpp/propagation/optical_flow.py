"""The propagation by optical flow: steps measured as frames come, chained when a late result asks for them."""

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

DIM = 0.02
"""The least quality of a box that anything was seen of."""
BLIND_NS = 250_000_000
"""A box of which nothing was seen for longer has no quality, whatever was seen before."""


@dataclass(frozen=True)
class FlowConfig:
    """`seconds` and `memory` (bytes) bound the frames kept. A chain of at least `refine_after` steps, or of a quality below
    `doubtful`, is checked against its first frame directly, which stands if its quality is at least `trust` times the
    chain's. Where no step serves, frames are skipped so that about `links` have to be measured.
    """

    seconds: float = 2.0
    memory: int = 128 << 20
    refine_after: int = 4
    doubtful: float = 0.2
    trust: float = 0.8
    links: int = 4

    def __post_init__(self) -> None:
        rules = {
            "seconds": (0 < self.seconds <= 60, "above 0 and at most 60"),
            "memory": (self.memory >= 1, "any number of bytes from 1"),
            "refine_after": (self.refine_after >= 2, "any whole number from 2"),
            "doubtful": (0 <= self.doubtful <= 1, "0 to 1"),
            "trust": (self.trust >= 0, "any number from 0"),
            "links": (self.links >= 1, "any whole number from 1"),
        }
        for name, (allowed, what) in rules.items():
            if not allowed:
                raise InputError(f"FlowConfig.{name} is {getattr(self, name)!r}, allowed is {what}")


class OpticalFlow:
    """Carries a box by what the images show: chained steps, and over longer gaps the two end frames compared directly.

    A step is stored with the region it was measured on and serves any box that overlaps it (`similarity.OVERLAP`); for
    others it is measured again from the frames in memory. Steps may span several frames: what the comparison with the
    first frame found is stored too, so the next carry from there goes on from it and drift does not add up. The same calls
    give the same answers to the bit. Not for use by two threads at once.
    """

    def __init__(self, config: Optional[FlowConfig] = None):
        self.config = config or FlowConfig()
        self._ring = FrameRing(self.config.seconds, self.config.memory)

    def push(self, frame: Frame, region: Optional[ArrayLike]) -> None:
        box = None if region is None else as_box(region, "region")
        if self._ring.push(frame) and box is not None and len(self._ring) > 1:
            before, after = self._ring.newest(1), self._ring.newest()
            before.add_step(after.number, _measure(before, after, box))

    def carry(self, box: ArrayLike, from_ns: int, to_ns: int) -> Carried:
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
        moved, measured, here, seen_ns = first_box, 0, first, from_ns
        while here is not last:
            stored = here.longest_step(moved, last.number)
            if stored is None:
                there = self._ring.numbered(min(here.number + stride, last.number))
                stored = there.number, _measure(here, there, moved)
                here.add_step(*stored)
                measured += 1
            number, step = stored
            here, moved = self._ring.numbered(number), step.move(moved)
            qualities.append(step.quality)
            if step.quality:
                seen_ns = here.t_ns
        # One step that saw nothing does not undo what the others saw.
        quality = max(min(qualities), DIM) if any(qualities) else 0.0
        if len(qualities) >= self.config.refine_after or (gap > 1 and quality < self.config.doubtful):
            dx, dy = (moved[:2] - first_box[:2]).tolist()
            direct = _measure(first, last, first_box, (dx, dy, float(moved[2] / first_box[2])))
            measured += 1
            if direct.quality > 0 and direct.quality >= self.config.trust * quality:
                moved, quality = direct.move(first_box), direct.quality
                first.add_step(last.number, direct)
            else:
                # The steps agree with each other but not with the beginning: something may have come before the target.
                quality = math.sqrt(quality * max(direct.quality, DIM)) if to_ns - seen_ns <= BLIND_NS else 0.0
        moved.flags.writeable = False
        return Carried(moved, quality, measured)


def _measure(before: Kept, after: Kept, box: np.ndarray, guess: Guess = (0.0, 0.0, 1.0)) -> Step:
    """The step in image pixels, measured on grey images that may be smaller."""
    reduction = before.reduction
    if reduction == 1:
        return measure(before.grey, after.grey, box, guess)
    step = measure(before.grey, after.grey, box / reduction, (guess[0] / reduction, guess[1] / reduction, guess[2]))
    return step._replace(region=box, dx=step.dx * reduction, dy=step.dy * reduction)
