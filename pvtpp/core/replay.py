"""Drive the state machine with a recorded event log: the same trajectories to the bit, or those of other predictors."""

from __future__ import annotations

from typing import Dict, Iterable, List, Mapping, Optional, Type, TypeVar

import numpy as np

from pvtpp.camera_motion import Gyro
from pvtpp.core import commands
from pvtpp.core.commands import Command, Detect, Encode, Init, Predict, Propagate, Propagation, TrackFrame
from pvtpp.core.config import CoreConfig
from pvtpp.core.event_log import KINDS, EventLog
from pvtpp.core.state_machine import StateMachine
from pvtpp.detection import Detections
from pvtpp.errors import InputError
from pvtpp.predictors import Predictor, reads_features
from pvtpp.track import Displacement, PropagatedBox
from pvtpp.tracker import Frame, TrackerOutput

Kind = TypeVar("Kind", bound=tuple)


def replay(log: EventLog, predictors: Mapping[str, Predictor]) -> EventLog:
    """Make the trajectories anew from the recorded frames and results.

    With the search region at the last result the tracker's path does not depend on the predictor, so any predictor may
    be evaluated on an old log. With it at the predicted box, or with presence on, the leading predictor must be the
    recorded one.

    Returns
    -------
    EventLog
        The recorded events, and what `predictors` make of them.

    Raises
    ------
    InputError
        Where a replayed search box differs from the recorded one, for the tracker would have looked elsewhere; for
        predictors that read the tracker's features, which a log does not hold; for a log that does not fit together.
    """
    readers = [name for name, each in predictors.items() if reads_features(each)]
    if readers:
        raise InputError(
            f"{', '.join(readers)}: reads the tracker's features, which an event log does not hold; "
            "the tracker has to run again for it"
        )
    return _Replay(log, predictors).run()


class _Replay:
    def __init__(self, log: EventLog, predictors: Mapping[str, Predictor]):
        camera = log.meta.get("gyro")
        self.log, self.predictors = log, predictors
        gyro = Gyro.from_dict(camera) if camera else None
        # Where the recorded predictors took time to encode, others are asked to encode too: so they predict from what
        # was there afterwards.
        encode = any(row[0] == "encoded" or row[2:3] == ["Encode"] for row in log.rows)
        try:
            config = CoreConfig.from_meta(log.meta)
        except (TypeError, AttributeError) as error:
            raise InputError(f"'core' of the log does not say how the run was made ({error})") from None
        self.machine = StateMachine(predictors, config, EventLog(log.meta), gyro, encode)
        self.asked: Dict[str, Command] = {}
        # Recorded trajectories come in groups, one of each predictor that there was.
        self.group = max(len(log.predictors), 1)
        self.skip = 0
        # A log of one target of many begins where that was given, in the state that its `init` says.
        self.part = bool(log.meta.get("part"))
        if self.part:
            # Until then frames are only taken in.
            self._ask(self.machine.resume(["Propagate"], False))

    def run(self) -> EventLog:
        for row in self.log.rows:
            if row[0] not in KINDS:
                raise InputError(f"unknown event {row[0]!r} in the log")
            made: Optional[List[Command]] = getattr(self, f"_{row[0]}")(row)
            self._ask(made or ())
        return self.machine.log

    def _ask(self, todo: Iterable[Command]) -> None:
        for command in todo:
            self.asked[commands.STAGE[type(command)]] = command

    def _taken(self, kind: Type[Kind], row: list) -> Kind:
        """Return the command of this kind that the machine has asked for."""
        stage = commands.STAGE[kind]
        command = self.asked.pop(stage, None)
        if not isinstance(command, kind):
            raise InputError(f"{row[0]!r} at t_ns={row[1]}: these predictors would not have asked for it by then")
        return command

    def _frame(self, row: list) -> List[Command]:
        return self.machine.frame_arrived(row[1], Frame(row[2], row[3]))

    def _init(self, row: list) -> List[Command]:
        self.skip = self.group
        if self.part:
            self.part, self.asked = False, {}
            self._ask(self.machine.resume(*row[5:7]))
        return self.machine.init(row[1], Frame(row[2], row[3]), row[4])

    def _initialised(self, row: list) -> List[Command]:
        return self.machine.initialised(row[1], self._taken(Init, row))

    def _track(self, row: list) -> None:
        command = self.asked.get(commands.TRACKER)
        if not isinstance(command, TrackFrame) or command.frame.t_ns != row[3]:
            raise InputError(
                f"frame {row[2]}: these predictors would not have let the tracker take it at t_ns={row[1]}"
            )
        sent_to = None if command.search_box is None else command.search_box.tolist()
        if sent_to != row[4]:
            raise InputError(
                f"frame {row[2]}: the recorded tracker searched at {row[4]}, these predictors would have sent it to "
                f"{sent_to}; the tracker has to run again for them"
            )

    def _result(self, row: list) -> List[Command]:
        similarity, resembling = (*row[6:], None, None)[:2]
        output = TrackerOutput(row[4], row[5], None, similarity, resembling)
        return self.machine.tracked(row[1], self._taken(TrackFrame, row), output)

    def _propagate(self, row: list) -> None:
        command = self.asked.get(commands.PROPAGATOR)
        if not isinstance(command, Propagate):
            raise InputError(f"'propagate' at t_ns={row[1]}: the state machine would not have asked for it")

    def _propagated(self, row: list) -> List[Command]:
        boxes = tuple(PropagatedBox(each[0], np.array(each[1:5]), each[5]) for each in row[3])
        displacement = None if row[4] is None else Displacement(row[4][0], np.array(row[4][1:5]), row[4][5])
        return self.machine.propagated(row[1], self._taken(Propagate, row), Propagation(boxes, displacement))

    def _encoded(self, row: list) -> List[Command]:
        command = self._taken(Encode, row)
        return self.machine.encoded(row[1], command, commands.encode(self.predictors, command))

    def _trajectory(self, row: list) -> List[Command]:
        if self.skip:
            self.skip -= 1
            return []
        self.skip = self.group - 1
        if isinstance(self.asked.get(commands.PREDICTOR), Encode):
            # These predictors encode where the recorded ones did not: it takes no time of its own.
            self._ask(self._encoded(row))
        command = self._taken(Predict, row)
        return self.machine.predicted(row[1], command, commands.predict(self.predictors, command))

    def _detected(self, row: list) -> List[Command]:
        found = Detections(np.array(row[3]).reshape(-1, 4), np.array(row[4]))
        return self.machine.detected(row[1], self._taken(Detect, row), found)

    def _presence(self, row: list) -> None:
        """Do nothing: presence follows from the events before."""

    def _failed(self, row: list) -> List[Command]:
        kind = {each.__name__: each for each in commands.STAGE}.get(row[2])
        if kind is None:
            raise InputError(f"{row[0]!r} at t_ns={row[1]}: unknown command {row[2]!r}")
        return self.machine.failed(row[1], self._taken(kind, row))

    # A report for a target that is gone frees its stage, as a failure does.
    _done = _failed

    def _time(self, row: list) -> List[Command]:
        return self.machine.time_passed(row[1])

    def _reset(self, row: list) -> List[Command]:
        return self.machine.reset(row[1])

    def _gyro(self, row: list) -> List[Command]:
        return self.machine.gyro_sample(row[1], row[2], row[3])
