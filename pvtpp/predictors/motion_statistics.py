"""What the simple predictors read off a track: its newest velocity, and a plain statement of how far to trust it."""

from __future__ import annotations

from typing import Tuple

import numpy as np

from pvtpp.track import Track

HORIZON_NS = 400_000_000
RESULT_SIGMA = 0.05
"""Standard deviation of a tracker's result as a share of the target's size: a round figure, not a calibrated one."""


def recent_velocity(track: Track) -> np.ndarray:
    """Velocity of ``[cx, cy, w, h]`` between the two newest pieces of evidence, pixels per second; zero with one alone.

    Where the images say how the target moved between two anchors, that counts: it has none of the tracker's jitter.
    """
    t_ns, boxes = track.evidence()
    if len(t_ns) < 2:
        return np.zeros(4)
    displacement = None if track.propagated else track.displacement(-1)
    moved = boxes[-1] - boxes[-2] if displacement is None else displacement.moved
    return moved / ((t_ns[-1] - t_ns[-2]) * 1e-9)


def stated_sigma(track: Track, growth: np.ndarray) -> Tuple[Tuple[int, int], np.ndarray]:
    """Two knot times and their sigmas, shape ``(2, 4)``: a share of the target's size now, `growth` (pixels/s) more later."""
    size = track.evidence()[1][-1][[2, 3, 2, 3]]
    now = RESULT_SIGMA * size
    later = now + (growth + 0.1 * size) * (HORIZON_NS * 1e-9)
    return (track.evidence_ns, track.evidence_ns + HORIZON_NS), np.stack([now, later])
