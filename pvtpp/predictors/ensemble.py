"""The learned law and the classical filter, averaged: where both are right nothing changes, where one errs the other halves it.

Their errors differ in kind. The filter trusts its physics and lags where the target turns; the network has seen how targets
turn and follows a jittery result too far. Knots, sigma's growth and fallbacks are those of the learned law.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Optional, Tuple

import numpy as np

from pvtpp.predictors.kalman import Kalman
from pvtpp.predictors.motion import WEIGHTS, Motion
from pvtpp.track import Track
from pvtpp.tracker import TrackerOutput
from pvtpp.trajectory import Trajectory


def files() -> Tuple[Path, ...]:
    """What the predictor is made from: the graph of its learned law."""
    return (WEIGHTS,)


class Ensemble:
    """The mean of `motion` and `kalman` at the knots of the first: means, derivatives and sigmas."""

    def __init__(self, motion: Optional[Motion] = None, kalman: Optional[Kalman] = None):
        self._motion, self._kalman = motion or Motion(), kalman or Kalman()

    def encode(self, output: TrackerOutput) -> Any:
        return None

    def predict(self, track: Track) -> Trajectory:
        """Raises InputError as `Motion.predict` does."""
        learned, filtered = self._motion.predict(track), self._kalman.predict(track)
        at_knots = [filtered.at(t_ns) for t_ns in learned.t_ns]
        return replace(
            learned,
            mean=(learned.mean + np.array([each.box for each in at_knots])) / 2,
            derivative=(learned.derivative + np.array([each.velocity for each in at_knots])) / 2,
            sigma=(learned.sigma + np.array([each.sigma for each in at_knots])) / 2,
        )
