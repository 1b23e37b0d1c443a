"""What a log says was known at each frame: where each predictor had the target, and what was known of its presence."""

from __future__ import annotations

from typing import Dict, Iterator, List, NamedTuple, Optional, Set

import numpy as np

from pvtpp.camera_motion import Gyro
from pvtpp.core.event_log import EventLog
from pvtpp.stabilised import answer
from pvtpp.trajectory import Prediction, Trajectory


class Moment(NamedTuple):
    """A frame, and what was known when it was delivered.

    Attributes
    ----------
    frame, t_ns, arrived_ns
        Its number, its capture time and when it was delivered, nanoseconds.
    target
        Number of the target, 0 without one.
    presence, probability
        What was known of its presence; None where that is not assessed.
    predictions
        Where each predictor has the target at `t_ns`; empty without one.
    """

    frame: int
    t_ns: int
    arrived_ns: int
    target: int
    presence: Optional[str]
    probability: Optional[float]
    predictions: Dict[str, Prediction]


def moments(log: EventLog) -> Iterator[Moment]:
    """Iterate over the frames of a log, in order.

    At a frame on which a target is given, that target is known.

    Parameters
    ----------
    log
        The log of a run, or a part of one.
    """
    camera = log.meta.get("gyro")
    gyro = Gyro.from_dict(camera) if camera else None
    trajectories: Dict[str, Trajectory] = {}
    target, active = 0, False
    presence: Optional[str] = None
    probability: Optional[float] = None
    # The frame on which a target is about to be given, and whether it was.
    waiting: Optional[list] = None
    given = False
    begins = _begins(log.rows)

    def seen(row: list) -> Moment:
        known = trajectories if active else {}
        made = {name: each.at(row[3]) if gyro is None else answer(each, row[3], gyro) for name, each in known.items()}
        state = (presence, probability) if active else (None, None)
        return Moment(row[2], row[3], row[1], target if active else 0, *state, made)

    for number, row in enumerate(log.rows):
        kind = row[0]
        if waiting is not None and given and kind not in ("trajectory", "presence"):
            yield seen(waiting)
            waiting = None
        if kind == "frame" and number in begins:
            waiting, given = row, False
        elif kind == "frame":
            yield seen(row)
        elif kind == "init":
            target, active, trajectories, presence, probability = target + 1, True, {}, None, None
            given = True
        elif kind == "reset":
            active = False
        elif kind == "trajectory" and active:
            trajectories = {**trajectories, row[2]: Trajectory.from_row(row[3:])}
        elif kind == "presence":
            presence, probability = row[2], row[3] if len(row) > 3 else None
        elif kind == "gyro" and gyro is not None:
            gyro.add(row[2], np.asarray(row[3]))
    if waiting is not None:
        yield seen(waiting)


def _begins(rows: List[list]) -> Set[int]:
    """The rows of frames on which a target was given before the next frame came."""
    found: Set[int] = set()
    last: Optional[int] = None
    for number, row in enumerate(rows):
        if row[0] == "frame":
            last = number
        elif row[0] == "init" and last is not None and rows[last][3] == row[3]:
            found.add(last)
    return found
