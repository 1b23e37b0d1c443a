"""The state machine, driven by hand: which frame the tracker takes, and where it looks."""

import numpy as np
import pytest
from by_hand import BOX, FRAME, PREDICTOR, PROPAGATOR, RIGHT, TRACKER, ByHand, started

from pvtpp.core.commands import TrackFrame
from pvtpp.core.event_log import Unlogged
from pvtpp.core.replay import replay
from pvtpp.core.state_machine import CoreConfig, StateMachine
from pvtpp.errors import InputError
from pvtpp.predictors import create
from pvtpp.tracker import Frame, TrackerOutput

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
