"""Constant velocity: the target keeps its most recent velocity."""

from __future__ import annotations

from typing import Any

import numpy as np

from pvtpp.predictors.motion_statistics import recent_velocity, stated_sigma
from pvtpp.track import Track
from pvtpp.tracker import TrackerOutput
from pvtpp.trajectory import Trajectory


class ConstantVelocity:
    """Extrapolates centre and size with the velocity between the two newest boxes; a single box stands still.

    Attributes
    ----------
    reads_features
        False, see `Predictor`.
    """

    reads_features: bool = False

    def encode(self, output: TrackerOutput) -> Any:
        """Return None: boxes and times are enough."""
        return None

    def predict(self, track: Track) -> Trajectory:
        """Extrapolate the newest box; see `Predictor.predict`."""
        track.require_result()
        velocity = recent_velocity(track)
        t_ns, sigma = stated_sigma(track, 0.5 * np.abs(velocity))
        ahead = np.array([t - track.evidence_ns for t in t_ns])[:, None] * 1e-9
        mean = track.evidence_box + ahead * velocity
        return Trajectory(t_ns, mean, np.repeat(velocity[None], len(t_ns), axis=0), sigma, track.evidence_ns)
