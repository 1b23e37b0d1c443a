"""The state machine driven by hand: the test reports what each stage has done, and when."""

import numpy as np

from pvtpp.core import commands
from pvtpp.core.commands import Encode, Init, Predict, Propagate, Propagation, TrackFrame
from pvtpp.core.event_log import EventLog
from pvtpp.core.state_machine import CoreConfig, StateMachine
from pvtpp.predictors import create
from pvtpp.track import PropagatedBox
from pvtpp.tracker import Frame, TrackerOutput

FRAME = 10**9 // 30
BOX = np.array([100.0, 100, 20, 20])
RIGHT = np.array([10.0, 0, 0, 0])
TRACKER, PROPAGATOR, PREDICTOR, DETECTOR = commands.STAGES


class Reader:
    """A predictor that reads features, holds the newest box, and remembers what it was given."""

    reads_features = True

    def __init__(self):
        self.encoded, self.seen = [], []

    def encode(self, output):
        self.encoded.append(output.box[0])
        return f"encoding of {output.box[0]:g}"

    def predict(self, track):
        self.seen.append(track.encodings)
        return create("hold").predict(track)


class ByHand:
    """A state machine, the commands that it asked for and that are not reported yet (by stage), and a time."""

    def __init__(self, predictors=("hold",), log=None, gyro=None, **config):
        self.predictors = predictors if isinstance(predictors, dict) else {name: create(name) for name in predictors}
        log = EventLog() if log is None else log
        self.machine = StateMachine(self.predictors, CoreConfig(**config), log, gyro)
        self.log = log
        self.now, self.todo = 0, {}

    def asked(self, made):
        for command in made:
            stage = commands.STAGE[type(command)]
            assert stage not in self.todo, "a stage was given a second command"
            self.todo[stage] = command
        return made

    def frame(self, index, capture_ns=None):
        capture_ns = index * FRAME if capture_ns is None else capture_ns
        self.now = max(self.now, capture_ns)
        return self.asked(self.machine.frame_arrived(self.now, Frame(index, capture_ns)))

    def init(self, index, box=BOX):
        self.now = max(self.now, index * FRAME)
        return self.asked(self.machine.init(self.now, Frame(index, index * FRAME), box))

    def taken(self, kind):
        command = self.todo.pop(commands.STAGE[kind])
        assert isinstance(command, kind)
        return command

    def initialised(self):
        return self.asked(self.machine.initialised(self.now, self.taken(Init)))

    def tracked(self, box=None, score=1.0, similarity=None):
        """Report a result; by default the target moves 10 px to the right in each frame."""
        command = self.taken(TrackFrame)
        box = BOX + command.frame.index * RIGHT if box is None else box
        output = TrackerOutput(box, score, similarity=similarity)
        return self.asked(self.machine.tracked(self.now, command, output))

    def propagated(self, quality=0.9):
        command = self.taken(Propagate)
        boxes = ()
        if command.result is not None:
            result_ns, box = command.result
            moved = [(t_ns, box + (t_ns - result_ns) / FRAME * RIGHT) for t_ns in command.to]
            boxes = tuple(PropagatedBox(t_ns, to, quality) for t_ns, to in moved)
        return self.asked(self.machine.propagated(self.now, command, Propagation(boxes)))

    def encoded(self):
        command = self.taken(Encode)
        return self.asked(self.machine.encoded(self.now, command, commands.encode(self.predictors, command)))

    def predicted(self):
        command = self.taken(Predict)
        return self.asked(self.machine.predicted(self.now, command, commands.predict(self.predictors, command)))

    def failed(self, kind):
        return self.asked(self.machine.failed(self.now, self.taken(kind)))

    def settle(self):
        """Report what propagator and predictor are at, until they have nothing more to do."""
        reports = {Propagate: self.propagated, Encode: self.encoded, Predict: self.predicted}
        while PROPAGATOR in self.todo or PREDICTOR in self.todo:
            reports[type(self.todo.get(PROPAGATOR) or self.todo[PREDICTOR])]()

    def trajectory(self):
        return self.machine.trajectories[self.machine.names[0]]

    def at_work(self):
        """The frame that the tracker works on; None where it has none."""
        command = self.todo.get(TRACKER)
        return None if command is None else command.frame.index


def started(*args, **config):
    """A target at frame 0, with a tracker that has started and a first prediction."""
    hand = ByHand(*args, **config)
    hand.frame(0)
    hand.settle()
    hand.init(0)
    hand.settle()
    hand.initialised()
    return hand
