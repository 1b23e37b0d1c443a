"""A lost target: where it is assumed to be meanwhile, and where the tracker searches for it."""

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
    """Coast on the same evidence: from its time on the centre's velocity decays, the size stays and sigma grows.

    Parameters
    ----------
    trajectory
        What was predicted from that evidence.
    config
        How fast the velocity decays (`coast_s`, seconds) and sigma grows (`coast_growth`, target sizes per second).
    """
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
    """Where a lost target may be.

    Attributes
    ----------
    seen
        Where it was last seen, ``[cx, cy, w, h]`` in pixels.
    expected
        Where it is predicted.
    own
        Where the tracker went on by itself, should the loss be a mistake.
    """

    seen: np.ndarray
    expected: np.ndarray
    own: np.ndarray


def search_box(attempt: int, lost_s: float, places: Places, config: PresenceConfig) -> np.ndarray:
    """Say where the tracker searches in one pass.

    A tracker takes a search box for the target's size, so the region widens by moving it, not by enlarging it. Of four
    passes one follows the tracker's own path, one looks where the target is expected, and two look round where it was
    seen and expected, in a sunflower's pattern whose radius grows with time. The size is the one last seen.

    Parameters
    ----------
    attempt
        Number of the pass since the loss, from 0.
    lost_s
        Seconds since the target was last seen.
    places
        Where it may be.
    config
        `reach` and `reach_rate` bound the radius.

    Returns
    -------
    ndarray
        ``[cx, cy, w, h]``; the very object `places.own` where the tracker's own path is followed.
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
