"""The state machine, driven by hand: how results are propagated to newer frames."""

import numpy as np
from by_hand import BOX, FRAME, PREDICTOR, PROPAGATOR, RIGHT, ByHand, started

from pvtpp.core.state_machine import FRAMES, LEAST_QUALITY


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


def test_a_result_newer_than_all_evidence_is_predicted_from_before_its_propagation():
    hand = started(propagation=True)
    hand.frame(1)
    hand.tracked(BOX + RIGHT)
    # Propagation is still at the frame, on behalf of the result before.
    assert PROPAGATOR in hand.todo
    hand.predicted()
    assert hand.trajectory().evidence_ns == FRAME
    assert np.array_equal(hand.trajectory().at(FRAME).box, BOX + RIGHT)


def test_a_result_that_the_evidence_has_passed_waits_for_its_propagation():
    hand = started(propagation=True)
    hand.frame(1)
    hand.settle()
    hand.frame(2)
    hand.settle()
    hand.tracked(BOX + RIGHT)
    assert PREDICTOR not in hand.todo
