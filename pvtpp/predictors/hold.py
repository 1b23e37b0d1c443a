"""No prediction: the last result stands, as in every tracker that does not compensate its latency."""

from __future__ import annotations

from typing import Any

import numpy as np

from pvtpp.predictors.motion_statistics import recent_velocity, stated_sigma
from pvtpp.track import Track
from pvtpp.tracker import TrackerOutput
from pvtpp.trajectory import Trajectory


class Hold:
    """Answers with the newest box at every time; sigma grows with the speed that this ignores.

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
        """Hold the newest box; see `Predictor.predict`."""
        track.require_result()
        t_ns, sigma = stated_sigma(track, np.abs(recent_velocity(track)))
        mean = np.repeat(track.evidence_box[None], len(t_ns), axis=0)
        return Trajectory(t_ns, mean, np.zeros_like(mean), sigma, track.evidence_ns, extrapolation="hold")
