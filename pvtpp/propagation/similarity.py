"""Steps: shift and scale of a region between two frames, and their robust estimation from points that moved."""

from __future__ import annotations

from typing import NamedTuple, Tuple

import numpy as np

from pvtpp.boxes import iou

OVERLAP = 0.6
"""A step serves another box than the one it was measured on if their intersection over union is at least this."""

RIDGE = 1.0
"""Strength of the prior that the scale stays: as much as this many points half a target from the centre."""

TOLERANCE = 0.7
"""Residual, patch pixels, at which a point keeps a quarter of its weight; larger where the points scatter more."""


class Step(NamedTuple):
    """Motion of a region from one frame to another.

    Attributes
    ----------
    region
        Box in the first frame, ``[cx, cy, w, h]`` in pixels.
    dx, dy
        Motion of its centre, pixels.
    scale
        Factor of its width and height.
    quality
        Share of the target's points that agree, in [0, 1].
    """

    region: np.ndarray
    dx: float
    dy: float
    scale: float
    quality: float

    def move(self, box: np.ndarray) -> np.ndarray:
        """Move a box ``[cx, cy, w, h]`` of the first frame to the second frame, as a part of the region."""
        x, y, w, h = box.tolist()
        cx, cy = float(self.region[0]), float(self.region[1])
        return np.array(
            [cx + self.dx + self.scale * (x - cx), cy + self.dy + self.scale * (y - cy), w * self.scale, h * self.scale]
        )

    def serves(self, box: np.ndarray) -> bool:
        """Whether the step can be used for this box: it was measured on a region that overlaps it well (`OVERLAP`)."""
        return bool(iou(self.region, box) >= OVERLAP)


def weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    """The value below which half of the weight lies; `weights` must not all be 0."""
    order = values.argsort()
    total = weights[order].cumsum()
    return float(values[order[int(total.searchsorted(0.5 * total[-1]))]])


def fit(
    points: np.ndarray, moved: np.ndarray, weights: np.ndarray, spread: float
) -> Tuple[np.ndarray, float, np.ndarray]:
    """Estimate the shift and the growth that most of the points agree on.

    Iteratively reweighted least squares, started at the median shift, with the weights of Geman and McClure (1985), so
    that points which move otherwise have no influence. A prior (`RIDGE`) keeps the growth near 0 where the points are
    too few or too close together to measure it.

    Parameters
    ----------
    points
        Shape ``(n, 2)``, relative to the target's centre, patch pixels.
    moved
        Shape ``(n, 2)``, how far each point moved, patch pixels.
    weights
        Shape ``(n,)``, not all 0.
    spread
        Half the target's side, patch pixels.

    Returns
    -------
    shift : numpy.ndarray
        Shape ``(2,)``, motion of the centre, patch pixels.
    growth : float
        Scale minus 1.
    residual : numpy.ndarray
        Shape ``(n,)``, distance of each point from the estimated motion, patch pixels.
    """
    shift = np.array([weighted_median(moved[:, 0], weights), weighted_median(moved[:, 1], weights)])
    growth = 0.0
    residual = _distance(moved - shift)
    for turn in range(5):
        scatter = max(TOLERANCE, weighted_median(residual, weights))
        # Tolerant at first: the median may lie between two motions.
        robust = weights / (1 + (residual / (scatter * (2 if turn < 2 else 1))) ** 2) ** 2
        total = robust.sum()
        centre, mean = robust @ points / total, robust @ moved / total
        offset = points - centre
        growth = float(robust @ (offset * (moved - mean)).sum(axis=1)) / (
            float(robust @ (offset * offset).sum(axis=1)) + RIDGE * spread**2
        )
        shift = mean - growth * centre
        residual = _distance(moved - shift - growth * points)
    return shift, growth, residual


def _distance(difference: np.ndarray) -> np.ndarray:
    return np.sqrt(np.einsum("ij,ij->i", difference, difference))
