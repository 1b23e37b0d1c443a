"""Does what the tracker found look like the target? A tracker's own score is no witness: many are as sure of a displacement as of
the car below it, and some have none. This looks at the pixels, and needs nothing of the tracker but its box.

What is in the box is made a small colour patch, without its mean and of unit length, weighted towards the middle. The
similarity is its correlation with two memories, the first box and the recent past, relative to what it usually is. The recent
past is learned from results that look right; where one looks wrong, what was learned in the moments before is taken back: a
target that is covered bit by bit is not forgotten, nor what covers it learned. About 0.1 ms.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace
from typing import Deque, NamedTuple, Optional

import numpy as np

from pvtpp.boxes import as_box
from pvtpp.errors import InputError
from pvtpp.tracker import Frame, Tracker, TrackerOutput

SIDE = 24
SHARP = 1.5
"""A target larger than this many patch sides is averaged, not sampled."""


@dataclass(frozen=True)
class AppearanceConfig:
    """`learned_from`: the least similarity a result is learned from. `wrong_below`: a similarity below takes back what was learned
    in the `undo_s` seconds before the last that was learned. `memory_s`: how long the recent past lasts, seconds.
    `usual`: the correlation that counts as usual at first; `floor`: the usual one is never taken to be less. `width`: of the
    weight towards the middle, in half boxes.
    """

    learned_from: float = 0.7
    wrong_below: float = 0.5
    undo_s: float = 0.3
    memory_s: float = 0.5
    usual: float = 0.8
    floor: float = 0.7
    width: float = 0.6

    def __post_init__(self) -> None:
        for name in ("learned_from", "wrong_below", "usual", "floor"):
            if not 0 < getattr(self, name) <= 1:
                raise InputError(f"AppearanceConfig.{name} is {getattr(self, name)!r}, allowed is above 0 to 1")
        for name in ("undo_s", "memory_s", "width"):
            if not 0 < getattr(self, name) < math.inf:
                raise InputError(f"AppearanceConfig.{name} is {getattr(self, name)!r}, it must be above 0")


class _Known(NamedTuple):
    """How the target looks as of `t_ns`: the `recent` past as a patch, and the `usual` correlation with it."""

    t_ns: int
    recent: np.ndarray
    usual: float


class AppearanceTracker:
    """A tracker whose answers carry a `similarity`; boxes, scores and features are those of `tracker`. Frames without an image
    (annotations alone) have none.
    """

    def __init__(self, tracker: Tracker, config: Optional[AppearanceConfig] = None):
        self.tracker = tracker
        self.config = config or AppearanceConfig()
        around = (np.arange(SIDE) + 0.5) / SIDE * 2 - 1
        weight = np.exp(-(around**2) / (2 * self.config.width**2))
        self._weight = np.repeat(np.sqrt(np.outer(weight, weight))[:, :, None], 3, axis=2).astype(np.float32)
        self._weight /= np.linalg.norm(self._weight)
        self._first: Optional[np.ndarray] = None
        # What was known after each result that was learned from, as far back as it may be taken back; the newest counts.
        self._known: Deque[_Known] = deque()

    def init(self, frame: Frame, box: np.ndarray) -> None:
        box = as_box(box, "first box")
        self.tracker.init(frame, box)
        self._first = self._patch(frame, box)
        self._known.clear()
        if self._first is not None:
            self._known.append(_Known(frame.t_ns, self._first, self.config.usual))

    def track(self, frame: Frame, search_box: Optional[np.ndarray] = None) -> TrackerOutput:
        output = self.tracker.track(frame, search_box)
        # What is no output is the caller's to complain about.
        patch = self._patch(frame, output.box) if isinstance(output, TrackerOutput) else None
        if patch is None or self._first is None:
            return output
        known = self._known[-1]
        found = max(float(np.vdot(patch, self._first)), float(np.vdot(patch, known.recent)))
        similarity = min(max(found / known.usual, 0.0), 1.0)
        if similarity >= self.config.learned_from:
            self._learn(frame.t_ns, patch, found)
        elif similarity < self.config.wrong_below:
            while len(self._known) > 1:
                self._known.pop()
        return replace(output, similarity=similarity)

    def _learn(self, t_ns: int, patch: np.ndarray, found: float) -> None:
        known = self._known[-1]
        rate = 1 - math.exp(-max(t_ns - known.t_ns, 0) * 1e-9 / self.config.memory_s)
        recent = known.recent + rate * (patch - known.recent)
        recent /= max(float(np.linalg.norm(recent)), 1e-6)
        usual = max(known.usual + rate * (found - known.usual), self.config.floor)
        self._known.append(_Known(t_ns, recent, usual))
        while len(self._known) > 1 and t_ns - self._known[1].t_ns >= self.config.undo_s * 1e9:
            self._known.popleft()

    def _patch(self, frame: Frame, box: np.ndarray) -> Optional[np.ndarray]:
        import cv2

        try:
            image = frame.image
        except InputError:
            return None
        x, y, w, h = box.tolist()
        side = 2 * SIDE if max(w, h) > SHARP * SIDE else SIDE
        across, down = w / side, h / side
        place = np.array([[across, 0.0, x - w / 2 + across / 2 - 0.5], [0.0, down, y - h / 2 + down / 2 - 0.5]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cut = cv2.warpAffine(image, place, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        if side > SIDE:
            cut = cv2.resize(cut, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        patch = self._weight * cut
        patch -= self._weight * float(np.vdot(self._weight, patch))
        return patch / max(float(np.linalg.norm(patch)), 1e-3)
