"""How much a clip moves while a tracker works: what perfect extrapolation would gain over none.

For each world frame the newest tracker result at permitted latency 0 was made of some camera frame. Were that result
the truth, `hold` would answer with the truth of that camera frame, and a perfect predictor with the truth of the world
frame. The difference of the two AUCs is the unpredictability of the clip for a tracker of this speed: 0 where the
target stands still, near the perfect AUC where it is elsewhere each time. It depends on when results were available,
not on what they were.

STARE (Nature Communications 2026) scores a clip by what one given extrapolation gains, with the sign turned; the oracle
here needs no predictor, so that the score is the clip's alone.
"""

from __future__ import annotations

import numpy as np

from pvtpp.boxes import xywh_to_box
from pvtpp.core.event_log import EventLog
from pvtpp_benchmarks.metrics import auc_of, errors_of
from pvtpp_benchmarks.pairing import Pairs, same_time_ns


def held_truth(log: EventLog, truth_xywh: np.ndarray, t_ns: np.ndarray, kappa: float) -> np.ndarray:
    """Return the truth that was to be known of the newest result at each world frame, at permitted latency 0.

    Parameters
    ----------
    log
        The run.
    truth_xywh
        Boxes ``[left, top, width, height]`` of the n world frames in pixels, shape ``(n, 4)``, NaN where absent; the
        first shows the target.
    t_ns
        Their times in nanoseconds, shape ``(n,)``.
    kappa
        World frames per second.

    Returns
    -------
    ndarray
        Boxes as in `truth_xywh`. Where the target was absent at the capture, its last box before.
    """
    results = np.array([row[1:4] for row in log.rows if row[0] in ("init", "result")], dtype=np.int64)
    newest = np.searchsorted(results[:, 0], t_ns + same_time_ns(kappa), side="right") - 1
    captured = np.searchsorted(t_ns, results[np.maximum(newest, 0), 2], side="right") - 1
    shown = np.isfinite(truth_xywh).all(axis=1)
    last_shown = np.maximum.accumulate(np.where(shown, np.arange(len(shown)), 0))
    return truth_xywh[last_shown[np.maximum(captured, 0)]]


def unpredictability(held_xywh: np.ndarray, truth_xywh: np.ndarray, mode: str) -> float:
    """AUC of the truth minus AUC of the truth as it was held, both of shape ``(n, 4)``, in one metric mode."""
    n = len(truth_xywh)
    both = xywh_to_box(np.concatenate([truth_xywh, held_xywh]))
    errors = errors_of(Pairs(np.tile(np.arange(n), 2), both, np.zeros(2 * n)), truth_xywh, mode)
    return auc_of(errors.of(slice(n)), mode) - auc_of(errors.of(slice(n, None)), mode)
