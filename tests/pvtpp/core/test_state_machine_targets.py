"""The state machine, driven by hand: targets are given, replaced and forgotten."""

from by_hand import BOX, FRAME, TRACKER, ByHand, started

from pvtpp.core.commands import Init, Predict, TrackFrame


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
