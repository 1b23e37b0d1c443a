"""The state machine, driven by hand: what each stage is asked to do, and when."""

import numpy as np
import pytest

from pvtpp.camera_motion import Gyro
from pvtpp.core import commands
from pvtpp.core.commands import Encode, Init, Predict, Propagate, Propagation, TrackFrame
from pvtpp.core.event_log import EventLog, Unlogged
from pvtpp.core.replay import replay
from pvtpp.core.state_machine import FRAMES, LEAST_QUALITY, UNENCODED_KEPT, CoreConfig, StateMachine
from pvtpp.errors import InputError
from pvtpp.predictors import create
from pvtpp.track import PropagatedBox
from pvtpp.tracker import Frame, TrackerOutput

FRAME = 10**9 // 30
BOX = np.array([100.0, 100, 20, 20])
RIGHT = np.array([10.0, 0, 0, 0])
TRACKER, PROPAGATOR, PREDICTOR = commands.STAGES


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


# Targets


def test_from_the_first_box_on_there_is_an_answer():
    hand = ByHand()
    hand.frame(0)
    hand.init(0)
    assert hand.trajectory().at(5 * FRAME).box.tolist() == BOX.tolist()


def test_a_result_counts_from_its_prediction_on():
    hand = started()
    hand.frame(1)
    hand.tracked(BOX + [30, 0, 0, 0])
    assert hand.trajectory().evidence_ns == 0
    hand.predicted()
    assert hand.trajectory().at(3 * FRAME).box[0] == 130 and hand.trajectory().evidence_ns == FRAME


def test_a_new_target_forgets_the_old_one():
    hand = started(["constant_velocity"])
    for index in (1, 2):
        hand.frame(index)
        hand.tracked()
        hand.settle()
    hand.frame(3)
    hand.init(3, BOX + [0, 200, 0, 0])
    assert hand.trajectory().at(9 * FRAME).box.tolist() == [100, 300, 20, 20] and hand.machine.target == 2
    hand.settle()
    assert hand.trajectory().at(9 * FRAME).box.tolist() == [100, 300, 20, 20]


def test_the_tracker_starts_on_a_new_target_before_it_takes_a_frame():
    hand = ByHand()
    hand.frame(0)
    asked = hand.init(0)
    assert [type(each) for each in asked] == [Predict, Init]
    assert asked[1].box.tolist() == BOX.tolist() and asked[1].frame.index == 0
    hand.frame(1)
    hand.settle()
    assert hand.todo[TRACKER] is asked[1]
    assert [type(each) for each in hand.initialised()] == [TrackFrame] and hand.at_work() == 1


def test_of_targets_given_while_the_tracker_is_busy_it_starts_on_the_last():
    hand = started()
    hand.frame(1)
    for target in (2, 3, 4):
        hand.init(1, BOX + [0, target, 0, 0])
    assert hand.at_work() == 1
    (asked,) = hand.tracked()
    assert isinstance(asked, Init) and asked.target == 4 and asked.box[1] == 104


def test_after_a_reset_there_is_no_target_until_the_next_one():
    hand = started()
    hand.frame(1)
    hand.asked(hand.machine.reset(hand.now))
    assert not hand.machine.active and hand.machine.trajectories == {} and hand.machine.presence is None
    assert hand.tracked() == [] and hand.frame(2) == [] and hand.machine.trajectories == {}
    assert [type(each) for each in hand.init(2)] == [Predict, Init] and hand.machine.active


def test_a_reset_before_the_tracker_has_started_takes_the_start_back():
    hand = started()
    hand.frame(1)
    hand.init(1)
    hand.asked(hand.machine.reset(hand.now))
    assert hand.tracked() == [] and TRACKER not in hand.todo


# The newest frame


def test_a_tracker_that_is_free_waits_for_the_next_frame_and_gets_it_at_once():
    hand = started()
    assert TRACKER not in hand.todo
    for index in range(1, 5):
        hand.frame(index)
        assert hand.at_work() == index
        hand.tracked()
        hand.settle()
        assert TRACKER not in hand.todo
    assert hand.machine.counts["tracker_dropped"] == 0


@pytest.mark.parametrize("propagation", [False, True])
def test_a_busy_tracker_gets_the_newest_frame_next_and_the_others_are_counted(propagation):
    hand = started(propagation=propagation)
    for index in range(1, 6):
        hand.frame(index)
        hand.settle()
    hand.tracked()
    hand.settle()
    assert hand.at_work() == 5
    assert hand.machine.counts["tracker_dropped"] == 3 and hand.machine.counts["frames"] == 6
    assert not any(isinstance(each, TrackFrame) for each in hand.frame(6))
    hand.settle()
    hand.tracked()
    hand.settle()
    assert hand.at_work() == 6 and hand.machine.counts["tracker_dropped"] == 3


def test_frames_without_a_target_are_not_counted_as_dropped():
    hand = ByHand()
    for index in range(5):
        hand.frame(index)
    assert hand.machine.counts["tracker_dropped"] == 0 and hand.machine.counts["frames"] == 5


def test_a_busy_propagator_gets_the_newest_frame_next_and_the_others_are_counted():
    hand = ByHand(propagation=True)
    for index in range(5):
        hand.frame(index)
    assert hand.todo[PROPAGATOR].frame.index == 0 and hand.todo[PROPAGATOR].target == 0
    (asked,) = hand.propagated()
    assert asked.frame.index == 4 and asked.result is None
    assert hand.machine.counts["propagator_dropped"] == 3
    assert hand.propagated() == []


def test_a_predictor_that_is_busy_predicts_next_from_all_that_has_come_meanwhile():
    hand = started(propagation=True)
    hand.frame(1)
    hand.propagated()
    held = hand.todo[PREDICTOR]
    for index in (2, 3, 4):
        hand.frame(index)
        hand.propagated()
    assert hand.todo[PREDICTOR] is held
    hand.predicted()
    assert hand.todo[PREDICTOR].tracks["hold"].evidence_ns == 4 * FRAME
    hand.predicted()
    assert PREDICTOR not in hand.todo and hand.trajectory().evidence_ns == 4 * FRAME


# What the tracker waits for


@pytest.mark.parametrize(
    ("config", "waits"),
    [
        ({}, True),
        ({"search_region": "predicted"}, True),
        ({"propagation": True}, False),
        ({"propagation": True, "search_region": "predicted"}, True),
        ({"propagation": True, "one_core": True}, True),
    ],
)
def test_the_tracker_waits_for_the_trajectory_of_its_last_result_where_it_decides_or_shares_a_core(config, waits):
    hand = started(**config)
    hand.frame(1)
    hand.settle()
    hand.frame(2)
    hand.settle()
    hand.tracked()
    if not waits:
        assert hand.at_work() == 2
        return
    assert TRACKER not in hand.todo
    if hand.machine.config.propagation:
        hand.propagated()
        assert TRACKER not in hand.todo
    hand.predicted()
    assert hand.at_work() == 2


def test_a_prediction_from_the_result_before_does_not_end_the_wait():
    hand = started(propagation=True, search_region="predicted")
    hand.frame(1)
    hand.propagated()
    held = hand.todo[PREDICTOR]
    assert hand.at_work() == 1
    hand.tracked()
    hand.frame(2)
    hand.propagated()
    assert hand.todo[PREDICTOR] is held
    hand.predicted()
    assert TRACKER not in hand.todo
    hand.predicted()
    assert hand.at_work() == 2 and hand.todo[TRACKER].search_box[0] == 110


def test_a_tracker_that_has_waited_long_enough_goes_on():
    hand = started(wait_s=0.2)
    hand.frame(1)
    hand.now = 5 * FRAME
    hand.tracked()
    hand.frame(6)
    deadline = hand.machine.deadline_ns
    assert deadline == 5 * FRAME + 200_000_000 and TRACKER not in hand.todo
    assert hand.machine.time_passed(deadline - 1) == []
    hand.now = deadline
    assert [type(each) for each in hand.asked(hand.machine.time_passed(deadline))] == [TrackFrame]
    assert hand.at_work() == 6 and hand.machine.deadline_ns is None
    assert hand.log.rows[-2] == ["time", deadline]
    # The prediction that is late counts all the same.
    hand.predicted()
    assert hand.trajectory().evidence_ns == FRAME


def test_a_tracker_that_went_on_without_propagation_gets_its_result_propagated_later():
    hand = started(propagation=True, search_region="predicted")
    hand.frame(1)
    hand.settle()
    hand.frame(2)
    hand.tracked()
    assert hand.at_work() is None and hand.todo[PROPAGATOR].result_number == 1
    hand.now = hand.machine.deadline_ns
    hand.asked(hand.machine.time_passed(hand.now))
    assert hand.at_work() == 2
    hand.failed(Propagate)
    assert hand.todo[PROPAGATOR].result_number == 2 and hand.todo[PROPAGATOR].result[0] == FRAME


def test_no_time_passes_where_nobody_waits():
    hand = started()
    assert hand.machine.deadline_ns is None and hand.machine.time_passed(10**12) == []
    assert ByHand().machine.deadline_ns is None and ByHand().machine.time_passed(10**12) == []
    assert hand.frame(1) and hand.log.of_kind("time") == []


# Where the tracker looks


def test_the_search_region_is_its_own_last_result_or_the_leading_predictors_box():
    hand = started()
    assert hand.frame(1)[0].search_box is None
    hand = started(["constant_velocity", "hold"], search_region="predicted")
    hand.frame(1)
    hand.tracked()
    hand.settle()
    hand.frame(3)
    np.testing.assert_allclose(hand.todo[TRACKER].search_box, BOX + 3 * RIGHT, atol=1e-5)


def test_the_log_says_where_the_tracker_looks_so_that_it_replays():
    hand = started(["constant_velocity"], search_region="predicted")
    for index in (1, 2, 4):
        hand.frame(index)
        assert hand.log.of_kind("track")[-1][4] == hand.todo[TRACKER].search_box.tolist()
        hand.tracked()
        hand.settle()
    assert replay(hand.log, {"constant_velocity": create("constant_velocity")}).rows == hand.log.rows


@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize("search_region", ["last", "predicted"])
def test_a_target_given_on_a_past_frame_is_propagated_to_the_newest_where_the_tracker_goes_on(search_region, busy):
    hand = ByHand(propagation=True, search_region=search_region)
    for index in range(8):
        hand.frame(index)
        if not busy or index < 7:
            hand.settle()
    # While the propagator is busy with frame 7, nothing newer than it has been pushed.
    given = 7 if busy else 5
    if busy:
        hand.frame(8)
    hand.init(given)
    hand.predicted()
    hand.initialised()
    assert TRACKER not in hand.todo
    if busy:
        hand.propagated()
    assert hand.todo[PROPAGATOR].to == tuple(index * FRAME for index in ((8,) if busy else (6, 7)))
    hand.propagated()
    assert TRACKER not in hand.todo
    hand.predicted()
    newest = 8 if busy else 7
    assert hand.at_work() == newest and hand.todo[TRACKER].search_box[0] == 100 + 10 * (newest - given)
    # From there it goes on by itself.
    hand.tracked()
    hand.settle()
    hand.frame(newest + 1)
    assert hand.at_work() == newest + 1
    assert (hand.todo[TRACKER].search_box is None) == (search_region == "last")


def test_without_propagation_a_target_given_on_a_past_frame_is_looked_for_where_it_was_given():
    hand = ByHand()
    for index in range(4):
        hand.frame(index)
    hand.init(1)
    hand.settle()
    hand.initialised()
    assert hand.at_work() == 3 and hand.todo[TRACKER].search_box.tolist() == BOX.tolist()


# Propagation


def test_each_new_frame_is_measured_where_the_target_is_in_the_one_before():
    hand = started(propagation=True)
    regions = []
    for index in range(1, 4):
        hand.frame(index)
        regions.append(hand.todo[PROPAGATOR].region[0])
        hand.settle()
    assert regions == [100, 110, 120]


def test_the_first_frame_has_none_before_it_that_could_be_measured():
    hand = ByHand(propagation=True)
    hand.init(0)
    hand.frame(0)
    assert hand.todo[PROPAGATOR].region is None and hand.todo[PROPAGATOR].result is not None


def test_a_result_is_propagated_to_the_newest_frames_and_what_was_found_before_is_handed_along():
    hand = started(propagation=True)
    for index in range(1, 8):
        hand.frame(index)
        asked = hand.todo[PROPAGATOR]
        hand.settle()
    assert asked.to == tuple(index * FRAME for index in range(8 - FRAMES, 8))
    assert [each.t_ns for each in asked.kept] == [index * FRAME for index in range(7 - FRAMES, 7)]
    assert asked.result[0] == 0 and asked.previous is None


def test_a_late_result_is_propagated_to_the_newest_frames_and_becomes_the_start():
    hand = started(propagation=True)
    for index in range(1, 6):
        hand.frame(index)
        hand.settle()
    hand.tracked(BOX + [13, 0, 0, 0])
    asked = hand.todo[PROPAGATOR]
    assert asked.frame is None and asked.result[0] == FRAME and asked.kept == ()
    assert asked.previous[0] == 0 and asked.previous[1].tolist() == BOX.tolist()
    assert asked.to == (3 * FRAME, 4 * FRAME, 5 * FRAME)
    hand.settle()
    assert hand.trajectory().at(5 * FRAME).box[0] == 153


def test_what_was_propagated_from_an_older_result_changes_nothing():
    hand = started(propagation=True)
    hand.frame(1)
    hand.settle()
    hand.frame(2)
    hand.tracked(BOX + [77, 0, 0, 0])
    assert hand.todo[PROPAGATOR].result[0] == 0
    hand.propagated()
    assert PREDICTOR not in hand.todo and hand.todo[PROPAGATOR].result[0] == FRAME
    hand.settle()
    assert hand.trajectory().at(2 * FRAME).box[0] == 187


def test_boxes_that_the_images_do_not_support_are_left_out():
    hand = started(propagation=True)
    hand.frame(1)
    hand.propagated(LEAST_QUALITY / 2)
    hand.settle()
    assert hand.trajectory().evidence_ns == 0
    hand.frame(2)
    hand.propagated(LEAST_QUALITY)
    hand.settle()
    assert hand.trajectory().evidence_ns == 2 * FRAME


# Features


def test_each_result_is_encoded_once_and_for_those_alone_that_read_features():
    reader = Reader()
    hand = started({"reader": reader, "hold": create("hold")})
    asked = []
    for index in (1, 2, 3):
        hand.frame(index)
        asked += hand.tracked()
        hand.encoded()
        hand.predicted()
    assert [type(each) for each in asked] == [Encode] * 3
    assert reader.encoded == [100, 110, 120, 130]
    assert reader.seen[-1] == tuple(f"encoding of {x}" for x in (100, 110, 120, 130))
    # The tracks differ in their encodings alone.
    hand.frame(4)
    hand.tracked()
    hand.encoded()
    tracks = hand.todo[PREDICTOR].tracks
    assert tracks["hold"].encodings == (None,) * 5 and tracks["reader"].t_ns == tracks["hold"].t_ns


def test_predictors_that_read_no_features_are_not_asked_to_encode_and_those_that_do_not_say_are():
    class Silent:
        def encode(self, output):
            return 7

        def predict(self, track):
            assert track.encodings == (7,) * len(track)
            return create("hold").predict(track)

    hand = started()
    hand.frame(1)
    assert [type(each) for each in hand.tracked()] == [Predict] and hand.log.of_kind("encoded") == []
    hand = started({"silent": Silent(), "hold": create("hold")})
    hand.frame(1)
    assert [type(each) for each in hand.tracked()] == [Encode]
    hand.settle()


def test_of_results_that_wait_for_a_slow_predictor_the_newest_are_encoded():
    reader = Reader()
    hand = started({"reader": reader}, propagation=True)
    hand.frame(1)
    hand.propagated()
    assert isinstance(hand.todo[PREDICTOR], Predict)
    for index in range(2, UNENCODED_KEPT + 6):
        hand.tracked()
        hand.frame(index)
    hand.predicted()
    outputs = hand.todo[PREDICTOR].outputs
    assert [t_ns // FRAME for t_ns, _ in outputs] == list(range(UNENCODED_KEPT + 5))[-UNENCODED_KEPT:]
    hand.settle()
    assert len(reader.encoded) == 1 + UNENCODED_KEPT
    assert reader.seen[-1][-1] is not None and reader.seen[-1][1] is None


def test_encodings_are_forgotten_with_their_results():
    hand = started({"reader": Reader()})
    for index in range(1, 40):
        hand.frame(index)
        hand.tracked()
        hand.settle()
    kept = hand.machine._target.encodings["reader"]
    assert sorted(kept) == list(hand.machine._target.track.t_ns) and len(kept) == 24


# The published schedule


def test_the_published_schedule_takes_the_frame_before_it_predicts():
    hand = started(schedule="paper")
    hand.frame(1)
    hand.frame(2)
    hand.tracked()
    hand.frame(3)
    assert TRACKER not in hand.todo
    hand.predicted()
    assert hand.at_work() == 2
    # Frame 2 was taken, so only frame 3 waits, and frame 4 replaces it.
    hand.frame(4)
    assert hand.machine.counts["tracker_dropped"] == 1
    hand.tracked()
    hand.predicted()
    assert hand.at_work() == 4


def test_the_published_schedule_takes_the_frame_that_comes_while_it_predicts_where_there_was_no_other():
    hand = started(schedule="paper")
    hand.frame(1)
    hand.tracked()
    hand.frame(2)
    hand.frame(3)
    hand.predicted()
    assert hand.at_work() == 3 and hand.machine.counts["tracker_dropped"] == 1


def test_the_published_schedule_waits_for_the_prediction_whatever_it_takes_and_knows_no_propagation():
    hand = started(schedule="paper")
    hand.frame(1)
    hand.tracked()
    hand.frame(2)
    assert hand.machine.deadline_ns is None and hand.machine.time_passed(10**15) == []
    with pytest.raises(InputError, match="async"):
        CoreConfig(schedule="paper", propagation=True)


# Reports of what failed, came late, or was not asked for


def test_a_tracker_that_cannot_start_leaves_no_target():
    hand = ByHand()
    hand.frame(0)
    hand.init(0)
    hand.failed(Init)
    assert not hand.machine.active and hand.machine.trajectories == {}
    assert hand.log.rows[-1] == ["failed", 0, "Init"]
    # The prediction that was still made is of no use.
    hand.predicted()
    assert hand.machine.trajectories == {}
    hand.frame(1)
    assert [type(each) for each in hand.init(1)] == [Predict, Init]


def test_after_a_frame_that_the_tracker_fails_on_it_takes_the_next_one():
    hand = started()
    hand.frame(1)
    assert hand.failed(TrackFrame) == []
    hand.frame(2)
    assert hand.at_work() == 2
    hand.frame(3)
    assert [type(each) for each in hand.failed(TrackFrame)] == [TrackFrame] and hand.at_work() == 3
    hand.tracked()
    hand.settle()
    assert hand.trajectory().evidence_ns == 3 * FRAME


@pytest.mark.parametrize("search_region", ["last", "predicted"])
def test_where_propagation_fails_the_result_stands_for_itself_and_the_next_frame_is_tried(search_region):
    hand = started(propagation=True, search_region=search_region)
    hand.frame(1)
    hand.settle()
    hand.tracked(BOX + [30, 0, 0, 0])
    hand.failed(Propagate)
    assert PROPAGATOR not in hand.todo
    hand.predicted()
    assert hand.trajectory().evidence_ns == FRAME and hand.trajectory().at(FRAME).box[0] == 130
    hand.frame(2)
    assert hand.at_work() == 2
    hand.settle()
    assert hand.trajectory().evidence_ns == 2 * FRAME


def test_where_encoding_fails_the_prediction_is_made_without():
    reader = Reader()
    hand = started({"reader": reader})
    hand.frame(1)
    hand.tracked()
    hand.failed(Encode)
    hand.predicted()
    assert reader.seen[-1] == ("encoding of 100", None)
    assert hand.trajectory().evidence_ns == FRAME


def test_where_predicting_fails_the_old_trajectory_stands_and_the_tracker_goes_on():
    hand = started(search_region="predicted")
    hand.frame(1)
    hand.tracked()
    hand.frame(2)
    hand.failed(Predict)
    assert hand.at_work() == 2 and hand.trajectory().evidence_ns == 0
    hand.tracked()
    hand.settle()
    assert hand.trajectory().evidence_ns == 2 * FRAME


@pytest.mark.parametrize("propagation", [False, True])
@pytest.mark.parametrize("gone", ["replaced", "reset"])
def test_reports_for_a_target_that_is_gone_free_their_stage_and_change_nothing(gone, propagation):
    hand = started({"reader": Reader()}, propagation=propagation)
    hand.frame(1)
    hand.settle()
    hand.tracked()
    hand.frame(2)
    stale, rows = dict(hand.todo), len(hand.log.rows)
    if gone == "reset":
        hand.asked(hand.machine.reset(hand.now))
    else:
        # On the same frame, so that the capture time does not distinguish the targets.
        hand.init(2, BOX + [0, 200, 0, 0])
    before = dict(hand.machine.trajectories)
    reports = {TrackFrame: hand.tracked, Propagate: hand.propagated, Encode: hand.encoded, Predict: hand.predicted}
    for command in stale.values():
        reports[type(command)]()
        assert hand.machine.trajectories == before
    done = [row[2] for row in hand.log.rows[rows:] if row[0] == "done"]
    assert sorted(done) == sorted(type(command).__name__ for command in stale.values())
    assert hand.machine.counts["late_reports"] == int(TRACKER in stale)
    if gone == "replaced":
        hand.settle()
        hand.initialised()
        assert hand.trajectory().at(2 * FRAME).box.tolist() == [100, 300, 20, 20]


def test_the_start_on_a_target_that_is_gone_is_late_too():
    hand = ByHand()
    hand.frame(0)
    hand.init(0)
    hand.init(0, BOX + RIGHT)
    (asked,) = hand.initialised()
    assert isinstance(asked, Init) and asked.target == 2 and hand.machine.counts["late_reports"] == 1


def test_a_report_that_was_not_asked_for_is_refused_and_changes_nothing():
    hand = started()
    hand.frame(1)
    asked, rows = hand.todo[TRACKER], list(hand.log.rows)
    twin = TrackFrame(*asked)
    for wrong in (twin, Init(1, Frame(0, 0), BOX)):
        with pytest.raises(InputError, match="not what the tracker was asked to do"):
            hand.machine.failed(hand.now, wrong)
    with pytest.raises(InputError, match="Predict is not what the predictor was asked to do"):
        hand.machine.predicted(hand.now, Predict(1, 1, {}), {})
    assert hand.log.rows == rows
    hand.tracked()
    with pytest.raises(InputError, match="TrackFrame is not"):
        hand.machine.tracked(hand.now, asked, TrackerOutput(BOX))


# Time


def test_time_going_backwards_is_refused():
    hand = started()
    hand.frame(5)
    with pytest.raises(InputError, match=f"t_ns=4 after one at t_ns={5 * FRAME}"):
        hand.machine.frame_arrived(4, Frame(6, 6 * FRAME))
    with pytest.raises(InputError, match="backwards"):
        hand.machine.reset(4)
    with pytest.raises(InputError, match="backwards"):
        hand.machine.tracked(4, hand.todo[TRACKER], TrackerOutput(BOX))
    hand.tracked()


def test_a_frame_that_is_not_newer_is_refused():
    hand = started()
    for capture_ns in (0, -5):
        with pytest.raises(InputError, match=f"frame 7: t_ns={capture_ns} is not after the newest frame, 0"):
            hand.machine.frame_arrived(FRAME, Frame(7, capture_ns))
    assert hand.machine.counts["frames"] == 1


def test_without_a_log_a_long_run_keeps_nothing():
    hand = started(log=Unlogged())
    for index in range(1, 50):
        hand.frame(index)
        hand.tracked()
        hand.settle()
    assert hand.log.rows == [] and StateMachine(hand.predictors).log.rows == []


# The gyro


def gyro():
    return Gyro([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]])


def test_a_gyro_sample_needs_a_gyro():
    with pytest.raises(InputError, match="needs a gyro"):
        ByHand().machine.gyro_sample(0, 0, [0, 0, 0])


def test_predictors_see_what_was_known_of_the_camera_when_they_were_asked():
    hand = ByHand(["constant_velocity"], gyro=gyro())
    samples = [index * FRAME // 4 for index in range(5)]
    hand.frame(0)
    for measured_ns in samples:
        hand.now = max(hand.now, measured_ns)
        assert hand.machine.gyro_sample(hand.now, measured_ns, [0, 0.5, 0]) == []
    hand.init(0)
    hand.initialised()
    hand.predicted()
    hand.frame(1)
    hand.tracked(BOX)
    motion, known = hand.todo[PREDICTOR].motion, hand.machine._gyro.newest_ns
    hand.now = 2 * FRAME
    hand.machine.gyro_sample(hand.now, 2 * FRAME, [0, 0.5, 0])
    assert motion.newest_ns == known == FRAME and hand.machine._gyro.newest_ns == 2 * FRAME
    hand.predicted()
    assert hand.trajectory().stabilised
    # The camera has turned on, so a target that stands still in the world is elsewhere in the image of now.
    answer = hand.machine.answer(hand.trajectory(), 2 * FRAME)
    assert abs(answer.box[0] - hand.trajectory().at(2 * FRAME).box[0]) > 5
    assert [row[2] for row in hand.log.of_kind("gyro")] == [*samples, 2 * FRAME]


def test_a_sample_that_is_none_is_refused_and_not_logged():
    hand = ByHand(gyro=gyro())
    hand.machine.gyro_sample(0, 5, [0, 0, 0])
    for measured_ns, rate in ((5, [0, 0, 0]), (6, [0, 0]), (6, [0, 0, float("nan")])):
        with pytest.raises(InputError):
            hand.machine.gyro_sample(0, measured_ns, rate)
    assert len(hand.log.of_kind("gyro")) == 1


def test_a_run_with_a_gyro_replays_to_the_bit():
    hand = ByHand(["constant_velocity"], gyro=gyro(), search_region="predicted", propagation=True)
    hand.frame(0)
    hand.settle()
    hand.init(0)
    hand.settle()
    hand.initialised()
    for index in range(1, 9):
        for part in range(4):
            measured_ns = (index - 1) * FRAME + part * FRAME // 4
            hand.machine.gyro_sample(hand.now, measured_ns, [0.1 * part, 0.5, -0.02 * index])
        if index == 5:
            hand.init(3)
        hand.frame(index)
        hand.settle()
        if isinstance(hand.todo.get(TRACKER), Init):
            hand.initialised()
        elif TRACKER in hand.todo:
            hand.tracked()
        hand.settle()
    assert any(row[-1] is True for row in hand.log.of_kind("trajectory"))
    assert replay(hand.log, {"constant_velocity": create("constant_velocity")}).rows == hand.log.rows


def test_a_log_that_begins_with_a_later_target_replays_to_the_bit_from_one_sample_before_it():
    hand = ByHand(["constant_velocity"], gyro=gyro(), search_region="predicted")
    for index in range(12):
        for part in range(7):
            measured_ns = (index - 1) * FRAME + part * FRAME // 7
            hand.machine.gyro_sample(hand.now, measured_ns, [0.3 * part, 0.5 - 0.1 * index, -0.02 * index])
        hand.frame(index)
        if index in (0, 6):
            if index:
                hand.tracked()
                hand.settle()
            hand.init(index)
            hand.settle()
            hand.initialised()
        elif index:
            hand.tracked()
            hand.settle()
    rows = hand.log.rows
    begin = next(number for number, row in enumerate(rows) if row[0] == "init" and row[2] == 6)
    sample = max(number for number, row in enumerate(rows[:begin]) if row[0] == "gyro")
    frame = max(number for number, row in enumerate(rows[:begin]) if row[0] == "frame")
    later = [rows[sample], rows[frame], *rows[begin:]]
    assert rows[sample][2] <= rows[begin][3] and any(row[-1] is True for row in later)
    assert replay(EventLog(hand.log.meta, later), {"constant_velocity": create("constant_velocity")}).rows == later


# Settings


@pytest.mark.parametrize("box", [[np.nan, 0, 1, 1], [0, 0, 0, 1], [0, 0, 1]])
def test_a_bad_first_box_is_refused_and_starts_nothing(box):
    hand = ByHand()
    with pytest.raises(InputError, match="first box"):
        hand.machine.init(0, Frame(0, 0), box)
    assert not hand.machine.active and hand.log.rows == [] and hand.machine.trajectories == {}


def test_wrong_settings_are_refused_with_the_valid_ones():
    with pytest.raises(
        InputError, match="CoreConfig.search_region is 'everywhere', allowed is one of: last, predicted"
    ):
        CoreConfig(search_region="everywhere")
    with pytest.raises(InputError, match="CoreConfig.schedule is 'now', allowed is one of: async, paper"):
        CoreConfig(schedule="now")
    with pytest.raises(InputError, match="CoreConfig.wait_s is 0"):
        CoreConfig(wait_s=0)
    with pytest.raises(InputError, match="at least one predictor"):
        StateMachine({})


def test_the_settings_are_in_the_log_and_come_back():
    config = {"search_region": "predicted", "propagation": True, "one_core": True, "wait_s": 0.25}
    hand = ByHand(**config)
    assert CoreConfig.from_meta(hand.log.meta) == CoreConfig(**config)
    assert CoreConfig.from_meta({}) == CoreConfig()
