"""The state machine with presence: misses are no evidence, a lost target is searched for, and found anew."""

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
CONFIG = PresenceConfig(lost_after=2, found_after=2)
_, PROPAGATOR, PREDICTOR = commands.STAGES


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


def test_misses_are_no_evidence_and_two_of_them_lose_the_target():
    assessed = Assessed()
    assessed.show(1, shift=2)
    assessed.show(2, shift=80, similarity=0.1)
    assert assessed.presence is Presence.UNCERTAIN and assessed.evidence()[1][0] == 102
    assessed.show(3, shift=90, similarity=0.1)
    assert assessed.presence is Presence.LOST and assessed.evidence()[1][0] == 102
    assert assessed.trajectory().evidence_ns == FRAME


def test_after_a_miss_the_tracker_looks_at_the_newest_evidence_and_not_where_it_went():
    assessed = Assessed()
    assert assessed.show(1, shift=2) is None
    assert assessed.show(2, shift=80, similarity=0.1) is None
    assert assessed.show(3, shift=3)[0] == 102
    assert assessed.show(4, shift=4) is None


def test_what_was_propagated_since_the_first_miss_is_forgotten_with_the_loss():
    assessed = Assessed(propagation=True)
    assessed.show(1)
    for index in (2, 3, 4):
        # The tracker has taken frame 2, and is busy with it.
        assessed.now = index * FRAME
        assessed.asked(assessed.machine.frame_arrived(assessed.now, Frame(index, assessed.now)))
        assessed.propagate(*(PropagatedBox(i * FRAME, BOX + [i, 0, 0, 0], 0.9) for i in range(2, index + 1)))
    assessed.asked(
        assessed.machine.tracked(assessed.now, assessed.taken(TrackFrame), TrackerOutput(BOX, similarity=0.1))
    )
    kept = [PropagatedBox(i * FRAME, BOX + [i, 0, 0, 0], 0.9) for i in (2, 3, 4)]
    assessed.propagate(*kept)
    assert assessed.presence is Presence.UNCERTAIN and assessed.evidence()[1][0] == 104
    assessed.now = 5 * FRAME
    assessed.asked(assessed.machine.tracked(assessed.now, assessed.taken(TrackFrame), TrackerOutput(BOX, similarity=0)))
    # The first miss was that of frame 2.
    assert assessed.evidence()[1][0] == 100
    # While it is lost, propagation is no evidence.
    assessed.propagate(PropagatedBox(4 * FRAME, BOX + [40, 0, 0, 0], 0.9))
    assert assessed.presence is Presence.LOST
    assert assessed.evidence()[1][0] == 100 and assessed.trajectory().evidence_ns == FRAME


def test_a_lost_target_is_looked_for_elsewhere_and_found_by_two_good_results():
    assessed = Assessed()
    assert assessed.show(1) is None
    looked = [assessed.show(i, similarity=0.1) for i in range(2, 32)]
    assert looked[0] is None and looked[1].tolist() == BOX.tolist()
    places = {tuple(look[:2]) for look in looked[2:]}
    assert len(places) > 4 and all(look[2:].tolist() == [20, 20] for look in looked[1:])
    assessed.show(32, shift=30)
    assert assessed.presence is Presence.LOST
    assert assessed.show(33, shift=31)[0] == 130
    assert assessed.presence is Presence.TRACKING
    assert assessed.evidence()[0] == 33 * FRAME and assessed.evidence()[1][0] == 131
    assert assessed.show(34, shift=32) is None


def test_a_doubtful_result_is_followed_as_long_as_its_similarity_grows():
    assessed = Assessed()
    for i, similarity in enumerate([1, 0, 0], 1):
        assessed.show(i, similarity=float(similarity))
    assessed.show(4, shift=50, similarity=0.55)
    assert assessed.show(5, shift=55, similarity=0.65)[0] == 150
    assert assessed.show(6, shift=56, similarity=0.6)[0] == 155
    assert assessed.show(7, similarity=0.1)[0] not in (150, 155, 156)
    assert assessed.presence is Presence.LOST


def test_should_the_loss_be_a_mistake_the_tracker_goes_on_by_itself_every_now_and_then():
    assessed = Assessed()
    assessed.show(1)
    looked = [assessed.show(i, shift=10.0 * i, similarity=0.1) for i in range(2, 12)]
    # The first look after the loss is at the second miss; the answer to a look on the own path is where the next goes.
    assert looked[2][0] == 130 and looked[6][0] == 140


def test_a_lost_target_is_looked_for_in_the_size_that_it_had_in_the_last_good_result():
    assessed = Assessed()
    for i, (size, similarity) in enumerate(((24.0, 1.0), (12.0, 0.6), (9.0, 0.1), (9.0, 0.1)), 1):
        assessed.frame(i)
        assessed.result([100, 100, size, size], similarity)
    looked = []
    for i in (5, 6, 7):
        assessed.frame(i)
        looked.append(assessed.result([100, 100, 9, 9], 0.1)[2:].tolist())
    assert looked == [[9, 9], [24, 24], [24, 24]]


def test_where_it_is_found_its_track_begins_anew():
    assessed = Assessed("constant_velocity")
    for i, similarity in enumerate([1, 1, 0, 0, 0, 1, 1], 1):
        assessed.show(i, shift=300.0 + i if i > 3 else 0.0, similarity=float(similarity))
    np.testing.assert_allclose(assessed.trajectory().at(8 * FRAME).box, BOX + [308, 0, 0, 0], atol=1e-6)


def test_a_lost_target_coasts_to_rest_while_its_sigma_grows():
    assessed = Assessed("constant_velocity")
    for i in range(1, 6):
        assessed.show(i, shift=5.0 * i)
    going = assessed.trajectory().at(60 * FRAME)
    for i in (6, 7):
        assessed.show(i, similarity=0.0)
    coasted = assessed.trajectory()
    soon, late = coasted.at(8 * FRAME), coasted.at(600 * FRAME)
    assert coasted.at(60 * FRAME).box[0] < going.box[0] - 100
    assert abs(late.velocity[0]) < 1e-3 and late.sigma[0] > soon.sigma[0] > 0


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


def test_a_new_target_after_a_loss_is_followed_at_once():
    assessed = Assessed()
    for i in (1, 2, 3):
        assessed.show(i, similarity=0.0)
    assert assessed.presence is Presence.LOST
    assessed.frame(4)
    assessed.result(BOX, 0.0)
    assessed.init(4)
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
    for i, similarity in enumerate([1, 1, 0.6, 0, 0, 0, 0, 0, 1, 1, 1], 1):
        assessed.show(i, shift=7.0 * i, similarity=float(similarity))
    assessed.asked(assessed.machine.reset(12 * FRAME))
    assessed.frame(13)
    assessed.init(13)
    assessed.show(14)
    log = assessed.log
    assert {row[2] for row in log.of_kind("presence")} == {"TRACKING", "UNCERTAIN", "LOST"}
    assert replay(log, {name: create(name) for name in names}).rows == log.rows
