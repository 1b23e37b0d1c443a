"""A part of a log, as a log of its own."""

from __future__ import annotations

import math
from typing import Dict, List, Optional

from pvtpp.camera_motion import GyroConfig
from pvtpp.core.event_log import EventLog
from pvtpp.errors import InputError

GYRO_NS = round(GyroConfig.reach_s * 1e9)
"""A sample of so long before an image may still say how the camera turned then."""
GYRO_MEMORY_NS = round(GyroConfig.memory_s * 1e9)
"""So far back an answer may ask how the camera turned."""
CAPTURED = {"frame": (3, 0), "gyro": (2, GYRO_NS)}
"""Rows that matter to a target that is given later: the column of their time of capture, and how much earlier than the
target's image they may be, nanoseconds."""


def of_target(log: EventLog, number: int) -> EventLog:
    """Cut out one target, from the frame on which it was given to the next target. The part replays to the bit.

    Parameters
    ----------
    log
        The whole log.
    number
        Of the target, from 1.

    Raises
    ------
    InputError
        For a target that is not there.
    """
    starts = [at for at, row in enumerate(log.rows) if row[0] == "init"]
    if not 1 <= number <= len(starts):
        raise InputError(f"target {number} is not in the log, it has {len(starts)}")
    first = starts[number - 1]
    after = starts[number] if number < len(starts) else len(log.rows)
    capture_ns = log.rows[first][3]
    before: List[list] = []
    for row in log.rows[:first]:
        column, early_ns = CAPTURED.get(row[0], (0, 0))
        if column and row[column] >= capture_ns - early_ns:
            before.append(row)
    return EventLog({**log.meta, "part": True, "cut": {"target": number}}, [*before, *log.rows[first:after]])


def of_time(log: EventLog, from_s: float, to_s: float) -> EventLog:
    """Cut out the events of a time.

    The part begins with what was known then, as events of that moment: the target, its newest trajectories and
    presence, how the camera turned. So everything that was known at its frames is in it; but what the stages were at is
    not, and it does not replay (`replays`).

    Parameters
    ----------
    log
        The whole log.
    from_s, to_s
        Seconds since its first event; `to_s` is not included.

    Raises
    ------
    InputError
        For times that are none, or at which nothing happened.
    """
    if not (math.isfinite(from_s) and from_s < to_s):
        raise InputError(f"a part from {from_s:g} s to {to_s:g} s: the first must be a number below the second")
    start = log.rows[0][1] if log.rows else 0
    rows = [row for row in log.rows if from_s <= (row[1] - start) * 1e-9 < to_s]
    if not rows:
        last = (log.rows[-1][1] - start) * 1e-9 if log.rows else 0.0
        raise InputError(f"no event from {from_s:g} s to {to_s:g} s, the log is {last:.3f} s long")
    known = _known([row for row in log.rows if (row[1] - start) * 1e-9 < from_s], rows[0][1])
    cut = {"from_s": from_s, "to_s": None if math.isinf(to_s) else to_s}
    return EventLog({**log.meta, "cut": cut}, [*known, *rows])


def replays(log: EventLog) -> bool:
    """Say whether a log begins where its run, or a target, began: a part from some later time does not replay."""
    cut = log.meta.get("cut")
    return not (isinstance(cut, dict) and isinstance(cut.get("from_s"), (int, float)) and cut["from_s"] > 0)


def _known(before: List[list], t_ns: int) -> List[list]:
    """What the events before a time have made known, as events at that time."""
    target: Optional[list] = None
    presence: Optional[list] = None
    trajectories: Dict[str, list] = {}
    found: List[list] = []
    for row in before:
        if row[0] == "init":
            target, presence, trajectories = row, None, {}
        elif row[0] == "reset":
            target, presence, trajectories = None, None, {}
        elif row[0] == "trajectory":
            trajectories[row[2]] = row
        elif row[0] == "presence":
            presence = row
        elif row[0] == "gyro" and row[2] >= t_ns - GYRO_MEMORY_NS:
            found.append(row)
    if target is not None:
        # Without what the stages were at.
        found += [target[:5], *trajectories.values(), *([] if presence is None else [presence])]
    return [[row[0], t_ns, *row[2:]] for row in found]
