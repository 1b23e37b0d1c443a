"""The mean of a learned predictor, `motion` or `joint`, and the Kalman filter.

Their errors differ in kind, so their mean errs less than either. The filter lags where the target turns. The network
has learned how targets turn, but follows a jittery result too far. A filter needs frequent results: its share is one
half where results come every `FREQUENT_S` seconds or faster, and falls linearly to zero at `RARE_S`. Both were chosen
on ``uav-mini/train``. Knots, and what happens on a short or bad track, are those of the learned predictor.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, List, Optional, Tuple, Union

import numpy as np

from pvtpp.predictors import joint
from pvtpp.predictors.kalman import Kalman
from pvtpp.predictors.motion import WEIGHTS, Motion
from pvtpp.track import Track
from pvtpp.tracker import TrackerOutput
from pvtpp.trajectory import Trajectory

FREQUENT_S, RARE_S = 0.1, 0.2
"""Intervals between results, seconds: up to the first the filter has a share of one half, from the second on none."""
RECENT = 4
"""Number of newest intervals between tracker results whose mean decides."""


JOINT = "joint"
"""In place of a path: the committed `joint`."""


def files(path: Union[str, Path, None] = None) -> Tuple[Path, ...]:
    """Files that the predictor is made from: those of its learned member, by default the committed `motion`."""
    graph = WEIGHTS if path is None else _graph(path)
    return joint.files(graph) if _is_joint(graph) else (graph,)


def _graph(path: Union[str, Path]) -> Path:
    return joint.WEIGHTS if path == JOINT else Path(path)


def _is_joint(graph: Path) -> bool:
    return joint.encoder_of(graph).is_file()


class Ensemble:
    """Weighted mean of a learned predictor and `kalman` at the knots of the first: of means, derivatives and sigmas.

    The weight of the filter depends on how often the tracker answers, see `filter_share`.

    Parameters
    ----------
    learned
        `Motion` or `Joint`; None creates `Motion` with the committed weights.
    kalman
        The filter; None creates one with the default setting.

    Attributes
    ----------
    reads_features
        Whether the learned predictor does, see `Predictor`.
    """

    reads_features: bool = False

    def __init__(self, learned: Optional[Motion] = None, kalman: Optional[Kalman] = None):
        self._learned, self._kalman = learned or Motion(), kalman or Kalman()
        self.reads_features = self._learned.reads_features

    def encode(self, output: TrackerOutput) -> Any:
        """Return what the learned predictor keeps of a result; None where boxes and times are enough."""
        return self._learned.encode(output)

    def predict(self, track: Track) -> Trajectory:
        """Predict with both members and average; raises InputError as `Motion.predict` does."""
        learned, share = self._learned.predict(track), filter_share(track)
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


def load(path: Union[str, Path]) -> Ensemble:
    """Create the ensemble with a learned member of one's own.

    Parameters
    ----------
    path
        Its graph, as `pvtpp train motion` or `pvtpp train joint` writes it (the encoder lies beside the second);
        ``joint`` takes the committed `joint`.

    Raises
    ------
    InputError
        As `Motion` and `Joint`.
    """
    graph = _graph(path)
    return Ensemble(joint.Joint(graph) if _is_joint(graph) else Motion(graph))


def filter_share(track: Track) -> float:
    """Weight of the filter, 0 to 0.5, from the mean of the newest intervals between tracker results."""
    t_ns = track.t_ns[-RECENT - 1 :]
    interval_s = (t_ns[-1] - t_ns[0]) * 1e-9 / max(len(t_ns) - 1, 1)
    return 0.5 * min(1.0, max(0.0, (RARE_S - interval_s) / (RARE_S - FREQUENT_S)))
