"""The recent past of one target: what a predictor may know, and nothing else."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any, Tuple

import numpy as np

from pvtpp.boxes import as_box
from pvtpp.errors import InputError

HISTORY = 24
"""Anchors kept. A predictor sees at most the newest 24: enough for a filter to forget how it started."""


@dataclass(frozen=True)
class Track:
    """The newest anchors (tracker results) of one target in capture order; immutable, and bounded to `HISTORY`.

    `t_ns`: n capture times, strictly increasing. `boxes`: shape ``(n, 4)``, ``[cx, cy, w, h]`` in pixels. `scores`: shape
    ``(n,)``, in [0, 1]. `encodings`: what the predictor's `encode` made of each result, None for motion-only predictors.
    """

    t_ns: Tuple[int, ...] = ()
    boxes: np.ndarray = field(default_factory=lambda: np.empty((0, 4)))
    scores: Tuple[float, ...] = ()
    encodings: Tuple[Any, ...] = ()

    def with_anchor(self, t_ns: int, box: np.ndarray, score: float = 1.0, encoding: Any = None) -> Track:
        """A new track with this result in its place in time; a second result for the same frame replaces the first."""
        t_ns = int(t_ns)
        box = as_box(box, f"result for t_ns={t_ns}")
        if not 0 <= score <= 1:
            raise InputError(f"result for t_ns={t_ns}: score {score!r} is outside [0, 1]")
        at = bisect_left(self.t_ns, t_ns)
        after = at + (at < len(self.t_ns) and self.t_ns[at] == t_ns)
        boxes = np.concatenate([self.boxes[:at], box[None], self.boxes[after:]])[-HISTORY:]
        boxes.flags.writeable = False
        return Track(
            (self.t_ns[:at] + (t_ns,) + self.t_ns[after:])[-HISTORY:],
            boxes,
            (self.scores[:at] + (float(score),) + self.scores[after:])[-HISTORY:],
            (self.encodings[:at] + (encoding,) + self.encodings[after:])[-HISTORY:],
        )

    def __len__(self) -> int:
        return len(self.t_ns)

    @property
    def evidence_ns(self) -> int:
        """Capture time of the newest evidence."""
        return self.t_ns[-1]

    def require_anchor(self) -> None:
        """Raise InputError on an empty track: nothing can be predicted from nothing."""
        if not self.t_ns:
            raise InputError("the track is empty: a predictor needs at least one tracker result")
