"""How commands are executed: what the propagator is asked for, and that answers that are none are failures."""

import numpy as np
import pytest

from pvtpp.core import commands
from pvtpp.core.commands import Encode, Init, Predict, Propagate, TrackFrame
from pvtpp.core.event_log import EventLog
from pvtpp.core.replay import replay
from pvtpp.core.simulator import Costs, Simulator
from pvtpp.core.state_machine import FRAMES, CoreConfig, StateMachine
from pvtpp.errors import InputError
from pvtpp.predictors import create, names
from pvtpp.propagation import Carried
from pvtpp.track import PropagatedBox, Track
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp.trajectory import Trajectory

FRAME = 10**9 // 30
BOX = np.array([100.0, 100, 20, 20])
RIGHT = np.array([10.0, 0, 0, 0])


class Steady:
    """A propagator that sees everything move 10 px to the right in each frame, and remembers what it was asked."""

    def __init__(self, quality=0.9):
        self.quality, self.regions, self.asked = quality, [], []

    def push(self, frame, region):
        self.regions.append(region)

    def carry(self, box, from_ns, to_ns):
        self.asked.append((from_ns // FRAME, to_ns // FRAME))
        return Carried(np.asarray(box) + RIGHT * round((to_ns - from_ns) / FRAME), self.quality, 1)


class Forgetful(Steady):
    """It remembers the frames of the last five."""

    def carry(self, box, from_ns, to_ns):
        found = super().carry(box, from_ns, to_ns)
        return found if to_ns - from_ns <= 5 * FRAME else Carried(np.asarray(box), 0.0, 0)


class AsItMoves:
    """A tracker whose answers are right: the target moves 10 px to the right in each frame."""

    def init(self, frame, box):
        pass

    def track(self, frame, search_box=None):
        return TrackerOutput(BOX + frame.index * RIGHT)


def run(propagator, count, predictors=("hold",), tracker_ns=10**12, **config):
    """A run on the simulated clock, up to the last frame. No stage takes time, but the tracker `tracker_ns`."""
    predictors = {name: create(name) for name in predictors}
    machine = StateMachine(predictors, CoreConfig(propagation=True, **config), EventLog())
    simulator = Simulator(machine, AsItMoves(), predictors, Costs(lambda number: tracker_ns), propagator)
    simulator.run([Frame(index, index * FRAME) for index in range(count)], BOX)
    return EventLog(machine.log.meta, [row for row in machine.log.rows if row[1] <= (count - 1) * FRAME])


def asked(frame=None, region=None, result=(0, BOX), previous=None, to=(), kept=()):
    return Propagate(1, frame, region, 1, result, previous, tuple(i * FRAME for i in to), tuple(kept))


# Propagation


def test_evidence_is_as_old_as_the_newest_frame_however_long_the_tracker_takes():
    log = run(Steady(), 8)
    made = log.of_kind("trajectory")[2:]
    assert [row[3] for row in made] == [row[1] for row in made] == [index * FRAME for index in range(1, 8)]
    for row in made:
        assert Trajectory.from_row(row[3:]).at(row[1]).box[0] == 100 + 10 * row[1] / FRAME


def test_each_frame_is_propagated_to_once_and_the_newest_few_are_kept():
    propagator = Steady()
    log = run(propagator, 8)
    assert propagator.asked[:7] == [(0, index) for index in range(1, 8)]
    newest = log.of_kind("propagated")[-1][3]
    assert [row[0] for row in newest] == [index * FRAME for index in range(8 - FRAMES, 8)]


def test_a_step_is_charged_for_each_frame_that_is_measured_and_each_that_is_propagated_to():
    found = commands.propagate(Steady(), asked(Frame(1, FRAME), BOX, to=(1, 2)))
    assert found.steps == 3 and [each.box[0] for each in found.boxes] == [110, 120]
    assert commands.propagate(Steady(), asked(Frame(1, FRAME), None, to=(1,))).steps == 1
    kept = [PropagatedBox(FRAME, BOX, 0.9)]
    found = commands.propagate(Steady(), asked(to=(1, 2), kept=kept))
    assert found.steps == 1 and found.boxes[0] is kept[0]
    assert commands.propagate(Steady(), Propagate(0, Frame(1, FRAME), None)).steps == 0


def test_a_new_result_has_the_displacement_from_the_one_before():
    propagator = Steady(0.7)
    found = commands.propagate(propagator, asked(result=(2 * FRAME, BOX), previous=(0, BOX + [3, 0, 0, 0]), to=(3,)))
    assert propagator.asked == [(0, 2), (2, 3)] and found.steps == 2
    assert found.displacement.from_ns == 0 and found.displacement.quality == 0.7
    assert found.displacement.moved.tolist() == [20, 0, 0, 0]
    assert commands.propagate(propagator, asked(to=(3,))).displacement is None


def test_where_a_tracker_hangs_propagation_goes_on_from_its_last_box():
    log = run(Forgetful(), 12)
    made = log.of_kind("trajectory")[2:]
    assert [row[3] for row in made] == [index * FRAME for index in range(1, 12)]
    for row in made:
        assert Trajectory.from_row(row[3:]).at(row[1]).box[0] == pytest.approx(100 + 10 * row[1] / FRAME)


def test_what_is_propagated_from_a_propagated_box_is_no_better_than_that_box():
    kept = [PropagatedBox(6 * FRAME, BOX, 0.3)]
    (_, last) = commands.propagate(Forgetful(), asked(to=(6, 7), kept=kept)).boxes
    assert last.quality == 0.3 and last.box[0] == 110
    kept = [PropagatedBox(6 * FRAME, BOX, 0.0)]
    (_, last) = commands.propagate(Forgetful(), asked(to=(6, 7), kept=kept)).boxes
    assert last.quality == 0 and last.box.tolist() == BOX.tolist()


def test_a_recorded_run_with_propagation_replays_to_the_bit():
    predictors = ("kalman", "hold", "constant_velocity")
    log = run(Steady(), 16, predictors, tracker_ns=3 * FRAME + 1)
    assert len(log.of_kind("result")) >= 3
    assert replay(log, {name: create(name) for name in predictors}).rows == log.rows


@pytest.mark.parametrize("predictor", names())
def test_every_predictor_takes_propagated_boxes_as_its_newest_evidence(predictor):
    log = run(Steady(), 5, (predictor,))
    row = log.of_kind("trajectory")[-1]
    assert row[3] == 4 * FRAME
    assert Trajectory.from_row(row[3:]).at(4 * FRAME).box[0] == pytest.approx(140, abs=3)


@pytest.mark.parametrize("setting", ["pvt", "size_aware"])
def test_propagated_boxes_do_not_make_kalman_surer_of_where_the_target_is(setting):
    results = Track()
    for index in range(6):
        results = results.with_result(index * FRAME, BOX + index * RIGHT)
    propagated = [PropagatedBox((5 + i) * FRAME, BOX + (5 + i) * RIGHT, 0.9) for i in range(1, 4)]
    kalman = create(f"kalman:{setting}")
    before, after = kalman.predict(results), kalman.predict(results.with_propagated(propagated))
    assert (after.at(after.evidence_ns).sigma >= before.at(before.evidence_ns).sigma).all()
    ahead = 8 * FRAME
    assert (after.at(ahead).sigma < before.at(ahead).sigma)[:2].all()
    np.testing.assert_allclose(after.at(ahead).box, BOX + 8 * RIGHT, atol=2)


@pytest.mark.parametrize(
    ("box", "quality", "words"),
    [
        ([1, 2, 3], 1.0, r"Answers.carry\(\) to t_ns=7"),
        ([1, 2, 3, float("nan")], 1.0, "finite"),
        ([1, 2, 3, 0], 1.0, "to t_ns=7"),
        ([1, 2, 3, 4], 1.5, r"quality 1.5 is outside \[0, 1\]"),
        ([1, 2, 3, 4], float("nan"), "quality nan"),
    ],
)
def test_a_propagators_answer_that_is_none_is_an_error_before_it_is_reported(box, quality, words):
    class Answers:
        def carry(self, *asked):
            return Carried(np.array(box), quality, 1)

    for command in (
        Propagate(1, None, None, 1, (0, BOX), None, (7,)),
        Propagate(1, None, None, 1, (7, BOX), (0, BOX), ()),
    ):
        with pytest.raises(InputError, match=words):
            commands.propagate(Answers(), command)


# Prediction and encoding


class Answering:
    """A predictor that answers what the test says."""

    def __init__(self, answer):
        self.answer = answer

    def encode(self, output):
        return self.answer

    def predict(self, track):
        return self.answer


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "Answering.predict.. returned None, expected a Trajectory"),
        (BOX, "expected a Trajectory"),
        (Trajectory((0,), [[0, 0, 5, 0]], [[0] * 4], [[1] * 4], 0), "a box of 5.0 x 0.0 pixels"),
    ],
)
def test_a_predictors_answer_that_is_none_is_an_error_before_it_is_reported(answer, words):
    command = Predict(1, 1, {"mine": Track().with_result(0, BOX)})
    with pytest.raises(InputError, match=words):
        commands.predict({"mine": Answering(answer)}, command)


def test_each_predictor_predicts_from_its_own_track_and_doubt_widens_sigma():
    track = Track().with_result(0, BOX).with_result(FRAME, BOX + RIGHT)
    tracks = {"hold": track, "constant_velocity": track.with_encodings({})}
    predictors = {name: create(name) for name in tracks}
    made = commands.predict(predictors, Predict(1, 2, tracks))
    assert made["hold"].at(5 * FRAME).box[0] == 110
    assert made["constant_velocity"].at(5 * FRAME).box[0] == pytest.approx(150, abs=1e-5)
    doubted = commands.predict(predictors, Predict(1, 2, tracks, doubted_s=2.0))
    assert all(doubted[name].at(5 * FRAME).sigma[0] > made[name].at(5 * FRAME).sigma[0] for name in made)


def test_predictors_that_read_features_encode_and_those_that_do_not_say_so_too():
    class Reader(Answering):
        reads_features = True

    class Blind(Answering):
        reads_features = False

    outputs = tuple((t_ns, TrackerOutput(BOX)) for t_ns in (3, 5))
    predictors = {"reader": Reader(7), "blind": Blind(8), "silent": Answering(9)}
    assert commands.encode(predictors, Encode(1, outputs)) == {"reader": {3: 7, 5: 7}, "silent": {3: 9, 5: 9}}


def test_each_command_belongs_to_a_stage():
    assert {commands.STAGE[kind] for kind in (Init, TrackFrame)} == {commands.TRACKER}
    assert {commands.STAGE[kind] for kind in (Encode, Predict)} == {commands.PREDICTOR}
    assert commands.STAGE[Propagate] == commands.PROPAGATOR and set(commands.STAGE.values()) == set(commands.STAGES)
