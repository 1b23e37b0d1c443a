"""Stand-ins for trackers, propagators and predictors, some of which wait at a gate, and a clock that is set by hand."""

import threading
import time

import numpy as np

from pvtpp.core.capture_times import CaptureTimeConfig
from pvtpp.live.config import LiveConfig
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.predictors import create
from pvtpp.propagation import Carried
from pvtpp.tracker import Frame, TrackerOutput

FRAME = 10**9 // 30
BOX = np.array([100.0, 100, 20, 20])
RIGHT = np.array([10.0, 0, 0, 0])
PATIENCE_S = 60
# The clocks of most tests stand still, or go on by themselves.
ANY_TIME = CaptureTimeConfig(float("inf"), float("inf"))


class Clock:
    """Stands still unless the test moves it."""

    def __init__(self):
        self.t_ns = 0

    def __call__(self):
        return self.t_ns


class Gate:
    """Whoever comes to it waits until the test opens it."""

    def __init__(self):
        self.reached, self.open = threading.Event(), threading.Event()

    def __call__(self):
        self.reached.set()
        assert self.open.wait(PATIENCE_S), "nobody opened the gate"

    def await_somebody(self):
        assert self.reached.wait(PATIENCE_S), "nobody came to the gate"


class Quick:
    """A tracker that sees the target 10 px further right in each frame, at once, and remembers its calls."""

    def __init__(self):
        self.inits, self.tracked, self.searched = [], [], []

    def init(self, frame, box):
        self.inits.append(frame.index)
        self.first, self.box = frame.index, box

    def track(self, frame, search_box=None):
        self.tracked.append(frame.index)
        self.searched.append(None if search_box is None else search_box[0])
        return TrackerOutput(self.box + (frame.index - self.first) * RIGHT)


class Held(Quick):
    """It waits at a gate in each frame."""

    def __init__(self):
        super().__init__()
        self.gate = Gate()

    def track(self, frame, search_box=None):
        self.gate()
        return super().track(frame, search_box)


class Steady:
    """A propagator that sees everything move 10 px to the right in each frame."""

    def __init__(self):
        self.pushed = []

    def push(self, frame, region):
        self.pushed.append(frame.index)

    def carry(self, box, from_ns, to_ns):
        return Carried(np.asarray(box) + RIGHT * round((to_ns - from_ns) / FRAME), 0.9, 1)


class HeldPropagator(Steady):
    """It waits at a gate for each box."""

    def __init__(self):
        super().__init__()
        self.gate = Gate()

    def carry(self, box, from_ns, to_ns):
        self.gate()
        return super().carry(box, from_ns, to_ns)


class HeldPredictor:
    """It reads features, and waits at one gate when it encodes and at another when it predicts."""

    reads_features = True

    def __init__(self):
        self.encoder, self.predictor = Gate(), Gate()

    def encode(self, output):
        self.encoder()
        return output.features

    def predict(self, track):
        self.predictor()
        return create("hold").predict(track)


def made(tracker, names=("hold",), **options):
    predictors = names if isinstance(names, dict) else {name: create(name) for name in names}
    options.setdefault("config", LiveConfig(capture_times=ANY_TIME))
    return LiveTracker(tracker, predictors, **options)


def frame(index, image=None):
    return Frame(index, index * FRAME, image)


def until(condition, seconds=PATIENCE_S):
    """Wait until it is so; a busy machine may take long."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.001)


def box_at(live, index):
    return live.predict(index * FRAME).box[0]


def idle(live):
    """Whether no stage has anything to do."""
    with live._lock:
        return not any(live._machine._busy.values())


def evidence(live):
    return live.trajectory().evidence_ns // FRAME
