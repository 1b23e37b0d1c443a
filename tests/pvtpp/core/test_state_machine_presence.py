"""The state machine with presence: a path is followed, a search goes on beside it, and what proves right is taken."""

from dataclasses import asdict

import numpy as np
import pytest

from pvtpp.core import commands
from pvtpp.core.commands import Init, Predict, Propagate, Propagation, TrackFrame
from pvtpp.core.config import CoreConfig
from pvtpp.core.event_log import EventLog
from pvtpp.core.presence import UNCHECKED_S, Presence, PresenceConfig
from pvtpp.core.replay import replay
from pvtpp.core.state_machine import StateMachine
from pvtpp.predictors import create
from pvtpp.track import PropagatedBox
from pvtpp.tracker import Frame, TrackerOutput

FRAME = 10**9 // 30
BOX = np.array([100.0, 100, 20, 20])
CONFIG = PresenceConfig()
_, PROPAGATOR, PREDICTOR, DETECTOR = commands.STAGES


class Assessed:
    """A state machine with presence, whose stages take no time; the tracker answers what the test says."""

    def __init__(self, *names, presence=CONFIG, **config):
        self.predictors = {name: create(name) for name in names or ("hold",)}
        self.log = EventLog()
        self.machine = StateMachine(self.predictors, CoreConfig(presence=presence, **config), self.log)
        self.todo = {}
        self.frame(0)
        self.init(0)

    def asked(self, made):
        self.todo.update({commands.STAGE[type(command)]: command for command in made})

    def frame(self, index):
        self.now = index * FRAME
        self.asked(self.machine.frame_arrived(self.now, Frame(index, self.now)))
        if isinstance(self.todo.get(PROPAGATOR), Propagate):
            self.propagate()

    def init(self, index):
        self.asked(self.machine.init(self.now, Frame(index, index * FRAME), BOX))
        self.predict()
        self.asked(self.machine.initialised(self.now, self.taken(Init)))

    def taken(self, kind):
        command = self.todo.pop(commands.STAGE[kind])
        assert isinstance(command, kind)
        return command

    def predict(self):
        while PREDICTOR in self.todo:
            command = self.taken(Predict)
            self.asked(self.machine.predicted(self.now, command, commands.predict(self.predictors, command)))

    def propagate(self, *boxes):
        self.asked(self.machine.propagated(self.now, self.taken(Propagate), Propagation(boxes)))
        self.predict()

    def result(self, box, similarity):
        """Report the result of the frame that the tracker has; return where it was sent to look."""
        command = self.taken(TrackFrame)
        output = TrackerOutput(box, 1.0, similarity=similarity)
        self.asked(self.machine.tracked(self.now, command, output))
        if PROPAGATOR in self.todo:
            self.propagate()
        self.predict()
        return command.search_box

    def show(self, index, shift=0.0, similarity=1.0):
        """One frame, tracked in no time; where the tracker was sent to look."""
        self.frame(index)
        return self.result(BOX + [shift, 0, 0, 0], similarity)

    @property
    def presence(self):
        return self.machine.presence

    def trajectory(self):
        return self.machine.trajectories[self.machine.names[0]]

    def evidence(self):
        track = self.machine._target.track
        return track.evidence_ns, track.evidence()[1][-1]


def test_presence_is_assessed_where_it_is_asked_for_and_a_target_given_is_followed():
    assert Assessed(presence=None).presence is None and Assessed().presence is Presence.TRACKING
    assessed = Assessed()
    assessed.machine.reset(FRAME)
    assert assessed.presence is None and assessed.machine.trajectories == {}
    assert assessed.machine.presence_at(10**10) is None


def test_results_that_speak_against_themselves_lose_the_target_and_its_path_goes_on():
    assessed = Assessed()
    assessed.show(1, shift=2)
    for index in range(2, 12):
        assessed.show(index, shift=30, similarity=0.0)
    assert assessed.presence is Presence.LOST and assessed.machine.probability < CONFIG.lost_below
    assert assessed.trajectory() is not None


def test_a_lost_target_is_looked_for_elsewhere_while_its_path_is_followed():
    assessed = Assessed()
    looked = [assessed.show(index, shift=float(index), similarity=0.0) for index in range(1, 40)]
    places = {tuple(look[:2]) for look in looked if look is not None}
    assert looked[0] is None and len(places) > 4
    # A pass of the path after one elsewhere is sent there: the tracker's own last result is of another place.
    searched = [look for look in looked[8:] if look is None]
    assert not searched


def test_what_is_found_elsewhere_begins_a_new_track():
    assessed = Assessed("constant_velocity")
    for index in range(1, 9):
        assessed.show(index, shift=40.0, similarity=0.0)
    assert assessed.presence is Presence.LOST
    for index in range(9, 40):
        assessed.frame(index)
        elsewhere = assessed.todo[commands.TRACKER].elsewhere
        # The target is where it was; what is followed is something else.
        assessed.result(BOX if elsewhere else BOX + [40, 0, 0, 0], 1.0 if elsewhere else 0.0)
        if assessed.presence is Presence.TRACKING:
            break
    assert assessed.presence is Presence.TRACKING
    np.testing.assert_allclose(assessed.trajectory().at(index * FRAME).box, BOX, atol=1e-6)


def test_a_search_that_finds_what_is_followed_is_a_result_of_its_path():
    assessed = Assessed()
    for index in range(1, 9):
        assessed.show(index, similarity=0.0)
    results = assessed.machine._target.results
    for index in range(9, 30):
        assessed.show(index, similarity=1.0)
    assert assessed.presence is Presence.TRACKING and assessed.machine._target.results == results + 21


def test_a_tracker_that_cannot_be_sent_elsewhere_gets_every_pass_and_all_its_results_count():
    assessed = Assessed(steers=False)
    looked = [assessed.show(index, shift=float(index), similarity=0.0) for index in range(1, 30)]
    assert looked == [None] * 29 and assessed.presence is Presence.LOST
    assert assessed.machine._target.results == 30 and assessed.evidence()[1][0] == 129


def test_the_sigma_of_a_lost_target_grows_and_its_box_stays_that_of_the_path():
    def lost(**config):
        assessed = Assessed("kalman", steers=False, **config)
        for index in range(1, 30):
            assessed.show(index, shift=2.0 * index, similarity=1.0 if index < 5 else 0.0)
        return assessed.trajectory().at(30 * FRAME)

    on, off = lost(), lost(presence=None)
    assert on.box.tobytes() == off.box.tobytes() and on.sigma[0] > off.sigma[0] + 5


def test_time_alone_makes_presence_worse_at_an_event_and_for_who_asks_between():
    assessed = Assessed()
    assessed.show(1)
    uncertain, lost = (FRAME + round(s * 1e9) + 1 for s in (CONFIG.uncertain_s, CONFIG.lost_s))
    machine = assessed.machine
    assert machine.presence_at(2 * FRAME) is Presence.TRACKING
    assert machine.presence_at(uncertain) is Presence.UNCERTAIN and machine.presence_at(lost) is Presence.LOST
    assert assessed.presence is Presence.TRACKING
    machine.frame_arrived(lost, Frame(70, lost))
    assert assessed.presence is Presence.LOST
    assert [row[2] for row in assessed.log.of_kind("presence")] == ["TRACKING", "LOST"]


def test_what_propagation_alone_has_followed_for_long_is_uncertain_until_the_next_result():
    assessed = Assessed(propagation=True)
    assessed.show(1)
    machine, last = assessed.machine, 1 + int(UNCHECKED_S * 30)
    for index in range(2, last + 3):
        # The tracker hangs at frame 2.
        assessed.now = index * FRAME
        assessed.asked(machine.frame_arrived(assessed.now, Frame(index, assessed.now)))
        assessed.propagate(PropagatedBox(assessed.now, BOX, 0.9))
        assert assessed.trajectory().evidence_ns == assessed.now
        assert assessed.presence is (Presence.TRACKING if index <= last else Presence.UNCERTAIN)
    assessed.result(BOX, 1.0)
    assert assessed.presence is Presence.UNCERTAIN
    # That result is of frame 2; the next one is of the newest frame.
    assessed.result(BOX, 1.0)
    assert assessed.presence is Presence.TRACKING
    assert replay(assessed.log, {"hold": create("hold")}).rows == assessed.log.rows


def test_a_result_counts_once_the_trajectory_has_taken_it_in():
    assessed = Assessed(propagation=True)
    assessed.show(1)
    machine = assessed.machine
    silent = 30
    for index in range(silent, silent + 3):
        # The camera was silent since frame 1; the tracker is at the first frame after it.
        assessed.now = index * FRAME
        assessed.asked(machine.frame_arrived(assessed.now, Frame(index, assessed.now)))
        assessed.propagate(PropagatedBox(assessed.now, BOX + [30, 0, 0, 0], 0.9))
        assert assessed.trajectory().evidence_ns == assessed.now and assessed.presence is Presence.UNCERTAIN
    command = assessed.taken(TrackFrame)
    assessed.asked(machine.tracked(assessed.now, command, TrackerOutput(BOX, 1.0, similarity=1.0)))
    assert assessed.presence is Presence.UNCERTAIN and assessed.trajectory().at(assessed.now).box[0] == 130
    assessed.propagate()
    assert assessed.presence is Presence.TRACKING and assessed.trajectory().at(assessed.now).box[0] == 100
    assert replay(assessed.log, {"hold": create("hold")}).rows == assessed.log.rows


def test_a_new_target_after_a_loss_is_followed_at_once():
    assessed = Assessed()
    for i in range(1, 9):
        assessed.show(i, similarity=0.0)
    assert assessed.presence is Presence.LOST
    assessed.frame(9)
    assessed.result(BOX, 0.0)
    assessed.init(9)
    assert assessed.presence is Presence.TRACKING
    assert [row[2] for row in assessed.log.of_kind("presence")][-2:] == ["LOST", "TRACKING"]


def test_the_constants_are_in_the_log():
    config = CoreConfig(presence=CONFIG)
    log = Assessed().log
    assert log.meta["core"]["presence"] == asdict(CONFIG) and CoreConfig.from_meta(log.meta) == config


@pytest.mark.parametrize("propagation", [False, True])
@pytest.mark.parametrize("search_region", ["last", "predicted"])
def test_a_run_with_a_loss_a_return_and_a_reset_replays_to_the_bit(search_region, propagation):
    names = ("kalman", "hold")
    assessed = Assessed(*names, search_region=search_region, propagation=propagation)
    for i in range(1, 40):
        assessed.show(i, shift=7.0 * i if i < 20 else 20.0, similarity=0.0 if 3 < i < 20 else 1.0)
    assessed.asked(assessed.machine.reset(40 * FRAME))
    assessed.frame(41)
    assessed.init(41)
    assessed.show(42)
    log = assessed.log
    assert {row[2] for row in log.of_kind("presence")} == {"TRACKING", "UNCERTAIN", "LOST"}
    assert replay(log, {name: create(name) for name in names}).rows == log.rows
