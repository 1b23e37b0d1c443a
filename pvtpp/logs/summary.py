"""What a log holds, in a few figures."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from pvtpp.core.event_log import EventLog
from pvtpp.logs.moments import moments

FACTS = ("source", "sequence", "dataset", "tracker", "processing", "propagation", "search_region", "clock", "schedule")
"""What a run says of itself, where it does."""


def summary(log: EventLog, complete: bool) -> Dict[str, Any]:
    """Summarise a log.

    Parameters
    ----------
    log
        Of a run, or a part of one.
    complete
        Whether it has its closing line.

    Returns
    -------
    dict
        Plain values: what made it, which part it is of another (None: of none), its span in seconds, how many events,
        frames, targets, results, failures, the rate of frames and results, the latency of results and the age of the
        evidence at each frame (median, 95th and 99th percentile, milliseconds), and the share of frames in each state
        of presence.
    """
    rows = log.rows
    frames, results = log.of_kind("frame"), log.of_kind("result")
    seen = list(moments(log))
    lead = log.predictors[0] if log.predictors else None
    ages = [each.predictions[lead].age for each in seen if lead in each.predictions] if lead else []
    stated = [each.presence for each in seen if each.presence is not None]
    span = (rows[-1][1] - rows[0][1]) * 1e-9 if rows else 0.0
    return {
        "complete": complete,
        "part": _part(log.meta.get("cut")),
        "run": {name: log.meta[name] for name in FACTS if log.meta.get(name) is not None},
        "predictors": log.predictors,
        "seconds": round(span, 3),
        "events": len(rows),
        "frames": len(frames),
        "frames_per_second": _rate([row[3] for row in frames]),
        "targets": len(log.of_kind("init")),
        "results": len(results),
        "results_per_second": _rate([row[1] for row in results]),
        "latency_ms": _milliseconds([(row[1] - row[3]) * 1e-9 for row in results]),
        "age_ms": _milliseconds(ages),
        "presence": {name: round(stated.count(name) / len(stated), 4) for name in sorted(set(stated))},
        "failures": len(log.of_kind("failed")),
    }


def _part(cut: Any) -> Optional[str]:
    if not isinstance(cut, dict):
        return None
    if "target" in cut:
        return f"target {cut['target']} of another"
    until = "its end" if cut.get("to_s") is None else f"{cut['to_s']} s"
    return f"{cut.get('from_s')} s to {until} of another"


def _rate(times: Sequence[int]) -> Optional[float]:
    if len(times) < 2 or times[-1] <= times[0]:
        return None
    return round((len(times) - 1) * 1e9 / (times[-1] - times[0]), 3)


def _milliseconds(seconds: Sequence[float]) -> Optional[List[float]]:
    if not seconds:
        return None
    return [round(float(value) * 1e3, 3) for value in np.percentile(seconds, (50, 95, 99))]
