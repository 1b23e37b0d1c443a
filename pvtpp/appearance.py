"""Appearance similarity: how much the pixels in a tracker's box look like the target.

A tracker's own score does not tell: many trackers are as confident on an obstacle as on the target behind it, and some
have no score. The similarity is computed from the image and the box alone, so it works with every tracker. It takes
about 0.1 ms.

The image in the box becomes a small colour patch with zero mean and unit length, weighted towards its middle. The patch
is correlated with two references, the first box and the recent past; the similarity is the larger correlation, relative
to its usual value. The recent past is updated from results with a high similarity. After a result with a low
similarity, the updates of the last moments are undone. So a target that is covered bit by bit is not forgotten, and
what covers it is not learned.
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
from pvtpp.validation import above, check

SIDE = 24
"""Side of the patch, pixels."""
SHARP = 1.5
"""A target with a side of more than this many patch sides is averaged, not sampled."""


@dataclass(frozen=True)
class AppearanceConfig:
    """Settings of the appearance similarity.

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


class _Known(NamedTuple):
    """How the target looks as of `t_ns`: the recent past as a patch, and the usual correlation."""

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
        Settings; None for the defaults.
    """

    def __init__(self, tracker: Tracker, config: Optional[AppearanceConfig] = None):
        self.tracker = tracker
        self.config = config or AppearanceConfig()
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
        self._first = self._patch(frame, box)
        self._known.clear()
        if self._first is not None:
            self._known.append(_Known(frame.t_ns, self._first, self.config.usual))

    def track(self, frame: Frame, search_box: Optional[np.ndarray] = None) -> TrackerOutput:
        """Find the target and measure its similarity; see `Tracker.track`."""
        output = self.tracker.track(frame, search_box)
        # The caller checks the type of the output (`checked_output`).
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
        """Update the recent past and the usual correlation, and drop states too old to return to."""
        known = self._known[-1]
        rate = 1 - math.exp(-max(t_ns - known.t_ns, 0) * 1e-9 / self.config.memory_s)
        recent = known.recent + rate * (patch - known.recent)
        recent /= max(float(np.linalg.norm(recent)), 1e-6)
        usual = max(known.usual + rate * (found - known.usual), self.config.least_usual)
        self._known.append(_Known(t_ns, recent, usual))
        while len(self._known) > 1 and t_ns - self._known[1].t_ns >= self.config.undo_s * 1e9:
            self._known.popleft()

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
