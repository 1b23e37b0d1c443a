"""The propagation: what it asks the propagator for, what it keeps, and what the pipeline makes of it."""

import numpy as np
import pytest

from pvtpp.core.event_log import EventLog
from pvtpp.core.propagating import FRAMES, Propagating
from pvtpp.core.replay import replay
from pvtpp.core.state_machine import CARRY_GATE, Pipeline
from pvtpp.errors import InputError
from pvtpp.predictors import create, names
from pvtpp.propagation import Carried
from pvtpp.track import PropagatedBox, Track
from pvtpp.tracker import Frame, TrackerOutput

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
        self.asked.append((from_ns, to_ns))
        return Carried(np.asarray(box) + RIGHT * round((to_ns - from_ns) / FRAME), self.quality, 1)


def started(propagator, predictors=("hold",)):
    pipeline = Pipeline({name: create(name) for name in predictors}, log=EventLog())
    lane = Propagating(pipeline, propagator)
    pipeline.frame_arrived(0, 0, 0)
    pipeline.init(0, 0, 0, BOX)
    lane.push(Frame(0, 0))
    return pipeline, lane


def deliver(pipeline, lane, index, t_ns=None):
    t_ns = index * FRAME if t_ns is None else t_ns
    pipeline.frame_arrived(t_ns, index, index * FRAME)
    lane.push(Frame(index, index * FRAME))
    found = lane.carry()
    if pipeline.propagated(t_ns, found.anchor_ns, found.propagated, found.displacement):
        pipeline.predict(t_ns)
    return found


def test_evidence_is_as_old_as_the_newest_frame_however_long_the_tracker_takes():
    pipeline, lane = started(Steady())
    for index in range(1, 8):
        deliver(pipeline, lane, index)
        trajectory = pipeline.trajectories["hold"]
        assert trajectory.evidence_ns == index * FRAME
        assert trajectory.at(index * FRAME).box[0] == 100 + 10 * index


def test_each_frame_is_carried_to_once_and_the_newest_few_are_kept():
    propagator = Steady()
    pipeline, lane = started(propagator)
    for index in range(1, 8):
        found = deliver(pipeline, lane, index)
        assert found.steps == 1
    assert propagator.asked == [(0, index * FRAME) for index in range(1, 8)]
    assert [each.t_ns for each in found.propagated] == [index * FRAME for index in range(8 - FRAMES, 8)]


class Forgetful(Steady):
    """It remembers the frames of the last five."""

    def carry(self, box, from_ns, to_ns):
        found = super().carry(box, from_ns, to_ns)
        return found if to_ns - from_ns <= 5 * FRAME else Carried(np.asarray(box), 0.0, 0)


def test_where_a_tracker_hangs_the_lane_goes_on_from_what_it_carried_last():
    pipeline, lane = started(Forgetful())
    for index in range(1, 12):
        deliver(pipeline, lane, index)
        trajectory = pipeline.trajectories["hold"]
        assert trajectory.evidence_ns == index * FRAME
        assert trajectory.at(index * FRAME).box[0] == 100 + 10 * index


def test_the_next_step_is_measured_where_the_target_was_last_seen():
    propagator = Steady()
    pipeline, lane = started(propagator)
    for index in range(1, 4):
        deliver(pipeline, lane, index)
    assert propagator.regions[0] is None
    assert [region[0] for region in propagator.regions[1:]] == [100, 110, 120]


def test_a_late_result_is_carried_to_the_newest_frame_and_becomes_the_anchor():
    propagator = Steady()
    pipeline, lane = started(propagator)
    for index in range(1, 6):
        deliver(pipeline, lane, index)
    pipeline.tracker_finished(5 * FRAME, 2, 2 * FRAME, TrackerOutput(BOX + [23, 0, 0, 0]))
    found = lane.carry()
    assert found.anchor_ns == 2 * FRAME and [each.t_ns for each in found.propagated] == [
        3 * FRAME,
        4 * FRAME,
        5 * FRAME,
    ]
    assert pipeline.propagated(5 * FRAME, found.anchor_ns, found.propagated)
    assert pipeline.predict(5 * FRAME)["hold"].at(5 * FRAME).box[0] == 153


def test_what_was_carried_from_an_older_anchor_changes_nothing():
    pipeline, lane = started(Steady())
    pipeline.frame_arrived(FRAME, 1, FRAME)
    lane.push(Frame(1, FRAME))
    late = lane.carry()
    pipeline.tracker_finished(FRAME, 1, FRAME, TrackerOutput(BOX + [77, 0, 0, 0]))
    assert pipeline.propagated(FRAME, late.anchor_ns, late.propagated) is False
    assert pipeline.evidence_box()[0] == 177


def test_boxes_that_the_images_do_not_support_are_left_out():
    pipeline, lane = started(Steady(quality=CARRY_GATE / 2))
    deliver(pipeline, lane, 1)
    assert pipeline.trajectories["hold"].evidence_ns == 0


@pytest.mark.parametrize("predictor", names())
def test_every_predictor_takes_carried_boxes_as_its_newest_evidence(predictor):
    pipeline, lane = started(Steady(), (predictor,))
    for index in range(1, 5):
        deliver(pipeline, lane, index)
    trajectory = pipeline.trajectories[predictor]
    assert trajectory.evidence_ns == 4 * FRAME
    assert trajectory.at(4 * FRAME).box[0] == pytest.approx(140, abs=3)


@pytest.mark.parametrize("setting", ["pvt", "size_aware"])
def test_carried_boxes_do_not_make_kalman_surer_of_where_the_target_is(setting):
    anchors = Track()
    for index in range(6):
        anchors = anchors.with_result(index * FRAME, BOX + index * RIGHT)
    propagated = [PropagatedBox((5 + i) * FRAME, BOX + (5 + i) * RIGHT, 0.9) for i in range(1, 4)]
    kalman = create(f"kalman:{setting}")
    before, after = kalman.predict(anchors), kalman.predict(anchors.with_propagated(propagated))
    assert (after.at(after.evidence_ns).sigma >= before.at(before.evidence_ns).sigma).all()
    ahead = 8 * FRAME
    assert (after.at(ahead).sigma < before.at(ahead).sigma)[:2].all()
    np.testing.assert_allclose(after.at(ahead).box, BOX + 8 * RIGHT, atol=2)


def test_a_recorded_run_with_a_fast_lane_replays_to_the_bit():
    predictors = ("kalman", "hold", "constant_velocity")
    pipeline, lane = started(Steady(), predictors)
    for index in range(1, 9):
        deliver(pipeline, lane, index)
        if index % 3 == 0:
            pipeline.tracker_finished(
                index * FRAME, index - 2, (index - 2) * FRAME, TrackerOutput(BOX + (index - 2) * RIGHT)
            )
            found = lane.carry()
            assert pipeline.propagated(index * FRAME, found.anchor_ns, found.propagated, found.displacement)
            pipeline.predict(index * FRAME)
    assert replay(pipeline.log, {name: create(name) for name in predictors}, "last").rows == pipeline.log.rows


def test_a_track_refuses_carried_boxes_out_of_order_or_before_the_anchor():
    track = Track().with_result(5, BOX)
    for times in ((5,), (4,), (9, 8), (9, 9)):
        with pytest.raises(InputError, match="later than the newest anchor"):
            track.with_propagated([PropagatedBox(t, BOX, 1.0) for t in times])
    with pytest.raises(InputError, match="quality 1.5"):
        track.with_propagated([PropagatedBox(9, BOX, 1.5)])


def test_a_new_anchor_leaves_no_box_carried_from_the_old_one_but_a_late_older_result_does():
    track = Track().with_result(5, BOX).with_propagated([PropagatedBox(9, BOX, 1.0)])
    assert track.with_result(7, BOX).propagated == ()
    assert len(track.with_result(3, BOX).propagated) == 1
