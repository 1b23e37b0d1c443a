"""The learned law and the classical filter, averaged: where both are right nothing changes, where one errs the other halves it.

Their errors differ in kind. The filter trusts its physics and lags where the target turns; the network has seen how targets
turn and follows a jittery result too far. A filter needs frequent results: its share is a half where they come every
`FREQUENT_S` or faster, and falls to nothing at `RARE_S` (chosen on `uav-mini/train`). Knots and fallbacks are those of
the learned law.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, List, Optional, Tuple

import numpy as np

from pvtpp.predictors.kalman import Kalman
from pvtpp.predictors.motion import WEIGHTS, Motion
from pvtpp.track import Track
from pvtpp.tracker import TrackerOutput
from pvtpp.trajectory import Trajectory

FREQUENT_S, RARE_S = 0.1, 0.2
RECENT = 4
"""Intervals between tracker results whose mean counts."""


def files() -> Tuple[Path, ...]:
    """What the predictor is made from: the graph of its learned law."""
    return (WEIGHTS,)


class Ensemble:
    """The mean of `motion` and `kalman` at the knots of the first: means, derivatives and sigmas, the filter's share by how
    often the tracker answers.
    """

    def __init__(self, motion: Optional[Motion] = None, kalman: Optional[Kalman] = None):
        self._motion, self._kalman = motion or Motion(), kalman or Kalman()

    def encode(self, output: TrackerOutput) -> Any:
        return None

    def predict(self, track: Track) -> Trajectory:
        """Raises InputError as `Motion.predict` does."""
        learned, share = self._motion.predict(track), filter_share(track)
        if not share:
            return learned
        filtered = self._kalman.predict(track)
        at_knots = [filtered.at(t_ns) for t_ns in learned.t_ns]

        def mixed(of_learned: np.ndarray, of_filtered: List[np.ndarray]) -> np.ndarray:
            return of_learned + share * (np.array(of_filtered) - of_learned)

        return replace(
            learned,
            mean=mixed(learned.mean, [each.box for each in at_knots]),
            derivative=mixed(learned.derivative, [each.velocity for each in at_knots]),
            sigma=mixed(learned.sigma, [each.sigma for each in at_knots]),
        )


def filter_share(track: Track) -> float:
    """What the filter has to say, 0 to 0.5, by the mean of the newest intervals between tracker results."""
    t_ns = track.t_ns[-RECENT - 1 :]
    interval_s = (t_ns[-1] - t_ns[0]) * 1e-9 / max(len(t_ns) - 1, 1)
    return 0.5 * min(1.0, max(0.0, (RARE_S - interval_s) / (RARE_S - FREQUENT_S)))
