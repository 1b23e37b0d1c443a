"""The state machine, driven by hand: the published schedule."""

import pytest
from by_hand import TRACKER, started

from pvtpp.core.state_machine import CoreConfig
from pvtpp.errors import InputError


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
