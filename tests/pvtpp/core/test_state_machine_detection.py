"""The state machine with a detector: asked while the target is lost, and the tracker looks where it saw something."""

import numpy as np
import pytest
from by_hand import BOX, DETECTOR, FRAME, TRACKER, started

from pvtpp.core.commands import Detect, TrackFrame
from pvtpp.core.config import CoreConfig
from pvtpp.core.presence import Presence, PresenceConfig
from pvtpp.core.replay import replay
from pvtpp.detection import Detections
from pvtpp.errors import InputError
from pvtpp.tracker import TrackerOutput

FAR = BOX + [400, 200, 0, 0]


def with_detector():
    return started(presence=PresenceConfig(), detects=True)


def show(hand, index, output):
    """One frame, tracked in no time; return where the tracker was sent."""
    hand.frame(index)
    command = hand.todo.pop(TRACKER)
    assert isinstance(command, TrackFrame)
    hand.asked(hand.machine.tracked(hand.now, command, output(command)))
    hand.settle()
    return command.search_box


def wrong(command):
    return TrackerOutput(BOX, 1.0, similarity=0.0)


def lose(hand):
    """Show wrong results until the detector is asked; return the number of the last frame."""
    for index in range(1, 40):
        show(hand, index, wrong)
        if DETECTOR in hand.todo:
            return index
    raise AssertionError("the detector was never asked")


def answer(hand, *boxes):
    command = hand.todo.pop(DETECTOR)
    assert isinstance(command, Detect)
    found = Detections(np.array(boxes).reshape(-1, 4), np.linspace(1, 0.5, len(boxes)))
    hand.asked(hand.machine.detected(hand.now, command, found))
    return command


def test_the_detector_is_asked_only_while_the_target_is_lost_and_once_for_a_frame():
    hand = with_detector()
    for index in range(1, 8):
        show(hand, index, lambda command: TrackerOutput(BOX, 1.0, similarity=1.0))
        assert DETECTOR not in hand.todo
    for index in range(8, 40):
        show(hand, index, wrong)
        if DETECTOR in hand.todo:
            break
    assert hand.machine.presence is Presence.LOST and hand.todo[DETECTOR].frame.index == index
    answer(hand)
    assert DETECTOR not in hand.todo
    hand.frame(index + 1)
    assert hand.todo[DETECTOR].frame.index == index + 1


def test_the_tracker_looks_where_the_detector_saw_something_best_first_and_what_is_confirmed_is_followed():
    hand = with_detector()
    lost = lose(hand)
    answer(hand, FAR, BOX + [-300, 0, 0, 0])
    sent, presence = [], []
    for index in range(lost + 1, lost + 12):
        where = show(hand, index, lambda command: TrackerOutput(
            FAR if command.elsewhere and abs(command.search_box[0] - FAR[0]) < 1 else BOX,
            1.0,
            similarity=1.0 if command.elsewhere and abs(command.search_box[0] - FAR[0]) < 1 else 0.0,
        ))  # fmt: skip
        sent.append(None if where is None else where.tolist())
        presence.append(hand.machine.presence)
        if presence[-1] is Presence.TRACKING:
            break
    assert FAR.tolist() in sent and presence[-1] is Presence.TRACKING
    assert (BOX + [-300, 0, 0, 0]).tolist() not in sent
    np.testing.assert_allclose(hand.trajectory().at(hand.now).box, FAR)


def test_each_candidate_is_looked_at_once_and_a_target_that_is_followed_again_needs_none():
    hand = with_detector()
    lost = lose(hand)
    answer(hand, FAR)
    sent = [show(hand, index, wrong) for index in range(lost + 1, lost + 10)]
    assert sum(where is not None and where.tolist() == FAR.tolist() for where in sent) == 1


def test_a_run_with_detections_replays_to_the_bit():
    hand = with_detector()
    lost = lose(hand)
    answer(hand, FAR, BOX)
    for index in range(lost + 1, lost + 6):
        show(hand, index, wrong)
    assert hand.log.of_kind("detected")
    assert replay(hand.log, hand.predictors).rows == hand.log.rows


def test_a_detector_that_fails_is_asked_again_with_the_next_frame():
    hand = with_detector()
    lost = lose(hand)
    hand.asked(hand.machine.failed(hand.now, hand.todo.pop(DETECTOR)))
    hand.frame(lost + 1)
    assert hand.todo[DETECTOR].frame.index == lost + 1


@pytest.mark.parametrize("given", [{}, {"presence": PresenceConfig(), "steers": False}])
def test_a_detector_needs_presence_and_a_tracker_that_is_sent(given):
    with pytest.raises(InputError, match="needs presence on"):
        CoreConfig(detects=True, **given)


def test_a_new_target_is_not_looked_for_where_the_old_one_was_detected():
    hand = with_detector()
    lost = lose(hand)
    hand.asked(hand.machine.init(hand.now, hand.machine.newest, FAR))
    assert isinstance(hand.todo[DETECTOR], Detect)
    answer(hand, BOX)
    assert hand.log.of_kind("done")[-1][2] == "Detect"
    assert hand.now == lost * FRAME
