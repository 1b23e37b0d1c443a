"""Targets of the live tracker: given, replaced and given on a past frame."""

import threading

import numpy as np
import pytest
from live_fakes import (
    ANY_TIME,
    BOX,
    FRAME,
    Clock,
    Held,
    HeldPropagator,
    Quick,
    Steady,
    box_at,
    evidence,
    frame,
    idle,
    made,
    until,
)

from pvtpp.core.event_log import EventLog
from pvtpp.errors import InputError
from pvtpp.live.config import LiveConfig


def test_a_target_given_on_a_past_frame_is_propagated_to_the_newest_and_tracked_there():
    tracker, log = Quick(), EventLog()
    with made(tracker, propagator=Steady(), clock=Clock(), log=log) as live:
        for index in range(31):
            live.submit(frame(index))
        live.init(21 * FRAME, BOX)
        until(lambda: tracker.tracked == [30])
        assert tracker.inits == [21] and tracker.searched == [190]
        assert log.of_kind("track")[0][4][0] == 190
        until(lambda: evidence(live) == 30)
        assert box_at(live, 30) == 190
        with pytest.raises(InputError, match=f"t_ns=7 is in memory; there are 31, from t_ns=0 to t_ns={30 * FRAME}"):
            live.init(7, BOX)
        assert live.active


def test_before_the_first_frame_there_is_none_to_give_a_target_on():
    with made(Quick(), clock=Clock()) as live, pytest.raises(InputError, match="there are 0, none so far"):
        live.init(7, BOX)


def test_a_thousand_new_targets_leave_nothing_behind():
    tracker = Quick()
    with made(tracker, propagator=Steady(), clock=Clock()) as live:
        threads = threading.active_count()
        for index in range(1000):
            live.submit(frame(index))
            live.init(frame(index), BOX + [0, index, 0, 0])
            assert live.predict(index * FRAME).box[1] == 100 + index
            if index % 3 == 0:
                live.reset()
                assert live.predict(index * FRAME) is None
        live.init(frame(1000), BOX)
        live.submit(frame(1001))
        until(lambda: tracker.tracked[-1:] == [1001])
        until(lambda: evidence(live) == 1001)
        assert live.predict(1001 * FRAME).box.tolist() == [110, 100, 20, 20]
        assert live.errors == [] and threading.active_count() == threads


def test_for_a_new_target_the_tracker_starts_at_once_and_not_after_a_frame_for_the_old_one():
    tracker = Quick()
    with made(tracker, clock=Clock()) as live:
        for index in range(20):
            live.init(frame(index), BOX)
            # The tracker waits for a frame, so it would take the next one for the old target.
            until(lambda index=index: tracker.inits[-1:] == [index] and idle(live))
        assert tracker.tracked == [] and tracker.inits == list(range(20))


def test_a_hanging_tracker_is_reported_and_its_late_answer_is_not_the_new_targets():
    tracker, clock, failures = Held(), Clock(), []
    with made(
        tracker, clock=clock, config=LiveConfig(stall_s=0.02, capture_times=ANY_TIME), on_error=failures.append
    ) as live:
        live.init(frame(0), BOX)
        live.submit(frame(1))
        tracker.gate.await_somebody()
        until(lambda: live.stalled)
        for index in (2, 3):
            clock.t_ns = index * FRAME
            live.submit(frame(index))
            assert live.predict().age == pytest.approx(index / 30)
        assert [failure.stage for failure in failures] == ["stall"]
        live.init(frame(4), BOX + [0, 200, 0, 0])
        assert live.predict(4 * FRAME).box[1] == 300
        tracker.gate.open.set()
        until(lambda: live.counts["late_reports"] == 1)
        assert live.predict(4 * FRAME).box[1] == 300
        until(lambda: not live.stalled)
        live.submit(frame(5))
        until(lambda: evidence(live) == 5)
        np.testing.assert_allclose(live.predict(5 * FRAME).box, [110, 300, 20, 20])
    assert tracker.inits == [0, 4] and tracker.tracked == [1, 5]


def test_what_was_propagated_for_the_old_target_is_not_given_to_the_new_one():
    tracker, propagator = Held(), HeldPropagator()
    with made(tracker, propagator=propagator, clock=Clock()) as live:
        live.init(frame(0), BOX)
        live.submit(frame(1))
        propagator.gate.await_somebody()
        # The same frame, so that the capture time does not distinguish the targets.
        live.init(0, BOX + [0, 200, 0, 0])
        propagator.gate.open.set()
        until(lambda: evidence(live) == 1)
        assert live.predict(FRAME).box.tolist() == [110, 300, 20, 20]
        tracker.gate.open.set()
