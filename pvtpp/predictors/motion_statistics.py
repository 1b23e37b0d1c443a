"""What the simple predictors compute from a track: its recent velocity and a plain estimate of sigma."""

from __future__ import annotations

from typing import Tuple

import numpy as np

from pvtpp.track import Track

HORIZON_NS = 400_000_000
"""Horizon of the second knot, nanoseconds."""
RESULT_SIGMA = 0.05
"""Standard deviation of a tracker's result as a share of the target's size: a round figure, not a calibrated one."""


def recent_velocity(track: Track) -> np.ndarray:
    """Velocity between the two newest boxes of a track.

    Where a displacement was measured in the images between the two newest results, it replaces the difference of their
    boxes, because it is free of the tracker's jitter.

    Returns
    -------
    numpy.ndarray
        Shape ``(4,)``, the velocity of ``[cx, cy, w, h]`` in pixels per second; zero for a track of one box.
    """
    t_ns, boxes = track.evidence()
    if len(t_ns) < 2:
        return np.zeros(4)
    displacement = None if track.propagated else track.displacement(-1)
    moved = boxes[-1] - boxes[-2] if displacement is None else displacement.moved
    return moved / ((t_ns[-1] - t_ns[-2]) * 1e-9)


def stated_sigma(track: Track, growth: np.ndarray) -> Tuple[Tuple[int, int], np.ndarray]:
    """Two knot times, now and `HORIZON_NS` later, and the sigmas there.

    Parameters
    ----------
    track
        A track that is not empty. "Now" is the time of its newest evidence.
    growth
        Shape ``(4,)``, pixels per second: what sigma grows by, beside a tenth of the target's size per second.

    Returns
    -------
    tuple
        The two times in nanoseconds, and sigma of shape ``(2, 4)`` in pixels.
    """
    size = track.evidence_box[[2, 3, 2, 3]]
    now = RESULT_SIGMA * size
    later = now + (growth + 0.1 * size) * (HORIZON_NS * 1e-9)
    return (track.evidence_ns, track.evidence_ns + HORIZON_NS), np.stack([now, later])
