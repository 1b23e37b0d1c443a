"""No prediction: the last result stands. What every tracker does that nobody made latency-aware."""

from __future__ import annotations

from typing import Any

import numpy as np

from pvtpp.predictors.motion_statistics import recent_velocity, stated_sigma
from pvtpp.track import Track
from pvtpp.tracker import TrackerOutput
from pvtpp.trajectory import Trajectory


class Hold:
    """The newest box, for ever. Its sigma grows by the speed it ignores."""

    def encode(self, output: TrackerOutput) -> Any:
        return None

    def predict(self, track: Track) -> Trajectory:
        track.require_result()
        t_ns, sigma = stated_sigma(track, np.abs(recent_velocity(track)))
        mean = np.repeat(track.evidence()[1][-1:], len(t_ns), axis=0)
        return Trajectory(t_ns, mean, np.zeros_like(mean), sigma, track.evidence_ns, extrapolation="hold")
