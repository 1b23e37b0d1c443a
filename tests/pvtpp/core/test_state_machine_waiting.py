"""The state machine, driven by hand: what the tracker waits for, and how long."""

import pytest
from by_hand import FRAME, PREDICTOR, PROPAGATOR, TRACKER, ByHand, started

from pvtpp.core.commands import Propagate, TrackFrame


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
