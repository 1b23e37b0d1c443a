"""Whatever comes in whatever order: the rules of the schedule hold, and the log replays to the bit.

A driver takes its actions from a list that hypothesis makes: frames arrive, the commands of each stage are reported or
fail, targets are given and taken away, on new frames and on past ones, and time passes.
"""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pvtpp.camera_motion import Gyro
from pvtpp.core import commands
from pvtpp.core.commands import Detect, Encode, Init, Predict, Propagate, TrackFrame
from pvtpp.core.config import CoreConfig
from pvtpp.core.event_log import EventLog
from pvtpp.core.presence import PresenceConfig
from pvtpp.core.replay import replay
from pvtpp.core.state_machine import StateMachine
from pvtpp.detection import Detections
from pvtpp.predictors import create
from pvtpp.propagation import Carried
from pvtpp.tracker import Frame, TrackerOutput

MS = 10**6
BOX = np.array([100.0, 100, 20, 20])


class Drifting:
    """A propagator that sees everything move a little, worse the further."""

    def push(self, frame, region):
        pass

    def carry(self, box, from_ns, to_ns):
        seconds = (to_ns - from_ns) * 1e-9
        return Carried(np.asarray(box) + [90 * seconds, 10 * seconds, 0, 0], max(1 - seconds, 0.0), 1)


class Silent:
    """A predictor that does not say whether it reads features, so it is asked to encode."""

    def encode(self, output):
        return output.score

    def predict(self, track):
        return create("hold").predict(track)


class RandomDriver:
    """Executes commands when and as the actions say, and checks each command against the rules."""

    def __init__(self, config, names, gyro):
        self.predictors = {name: Silent() if name == "silent" else create(name) for name in names}
        self.machine = StateMachine(self.predictors, config, EventLog(), gyro)
        self.config, self.has_gyro = config, gyro is not None
        self.propagator, self.now, self.pending = Drifting(), 0, {}
        self.frames, self.taken_ns, self.measured_ns = [], {}, -1
        # With the schedule `paper`: the newest frame when the tracker was done.
        self.newest_when_done = None

    def act(self, action, passed, number):
        self.now += passed
        made = getattr(self, action)(number)
        for command in made or ():
            self.check(command)
            self.pending[commands.STAGE[type(command)]] = command

    def check(self, command):
        stage = commands.STAGE[type(command)]
        assert stage not in self.pending, f"the {stage} was given a second command"
        if isinstance(command, TrackFrame):
            captured, newest = command.frame.t_ns, self.frames[-1].t_ns
            assert captured <= self.now
            if self.config.schedule == "paper":
                assert captured in (newest, self.newest_when_done)
            else:
                assert captured == newest
            assert captured > self.taken_ns[command.target]
            self.taken_ns[command.target] = captured
        if isinstance(command, Propagate):
            assert self.config.propagation
            if command.frame is not None:
                assert command.frame is self.frames[-1]
            assert all(command.result[0] < t_ns <= self.frames[-1].t_ns for t_ns in command.to)
        if isinstance(command, Detect):
            assert self.config.detects and command.frame is self.frames[-1]
        if isinstance(command, Predict):
            assert all(track.evidence_ns <= self.now for track in command.tracks.values())

    # Actions

    def frame(self, number):
        # Frames take up to 9 ms from capture to arrival, and arrive in order.
        captured = max(self.now - number % 10 * MS, self.frames[-1].t_ns + 1 if self.frames else 0)
        if captured <= self.now:
            self.frames.append(Frame(len(self.frames) % 7, captured))
            return self.machine.frame_arrived(self.now, self.frames[-1])

    def init(self, number):
        if self.frames:
            frame = self.frames[-1 - number % min(len(self.frames), 4)]
            self.taken_ns[self.machine.target + 1] = frame.t_ns
            self.newest_when_done = None
            return self.machine.init(self.now, frame, BOX + [number, 0, 0, 0])

    def reset(self, number):
        return self.machine.reset(self.now) if self.machine.active else None

    def time(self, number):
        deadline = self.machine.deadline_ns
        if deadline is not None:
            self.now = max(self.now, deadline)
            return self.machine.time_passed(self.now)

    def gyro(self, number):
        if self.has_gyro and self.now > self.measured_ns:
            self.measured_ns = self.now
            return self.machine.gyro_sample(self.now, self.now, [0.01 * (number % 5), -0.3, 0.1])

    def tracker(self, number):
        command = self.pending.pop(commands.TRACKER, None)
        if isinstance(command, Init):
            return self.machine.initialised(self.now, command)
        if command is not None:
            self.newest_when_done = self.frames[-1].t_ns
            similarity = [None, 1.0, 0.9, 0.6, 0.1, 0.0][number % 6]
            where = BOX if command.search_box is None else command.search_box
            output = TrackerOutput(where + [number % 9 - 4, 1, 0, 0], [1.0, 0.9, 0.2][number % 3], None, similarity)
            return self.machine.tracked(self.now, command, output)

    def propagation(self, number):
        command = self.pending.pop(commands.PROPAGATOR, None)
        if command is not None:
            return self.machine.propagated(self.now, command, commands.propagate(self.propagator, command))

    def predictor(self, number):
        command = self.pending.pop(commands.PREDICTOR, None)
        if isinstance(command, Encode):
            return self.machine.encoded(self.now, command, commands.encode(self.predictors, command))
        if command is not None:
            return self.machine.predicted(self.now, command, commands.predict(self.predictors, command))

    def detector(self, number):
        command = self.pending.pop(commands.DETECTOR, None)
        if command is not None:
            boxes = np.array([BOX + [10 * each, number, 0, 0] for each in range(number % 3)]).reshape(-1, 4)
            return self.machine.detected(self.now, command, Detections(boxes, np.linspace(1, 0.5, len(boxes))))

    def failure(self, number):
        stage = commands.STAGES[number % len(commands.STAGES)]
        command = self.pending.pop(stage, None)
        return None if command is None else self.machine.failed(self.now, command)


# Those that move things on come more often.
STEPS = ["frame", "tracker", "propagation", "predictor", "detector"]
ACTIONS = STEPS * 12 + ["init", "reset", "time", "gyro", "failure"]
runs = st.lists(
    st.tuples(st.sampled_from(ACTIONS), st.integers(0, 120 * MS), st.integers(0, 59)), min_size=10, max_size=150
)
monitored = st.sampled_from([{}, {"presence": PresenceConfig()}, {"presence": PresenceConfig(), "detects": True}])
configs = st.builds(
    lambda monitor, **given: CoreConfig(**given, **monitor),
    monitored,
    search_region=st.sampled_from(["last", "predicted"]),
    propagation=st.booleans(),
    one_core=st.booleans(),
)
papers = st.builds(
    CoreConfig,
    search_region=st.sampled_from(["last", "predicted"]),
    presence=st.sampled_from([None, PresenceConfig()]),
    schedule=st.just("paper"),
)
some_names = st.sampled_from([("hold",), ("constant_velocity", "hold"), ("kalman", "silent"), ("silent",)])


@settings(max_examples=300)
@given(st.one_of(configs, papers), some_names, st.booleans(), runs)
def test_in_any_order_of_events_the_rules_hold_and_the_log_replays_to_the_bit(config, names, with_gyro, actions):
    camera = [[500.0, 0, 320], [0, 500, 240], [0, 0, 1]]
    driver = RandomDriver(config, names, Gyro(camera) if with_gyro else None)
    for action in [("frame", 0, 0), ("init", 0, 0), *actions]:
        driver.act(*action)
    log = driver.machine.log
    times = [row[1] for row in log.rows]
    assert times == sorted(times)
    assert driver.machine.active == bool(driver.machine.trajectories)
    counts = driver.machine.counts
    assert counts["frames"] == len(driver.frames)
    assert counts["tracker_dropped"] + len(log.of_kind("track")) <= len(driver.frames) + driver.machine.target
    again = replay(log, driver.predictors)
    assert again.rows == log.rows and again.meta == log.meta


@settings(max_examples=50)
@given(configs, runs)
def test_whatever_has_happened_once_all_is_reported_the_newest_frame_is_evidence(config, actions):
    driver = RandomDriver(config, ("hold",), None)
    for action in [("frame", 0, 0), *actions, ("frame", 10 * MS, 0), ("init", 0, 0), ("frame", 10 * MS, 0)]:
        driver.act(*action)
    for _ in range(12):
        for action in ("tracker", "propagation", "predictor"):
            # Results with a similarity of 1.
            driver.act(action, 0, 1)
    assert driver.pending == {}
    assert driver.machine.trajectories["hold"].evidence_ns == driver.frames[-1].t_ns
