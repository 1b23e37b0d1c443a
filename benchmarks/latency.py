"""How long results took and how old the newest evidence was: distributions with their numbers of samples.

latency
    Of a tracker result: from the capture of its frame until it is available. Waiting is included: the frame was
    captured before the tracker was free for it.
stall
    The time between two successive results, as they become available. The given first box counts as one.
age
    At a world frame: from the capture of the newest evidence behind the answer to the frame's own time.

A percentile is given only where there are enough samples that three or more lie beyond it.
"""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional, Sequence

import numpy as np

from pvtpp.core.event_log import EventLog
from pvtpp_benchmarks.pairing import same_time_ns

LEAST = {50: 1, 95: 60, 99: 300}
"""Fewest samples for each percentile."""


class Latency(NamedTuple):
    """What one run took.

    Attributes
    ----------
    results_ms
        Latency of each result, milliseconds, shape ``(n,)``.
    stall_ms
        The longest stall, 0 without a result.
    age_ms
        Age of the evidence at each world frame, milliseconds, shape ``(frames,)``.
    """

    results_ms: np.ndarray
    stall_ms: float
    age_ms: np.ndarray


def measure(log: EventLog, predictor: str, made: np.ndarray, world_t_ns: np.ndarray, kappa: float) -> Latency:
    """Measure the latency of one run on its own clock.

    Parameters
    ----------
    log, predictor
        The run, and whose trajectories answered.
    made
        Number of the trajectory that answers for each world frame at permitted latency 0, -1 for the newest tracker
        result; shape ``(frames,)``.
    world_t_ns
        Times of the world frames in nanoseconds, shape ``(frames,)``.
    kappa
        World frames per second.
    """
    rows = [(row[1], row[3]) for row in log.rows if row[0] == "result"]
    available, captured = np.array(rows, dtype=np.int64).reshape(-1, 2).T
    given = [row[1] for row in log.rows if row[0] == "init"]
    evidence = log.trajectories(predictor)[1].evidence_ns[made]
    if (made < 0).any():
        # Before the first result it is the given box.
        captures = np.concatenate([world_t_ns[:1], captured])
        newest = np.searchsorted(available, world_t_ns + same_time_ns(kappa), side="right")
        evidence = np.where(made < 0, captures[newest], evidence)
    return Latency(
        (available - captured) * 1e-6,
        float(np.diff(np.concatenate([given[:1], available])).max(initial=0) * 1e-6),
        (world_t_ns - evidence) * 1e-6,
    )


def latency_figures(runs: Sequence[Latency]) -> Dict[str, Any]:
    """Return the figures of at least one run as a result row holds them, over the results and frames of all runs."""
    results = np.concatenate([run.results_ms for run in runs])
    ages = np.concatenate([run.age_ms for run in runs])
    return {
        "n": len(results),
        "median_ms": _percentile(results, 50),
        "p95_ms": _percentile(results, 95),
        "p99_ms": _percentile(results, 99),
        "worst_ms": _worst(results),
        "worst_stall_ms": round(max(run.stall_ms for run in runs), 6),
        "age_median_ms": _percentile(ages, 50),
        "age_p95_ms": _percentile(ages, 95),
        "age_worst_ms": _worst(ages),
        "age_n": len(ages),
    }


def _percentile(values: np.ndarray, percent: int) -> Optional[float]:
    return round(float(np.percentile(values, percent)), 6) if len(values) >= LEAST[percent] else None


def _worst(values: np.ndarray) -> Optional[float]:
    return round(float(values.max()), 6) if len(values) else None
