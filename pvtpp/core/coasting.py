"""What becomes of a lost target: where it is taken to be meanwhile, and where the tracker looks for it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from pvtpp.core.presence import PresenceConfig
from pvtpp.trajectory import Trajectory

HORIZONS_S = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0)
GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))
TURN = 9
"""Places off the middle until the pattern begins anew."""


def coast(trajectory: Trajectory, config: PresenceConfig) -> Trajectory:
    """The same evidence without faith in it: from its time on the centre's velocity decays, the size stays, sigma grows."""
    begin = trajectory.at(trajectory.evidence_ns)
    size = math.sqrt(float(begin.box[2] * begin.box[3]))
    ahead = np.array(HORIZONS_S)[:, None]
    decay = np.exp(-ahead / config.coast_s)
    velocity = begin.velocity * [1, 1, 0, 0]
    return Trajectory(
        tuple(trajectory.evidence_ns + round(h * 1e9) for h in HORIZONS_S),
        begin.box + config.coast_s * (1 - decay) * velocity,
        decay * velocity,
        begin.sigma + ahead * (config.coast_growth * size),
        trajectory.evidence_ns,
        extrapolation="hold",
        stabilised=trajectory.stabilised,
    )


class Places(NamedTuple):
    """Where a lost target may be, ``[cx, cy, w, h]``: where it was `seen`, where it is `expected`, and where the tracker went
    on by itself (`own`), should the loss be a mistake."""

    seen: np.ndarray
    expected: np.ndarray
    own: np.ndarray


def search_box(attempt: int, lost_s: float, places: Places, config: PresenceConfig) -> np.ndarray:
    """Where the tracker looks in pass `attempt` (from 0), ``[cx, cy, w, h]``, `lost_s` seconds after the target was seen.

    A tracker takes a search box for the target's size, so the region widens by moving it, not by enlarging it. Of four
    passes one follows the tracker's own way, one looks where the target is expected, and two go round where it was seen and
    expected, in a sunflower's pattern whose radius grows with time. The size is the one last seen. The tracker's own way is
    returned as the very object given.
    """
    if attempt % 4 == 0:
        return places.own
    turn = attempt // 2
    middle = places.expected if turn % 2 else places.seen
    radius = 0.0
    if attempt % 2:
        radius = min(config.reach, 1 + config.reach_rate * lost_s) * math.sqrt((turn % TURN + 1) / TURN)
    angle = turn * GOLDEN_ANGLE
    size = math.sqrt(float(places.seen[2] * places.seen[3]))
    shift = radius * size * np.array([math.cos(angle), math.sin(angle)])
    return np.concatenate([middle[:2] + shift, places.seen[2:]])
