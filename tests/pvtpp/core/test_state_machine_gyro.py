"""The state machine, driven by hand: samples of a gyro."""

import pytest
from by_hand import BOX, FRAME, PREDICTOR, TRACKER, ByHand

from pvtpp.camera_motion import Gyro
from pvtpp.core.commands import Init
from pvtpp.core.event_log import EventLog
from pvtpp.core.replay import replay
from pvtpp.errors import InputError
from pvtpp.predictors import create


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
