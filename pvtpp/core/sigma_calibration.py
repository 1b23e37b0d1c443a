"""Sigma in flight: what a predictor states of its own error, and what tracker and optical flow show of theirs.

Predictors state sigma for results that are nearly right. Those of a real tracker are not: their size is off by a tenth
of the target, the box slips where the target turns, and annotations have noise of their own. So with propagation on,
where track and flow can be compared, sigma is a weighted sum of what the predictor states and of five witnesses. It has
the unit and the meaning of `pvtpp.predictors.motion.WITHIN`: half of the errors lie within .534 sigma and 90 % within
1.645. The box does not change.
"""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import median
from typing import NamedTuple

import numpy as np

from pvtpp.track import Track
from pvtpp.trajectory import Trajectory

COMPARED, FORGET = 16, 0.8
"""Newest results that are compared with the flow, and how much less each earlier one counts."""
DOUBTED = 4
"""Newest results whose displacements' quality counts."""
MOVED = 8
"""Newest boxes, propagated ones included, that speed is measured on."""


class Weights(NamedTuple):
    """Shares of sigma for one group of coordinates.

    Attributes
    ----------
    stated
        Of the predictor's own sigma.
    least
        Of the target's size (the square root of its area).
    disagreement
        Of the root mean square of how far the tracker's steps differ from those that optical flow measured, for each
        coordinate.
    doubt
        Of the target's size, times how far the images do not support the newest displacements, 0 to 1.
    drop
        Of the target's size, times how far the newest score is below the median of the recent ones.
    speed
        Of the target's speed in the image, seconds.
    """

    stated: float
    least: float
    disagreement: float
    doubt: float
    drop: float
    speed: float


# Fitted by `python -m pvtpp_benchmarks.studies.sigma_calibration $PVTPP_DATA` to NanoTrack V3 on the training clips of
# uav-mini and on uav-more, in the default configuration; its JSON names them as `fitted`. uav-mini/test was not used.
CENTRE = Weights(stated=0.448, least=0.00662, disagreement=0.816, doubt=0.0348, drop=1.43, speed=0.015)
SIZE = Weights(stated=0.275, least=0.0484, disagreement=3.7, doubt=0.123, drop=1.76, speed=0.0)


def witnesses(track: Track) -> np.ndarray:
    """Measure what the weights from `least` to `speed` are the shares of.

    Parameters
    ----------
    track
        A track that is not empty.

    Returns
    -------
    numpy.ndarray
        Shape ``(4, 5)``: a row for each of ``cx, cy, w, h``, a column for each weight but the first; pixels, the last
        column pixels per second.
    """
    width, height = track.evidence_box[2:].tolist()
    size = math.sqrt(width * height)
    made = np.zeros((4, 5))
    made[:, 0] = size
    compared = min(len(track) - 1, COMPARED)
    found = [(back, each) for back in range(1, compared + 1) if (each := track.displacement(-back)) is not None]
    if found:
        at = np.array([-back for back, _ in found])
        apart = track.boxes[at] - track.boxes[at - 1] - [each.moved for _, each in found]
        counts = FORGET ** -at.astype(float)
        made[:, 1] = np.sqrt(counts @ (apart * apart) / counts.sum())
    doubted = min(compared, DOUBTED)
    if doubted:
        made[:, 2] = size * (1 - sum(each.quality for back, each in found if back <= doubted) / doubted)
    made[:, 3] = size * max(median(track.scores) - track.scores[-1], 0.0)
    t_ns, boxes = track.evidence()
    t_ns, boxes = t_ns[-MOVED:], boxes[-MOVED:, :2]
    if len(t_ns) > 1:
        made[:, 4] = math.hypot(*np.abs(np.diff(boxes, axis=0)).sum(axis=0)) / ((t_ns[-1] - t_ns[0]) * 1e-9)
    return made


def calibrated(trajectory: Trajectory, track: Track) -> Trajectory:
    """Return the trajectory with the sigma of a target in flight; everything else stays as it is, to the bit.

    Parameters
    ----------
    trajectory
        As the predictor made it.
    track
        What the predictor made it from.
    """
    weights = np.array([CENTRE, CENTRE, SIZE, SIZE])
    witnessed = (weights[:, 1:] * witnesses(track)).sum(axis=1)
    return replace(trajectory, sigma=weights[:, 0] * trajectory.sigma + witnessed)
