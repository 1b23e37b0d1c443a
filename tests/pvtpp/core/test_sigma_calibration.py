"""Sigma in flight: it follows what tracker and flow show of their errors, and nothing but sigma changes."""

import numpy as np
import pytest

from pvtpp.core import commands
from pvtpp.core.commands import Predict
from pvtpp.core.event_log import EventLog
from pvtpp.core.replay import replay
from pvtpp.core.sigma_calibration import CENTRE, SIZE, calibrated, witnesses
from pvtpp.core.simulator import Costs, Simulator
from pvtpp.core.state_machine import CoreConfig, StateMachine
from pvtpp.predictors import create
from pvtpp.propagation import Carried
from pvtpp.track import Displacement, PropagatedBox, Track
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp.trajectory import Trajectory

FRAME = 10**9 // 30
BOX = np.array([100.0, 80, 40, 10])
STEP = np.array([6.0, -2, 0, 0])


def tracked(count=7, jitter=0.0, quality=1.0, score=1.0):
    """A target that moves by `STEP` from frame to frame; every other result is `jitter` px off, the flow is right."""
    track = Track()
    for index in range(count):
        off = jitter * (index % 2)
        track = track.with_result(index * FRAME, BOX + index * STEP + off, score if index == count - 1 else 1.0)
        if index:
            track = track.with_propagated((), Displacement((index - 1) * FRAME, STEP, quality))
    return track


def of(track):
    """Sigma of the newest evidence with the weights, for a predictor that states one pixel."""
    t_ns = track.evidence_ns
    made = Trajectory((t_ns, t_ns + FRAME), [track.evidence_box] * 2, [STEP] * 2, [[1.0] * 4, [3.0] * 4], t_ns)
    return calibrated(made, track).sigma[0]


def test_witnesses_are_in_pixels_with_a_row_for_each_coordinate():
    found = witnesses(tracked(jitter=2.0, quality=0.75, score=0.9))
    assert found.shape == (4, 5)
    np.testing.assert_allclose(found[:, 0], 20)
    np.testing.assert_allclose(found[:, 1], 2)
    np.testing.assert_allclose(found[:, 2], 20 * 0.25)
    np.testing.assert_allclose(found[:, 3], 20 * 0.1)


def test_speed_is_that_of_the_newest_boxes_propagated_ones_included():
    track = tracked()
    np.testing.assert_allclose(witnesses(track)[:, 4], np.hypot(6, 2) / (FRAME * 1e-9))
    to = PropagatedBox(track.t_ns[-1] + FRAME, track.boxes[-1] + [50, 0, 0, 0], 0.5)
    faster = witnesses(track.with_propagated([to]))
    np.testing.assert_allclose(faster[:, 4], np.hypot(6 * 6 + 50, 6 * 2) / 7 / (FRAME * 1e-9))


def test_newer_disagreement_counts_more():
    boxes = [BOX + index * STEP for index in range(6)]

    def jumping(at):
        track = Track()
        for index, box in enumerate(boxes):
            track = track.with_result(index * FRAME, box + (index >= at) * np.array([8.0, 0, 0, 0]))
            if index:
                track = track.with_propagated((), Displacement((index - 1) * FRAME, STEP, 1.0))
        return witnesses(track)[0, 1]

    assert jumping(5) > jumping(1) > 0


@pytest.mark.parametrize("worse", [{"jitter": 1.0}, {"quality": 0.5}, {"score": 0.8}])
def test_each_witness_widens_sigma(worse):
    assert (of(tracked(**worse)) > of(tracked())).all()


def test_a_displacement_that_is_not_known_is_one_that_the_images_do_not_support():
    track = Track()
    for index in range(6):
        track = track.with_result(index * FRAME, BOX + index * STEP)
    np.testing.assert_allclose(witnesses(track)[:, 2], 20)
    assert (of(track) > of(tracked())).all()


def test_a_box_just_given_has_a_size_and_nothing_else():
    found = witnesses(Track().with_result(0, BOX))
    np.testing.assert_allclose(found, [[20, 0, 0, 0, 0]] * 4)


def test_sigma_is_the_weighted_sum_at_every_time_and_equivariant_to_scale():
    track = tracked(jitter=1.0, quality=0.5, score=0.9)
    weights = np.array([CENTRE, CENTRE, SIZE, SIZE])
    made = create("ensemble").predict(track)
    after = calibrated(made, track)
    added = (weights[:, 1:] * witnesses(track)).sum(axis=1)
    for ahead in (-FRAME, 0, FRAME, 5 * FRAME, 100 * FRAME):
        t_ns = track.evidence_ns + ahead
        np.testing.assert_allclose(after.at(t_ns).sigma, weights[:, 0] * made.at(t_ns).sigma + added)
    twice = Track()
    for index, (t_ns, box) in enumerate(zip(track.t_ns, track.boxes)):
        twice = twice.with_result(t_ns, 2 * box, track.scores[index])
        if index:
            twice = twice.with_propagated((), Displacement(track.t_ns[index - 1], 2 * STEP, 0.5))
    np.testing.assert_allclose(witnesses(twice), 2 * witnesses(track))


@pytest.mark.parametrize("name", ["hold", "kalman", "motion", "ensemble"])
def test_only_sigma_changes_and_only_with_propagation(name):
    track = tracked(jitter=1.0)
    predictors = {name: create(name)}
    before, after = (
        commands.predict(predictors, Predict(1, 1, {name: track}, propagating=on))[name] for on in (False, True)
    )
    own = predictors[name].predict(track)
    assert before.to_row() == own.to_row()
    assert (after.sigma != own.sigma).all()
    # All but sigma is equal to the bit.
    assert after.to_row()[:6] == own.to_row()[:6]
    for ahead in range(0, 20 * FRAME, FRAME):
        a, b = own.at(track.evidence_ns + ahead), after.at(track.evidence_ns + ahead)
        assert a.box.tobytes() == b.box.tobytes() and a.velocity.tobytes() == b.velocity.tobytes()


class Jittery:
    """A tracker whose every third result is off."""

    def init(self, frame, box):
        pass

    def track(self, frame, search_box=None):
        return TrackerOutput(BOX + frame.index * STEP + 2.0 * (frame.index % 3 == 0), 0.9)


class Steady:
    """A propagator that sees how the target really moves."""

    def push(self, frame, region):
        pass

    def carry(self, box, from_ns, to_ns):
        return Carried(np.asarray(box) + STEP * round((to_ns - from_ns) / FRAME), 0.8, 1)


def test_a_run_has_the_same_boxes_and_events_without_calibration(monkeypatch):
    def run():
        predictors = {"ensemble": create("ensemble")}
        machine = StateMachine(predictors, CoreConfig("predicted", propagation=True), EventLog())
        Simulator(machine, Jittery(), predictors, Costs(lambda number: 3 * FRAME), Steady()).run(
            [Frame(index, index * FRAME) for index in range(30)], BOX
        )
        return machine.log

    with_it = run()
    again = replay(with_it, {"ensemble": create("ensemble")})
    assert [row for row in again.rows if row[0] == "trajectory"] == with_it.of_kind("trajectory")
    monkeypatch.setattr(commands, "calibrated", lambda trajectory, track: trajectory)
    without = run()
    # The last number of a trajectory's row is sigma.
    stripped = [[row[:-1] if row[0] == "trajectory" else row for row in log.rows] for log in (with_it, without)]
    assert stripped[0] == stripped[1] and with_it.rows != without.rows
