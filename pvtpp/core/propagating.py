"""The propagation: carries the newest anchor onto every newer frame, for whoever drives the pipeline."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Protocol, Tuple

import numpy as np

from pvtpp.propagation import Propagator
from pvtpp.track import Displacement, PropagatedBox
from pvtpp.tracker import Frame

FRAMES = 3
"""Newest frames that the anchor is propagated to: enough to see how the target moves now."""


class Lane(NamedTuple):
    """What the lane found: the anchor that was propagated, its boxes on later frames, the way to it from the anchor before
    (None: nothing new), and the steps that were measured."""

    anchor_ns: int
    propagated: Tuple[PropagatedBox, ...]
    displacement: Optional[Displacement]
    steps: int


class Evidence(Protocol):
    """What the lane has to know of the target: the pipeline, or a view of it from another thread."""

    @property
    def target(self) -> int:
        """Tells one target from the next."""

    def anchor(self) -> Tuple[int, np.ndarray]:
        """Capture time and box of the newest tracker result."""

    def evidence_box(self) -> Optional[np.ndarray]:
        """Where the target was last seen; None without one."""


class Propagating:
    """Not for two threads at once; its work takes milliseconds, so the driver decides when, and charges it."""

    def __init__(self, evidence: Evidence, propagator: Propagator):
        self._evidence = evidence
        self._propagator = propagator
        self._frames: List[int] = []
        self._kept: Tuple[PropagatedBox, ...] = ()
        self._target = evidence.target
        self._anchor_ns = -1
        self._anchor_box: Optional[np.ndarray] = None

    def push(self, frame: Frame) -> int:
        """Take a new frame, measuring round where the target was in the one before; returns the steps measured."""
        region = self._evidence.evidence_box() if self._frames else None
        self._propagator.push(frame, region)
        self._frames = [*self._frames[-63:], frame.t_ns]
        return int(region is not None)

    def carry(self) -> Lane:
        """Carry the newest anchor to the newest frames; what was propagated from it before is kept."""
        anchor_ns, box = self._evidence.anchor()
        if self._evidence.target != self._target:
            self._target, self._anchor_ns, self._anchor_box = self._evidence.target, -1, None
        displacement, steps = None, 0
        if anchor_ns != self._anchor_ns:
            if self._anchor_box is not None and anchor_ns > self._anchor_ns:
                moved = self._propagator.carry(self._anchor_box, self._anchor_ns, anchor_ns)
                displacement = Displacement(self._anchor_ns, moved.box - self._anchor_box, moved.quality)
                steps += moved.steps
            self._anchor_ns, self._anchor_box, self._kept = anchor_ns, box, ()
        known = {each.t_ns: each for each in self._kept}
        propagated: List[PropagatedBox] = []
        for t_ns in [t for t in self._frames if t > anchor_ns][-FRAMES:]:
            if t_ns not in known:
                moved = self._propagator.carry(box, anchor_ns, t_ns)
                quality, steps = moved.quality, steps + moved.steps
                if not quality:
                    last = next((each for each in reversed([*self._kept, *propagated]) if each.t_ns < t_ns), None)
                    if last is not None and last.quality:
                        # The anchor's frame is no longer in memory: a tracker hangs. What was propagated from it goes on alone.
                        moved = self._propagator.carry(last.box, last.t_ns, t_ns)
                        quality, steps = min(last.quality, moved.quality), steps + moved.steps
                known[t_ns] = PropagatedBox(t_ns, moved.box, quality)
            propagated.append(known[t_ns])
        self._kept = tuple(propagated)
        return Lane(anchor_ns, self._kept, displacement, steps)
