"""Appearance similarity: how much what is in a tracker's box looks like the target.

A tracker's own score does not tell all: many trackers are as confident on an obstacle as on the target behind it, and
some have no score. What is in the box is described by one vector of unit length. A tracker that can say what its own
network sees in a box (`describe`) is asked; for any other tracker the vector is a small colour patch with zero mean,
weighted towards its middle. That takes about 0.1 ms.

The vector is correlated with two references, the first box and the recent past; the similarity is the larger
correlation, relative to its usual value. The recent past is updated from results with a high similarity. After a result
with a low similarity, the updates of the last moments are undone. So a target that is covered bit by bit is not
forgotten, and what covers it is not learned.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace
from typing import Deque, NamedTuple, Optional

import numpy as np

from pvtpp.boxes import as_box, iou
from pvtpp.errors import InputError
from pvtpp.tracker import Frame, Tracker, TrackerOutput, takes_search_box
from pvtpp.validation import above, check

SIDE = 24
"""Side of the patch, pixels."""
SHARP = 1.5
"""A target with a side of more than this many patch sides is averaged, not sampled."""


BETTER, APART = 0.05, 0.3
"""Another place counts where it is more similar by this, and where its intersection over union with the box is less."""
FEATURES, PIXELS = "features", "pixels"
"""What the similarity may be computed from: the tracker's own features, or the image."""
KINDS = (FEATURES, PIXELS)


@dataclass(frozen=True)
class AppearanceConfig:
    """Settings of the appearance similarity; the defaults are for pixels.

    Attributes
    ----------
    learned_from
        Least similarity of a result from which the recent past is updated.
    wrong_below
        A similarity below this undoes updates.
    undo_s
        Which updates are undone: those of this many seconds before the last one.
    memory_s
        Time constant of the recent past, seconds.
    usual
        The usual correlation at first; it is then learned.
    least_usual
        Least value of the usual correlation.
    width
        Standard deviation of the weight towards the middle, in half sides of the box.
    """

    learned_from: float = 0.7
    wrong_below: float = 0.5
    undo_s: float = 0.3
    memory_s: float = 0.5
    usual: float = 0.8
    least_usual: float = 0.7
    width: float = 0.6

    def __post_init__(self) -> None:
        shares = ("learned_from", "wrong_below", "usual", "least_usual")
        check(self, {**dict.fromkeys(shares, above(0, 1)), **dict.fromkeys(("undo_s", "memory_s", "width"), above(0))})


_DEFAULTS = {
    PIXELS: AppearanceConfig(),
    # Feature vectors of unlike things still correlate by about a half.
    FEATURES: AppearanceConfig(learned_from=0.95, wrong_below=0.8),
}


class _Known(NamedTuple):
    """How the target looks as of `t_ns`: the recent past as a vector, and the usual correlation."""

    t_ns: int
    recent: np.ndarray
    usual: float


class AppearanceTracker:
    """Adds the appearance similarity to the outputs of a tracker; boxes, scores and features stay as they are.

    Outputs for frames without an image keep the similarity that the tracker gave.

    Parameters
    ----------
    tracker
        The tracker; kept as attribute `tracker`.
    config
        Settings; None for the defaults of this kind.

    Attributes
    ----------
    kind : str
        ``features`` where the tracker has a method ``describe(box)`` that gives a vector of unit length for a box of
        the frame that it was given last, else ``pixels``.
    """

    def __init__(self, tracker: Tracker, config: Optional[AppearanceConfig] = None):
        self.tracker = tracker
        self.takes_search_box = takes_search_box(tracker)
        self._describe = getattr(tracker, "describe", None)
        self._find = getattr(tracker, "find", None)
        self.kind = PIXELS if self._describe is None else FEATURES
        self.config = config or _DEFAULTS[self.kind]
        around = (np.arange(SIDE) + 0.5) / SIDE * 2 - 1
        weight = np.exp(-(around**2) / (2 * self.config.width**2))
        self._weight = np.repeat(np.sqrt(np.outer(weight, weight))[:, :, None], 3, axis=2).astype(np.float32)
        self._weight /= np.linalg.norm(self._weight)
        self._first: Optional[np.ndarray] = None
        # States after each update, as far back as updates may be undone; the newest counts.
        self._known: Deque[_Known] = deque()

    def init(self, frame: Frame, box: np.ndarray) -> None:
        """Start on the target; see `Tracker.init`."""
        box = as_box(box, "first box")
        self.tracker.init(frame, box)
        self._first = self._vector(frame, box)
        self._known.clear()
        if self._first is not None:
            self._known.append(_Known(frame.t_ns, self._first, self.config.usual))

    def track(self, frame: Frame, search_box: Optional[np.ndarray] = None) -> TrackerOutput:
        """Find the target and measure its similarity; see `Tracker.track`."""
        output = self.tracker.track(frame, search_box)
        # The caller checks the type of the output (`checked_output`).
        shown = self._vector(frame, output.box) if isinstance(output, TrackerOutput) else None
        if shown is None or self._first is None:
            return output
        known = self._known[-1]
        found = max(float(np.vdot(shown, self._first)), float(np.vdot(shown, known.recent)))
        similarity = min(max(found / known.usual, 0.0), 1.0)
        if similarity >= self.config.learned_from:
            self._learn(frame.t_ns, shown, found)
        elif similarity < self.config.wrong_below:
            while len(self._known) > 1:
                self._known.pop()
        return replace(output, similarity=similarity, resembling=self._resembling(output.box, similarity))

    def _resembling(self, box: np.ndarray, similarity: float) -> Optional[np.ndarray]:
        """Where else the tracker's features look more like the target than in its box; None: nowhere."""
        if self._find is None or self._first is None or similarity >= self.config.learned_from:
            return None
        known = self._known[-1]
        place, found = max((self._find(each, box) for each in (self._first, known.recent)), key=lambda each: each[1])
        better = found / known.usual > similarity + BETTER and float(iou(place, box)) < APART
        return place if better else None

    def _learn(self, t_ns: int, shown: np.ndarray, found: float) -> None:
        """Update the recent past and the usual correlation, and drop states too old to return to."""
        known = self._known[-1]
        rate = 1 - math.exp(-max(t_ns - known.t_ns, 0) * 1e-9 / self.config.memory_s)
        recent = known.recent + rate * (shown - known.recent)
        recent /= max(float(np.linalg.norm(recent)), 1e-6)
        usual = max(known.usual + rate * (found - known.usual), self.config.least_usual)
        self._known.append(_Known(t_ns, recent, usual))
        while len(self._known) > 1 and t_ns - self._known[1].t_ns >= self.config.undo_s * 1e9:
            self._known.popleft()

    def _vector(self, frame: Frame, box: np.ndarray) -> Optional[np.ndarray]:
        if self._describe is None:
            return self._patch(frame, box)
        described: Optional[np.ndarray] = self._describe(box)
        return described

    def _patch(self, frame: Frame, box: np.ndarray) -> Optional[np.ndarray]:
        """The weighted patch of a box, shape ``(SIDE, SIDE, 3)``; None for a frame without an image."""
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
