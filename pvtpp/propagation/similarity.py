"""Shift and scale between two frames: what a step is, and how it follows from points that moved."""

from __future__ import annotations

from typing import NamedTuple, Tuple

import numpy as np

from pvtpp.boxes import iou

OVERLAP = 0.6
"""A step serves another box than the one it was measured on if their intersection over union is at least this."""

RIDGE = 1.0
"""Strength of the belief that the scale stays: worth this many points half a target from the centre."""

TOLERANCE = 0.7
"""Residual, in patch pixels, at which a point's say is a quarter; more where the points themselves scatter more."""


class Step(NamedTuple):
    """What happened to `region` (``[cx, cy, w, h]``, pixels) from one frame to another: its centre moved by ``(dx, dy)``
    pixels, its size grew by the factor `scale`. `quality` in [0, 1]: the share of the target's points that say so.
    """

    region: np.ndarray
    dx: float
    dy: float
    scale: float
    quality: float

    def move(self, box: np.ndarray) -> np.ndarray:
        """Any box of the first frame as it is in the second, if it moves with the region."""
        x, y, w, h = box.tolist()
        cx, cy = float(self.region[0]), float(self.region[1])
        return np.array(
            [cx + self.dx + self.scale * (x - cx), cy + self.dy + self.scale * (y - cy), w * self.scale, h * self.scale]
        )

    def serves(self, box: np.ndarray) -> bool:
        """Whether the step was measured on this box, or nearly so."""
        return bool(iou(self.region, box) >= OVERLAP)


def weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    """The value below which half of the weight lies; `weights` not all 0."""
    order = values.argsort()
    total = weights[order].cumsum()
    return float(values[order[int(total.searchsorted(0.5 * total[-1]))]])


def fit(
    points: np.ndarray, moved: np.ndarray, weights: np.ndarray, spread: float
) -> Tuple[np.ndarray, float, np.ndarray]:
    """The shift and the growth (scale - 1) that most of the weight agrees on, and every point's distance from it.

    `points`: relative to the target's centre, ``(n, 2)``; `moved`: their displacements; `spread`: half the target's side.
    Weighted least squares, begun at the median shift and reweighted by Geman-McClure's law: what moves otherwise has no
    say. The growth is held near 0 as far as few or crowded points cannot tell it.
    """
    shift = np.array([weighted_median(moved[:, 0], weights), weighted_median(moved[:, 1], weights)])
    growth = 0.0
    residual = _distance(moved - shift)
    for turn in range(5):
        scatter = max(TOLERANCE, weighted_median(residual, weights))
        # Wide at first: the median may sit between two motions.
        say = weights / (1 + (residual / (scatter * (2 if turn < 2 else 1))) ** 2) ** 2
        total = say.sum()
        centre, mean = say @ points / total, say @ moved / total
        offset = points - centre
        growth = float(say @ (offset * (moved - mean)).sum(axis=1)) / (
            float(say @ (offset * offset).sum(axis=1)) + RIDGE * spread**2
        )
        shift = mean - growth * centre
        residual = _distance(moved - shift - growth * points)
    return shift, growth, residual


def _distance(difference: np.ndarray) -> np.ndarray:
    return np.sqrt(np.einsum("ij,ij->i", difference, difference))
