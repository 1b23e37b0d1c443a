"""Where a target that was lost sight of is expected meanwhile."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pvtpp.boxes import box_size
from pvtpp.core.presence import PresenceConfig
from pvtpp.trajectory import Trajectory

HORIZONS_S = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0)
GROWTH, LONGEST_S, SIZE_SHARE = 1.0, 3.0, 0.1
"""Growth of a doubted target's sigma, target sizes per second, and for how long; the size's share of it."""


def coast(trajectory: Trajectory, config: PresenceConfig) -> Trajectory:
    """Coast on the same evidence: from its time on the centre's velocity decays, the size stays.

    Parameters
    ----------
    trajectory
        What was predicted from that evidence.
    config
        How fast the velocity decays (`coast_s`, seconds).
    """
    begin = trajectory.at(trajectory.evidence_ns)
    ahead = np.array(HORIZONS_S)[:, None]
    decay = np.exp(-ahead / config.coast_s)
    velocity = begin.velocity * [1, 1, 0, 0]
    return Trajectory(
        tuple(trajectory.evidence_ns + round(h * 1e9) for h in HORIZONS_S),
        begin.box + config.coast_s * (1 - decay) * velocity,
        decay * velocity,
        np.repeat(begin.sigma[None], len(HORIZONS_S), axis=0),
        trajectory.evidence_ns,
        extrapolation="hold",
        stabilised=trajectory.stabilised,
    )


def doubted(trajectory: Trajectory, seconds: float) -> Trajectory:
    """Return the trajectory with the sigma of a target that may be elsewhere; boxes stay as they are.

    Parameters
    ----------
    trajectory
        What was predicted from the path that is followed.
    seconds
        How long it has been doubted.
    """
    farther = GROWTH * box_size(trajectory.mean[0]) * min(seconds, LONGEST_S)
    return replace(trajectory, sigma=trajectory.sigma + farther * np.array([1.0, 1.0, SIZE_SHARE, SIZE_SHARE]))
