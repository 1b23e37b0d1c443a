"""The live tracker: it survives what cameras do, and never passes an old answer off as a new one."""

import sys

import numpy as np
import pytest
from live_fakes import (
    ANY_TIME,
    BOX,
    FRAME,
    PATIENCE_S,
    Clock,
    Held,
    HeldPredictor,
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
from pvtpp.core.replay import replay
from pvtpp.errors import InputError
from pvtpp.live.config import LiveConfig
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.predictors import create
from pvtpp.propagation import create as create_propagator
from pvtpp.tracker import Frame

# Results and frames


def test_a_result_becomes_the_answer_and_without_a_target_there_is_none():
    tracker = Quick()
    with made(tracker, clock=Clock()) as live:
        assert live.predict(0) is None and not live.active
        live.submit(frame(0))
        live.init(frame(0), BOX)
        assert box_at(live, 0) == 100 and live.active
        live.submit(frame(1))
        until(lambda: box_at(live, 1) == 110)
        assert live.predict(3 * FRAME).age == pytest.approx(2 / 30)
        live.reset()
        assert live.predict(3 * FRAME) is None and not live.active
    assert tracker.inits == [0] and tracker.tracked == [1]


def test_a_slow_tracker_gets_the_newest_frame_and_builds_no_queue():
    tracker = Held()
    with made(tracker, clock=Clock()) as live:
        live.init(frame(0), BOX)
        live.submit(frame(1))
        tracker.gate.await_somebody()
        for index in range(2, 500):
            assert live.submit(frame(index))
        tracker.gate.open.set()
        until(lambda: len(tracker.tracked) == 2)
        assert tracker.tracked == [1, 499]
        assert live.counts["tracker_dropped"] == 497 and live.counts["frames"] == 500


def test_propagation_keeps_evidence_fresh_while_the_tracker_works():
    tracker = Held()
    with made(tracker, propagator=Steady(), clock=Clock()) as live:
        live.init(frame(0), BOX)
        live.submit(frame(1))
        tracker.gate.await_somebody()
        for index in range(2, 12):
            live.submit(frame(index))
            until(lambda index=index: evidence(live) == index)
            assert box_at(live, index) == 100 + 10 * index
        tracker.gate.open.set()


def test_frames_out_of_order_and_duplicates_are_refused_and_counted():
    propagator = Steady()
    with made(Quick(), propagator=propagator, clock=Clock()) as live:
        live.init(frame(5), BOX)
        assert not live.submit(frame(5)) and not live.submit(frame(4)) and not live.submit(frame(3))
        assert live.submit(frame(6))
        until(lambda: propagator.pushed[-1:] == [6])
        counts = live.counts
        assert (counts["duplicates"], counts["out_of_order"], counts["frames"]) == (1, 2, 2)
    assert propagator.pushed in ([5, 6], [6])


def test_after_a_gap_of_two_seconds_the_age_says_so_and_tracking_goes_on():
    tracker, clock = Quick(), Clock()
    with made(tracker, propagator=create_propagator("optical_flow"), clock=clock) as live:
        grey = np.full((60, 80, 3), 128, np.uint8)
        live.init(frame(0, grey), [40, 30, 10, 10])
        clock.t_ns = 60 * FRAME
        assert live.predict().age == pytest.approx(2.0)
        live.submit(frame(60, grey))
        until(lambda: evidence(live) == 60)
        assert live.predict().age == 0 and live.errors == []


# The clock, the log, the settings


def test_a_clock_that_is_set_back_stops_nothing():
    clock = Clock()
    with made(Quick(), clock=clock) as live:
        clock.t_ns = 10**9
        live.init(frame(0), BOX)
        clock.t_ns = 0
        live.submit(frame(1))
        until(lambda: evidence(live) == 1)
        assert [(each.stage, str(each.error)) for each in live.errors] == [
            ("clock", "the clock was set back by 1.000 s; tracking goes on")
        ]
        # What is asked and answered is of the clock as it is set now.
        assert live.predict(FRAME).t_ns == FRAME and live.predict(FRAME).age == 0
        assert live.trajectory().at(FRAME).box[0] == box_at(live, 1) == 110


def test_a_frame_stamped_before_the_clock_was_set_back_keeps_its_place_in_time():
    clock = Clock()
    with made(Quick(), clock=clock, config=LiveConfig()) as live:
        clock.t_ns = 10**9
        live.init(Frame(0, 10**9 - 2 * FRAME), BOX)
        clock.t_ns -= 100_000_000
        # By the clock as it is set now it would be from the future.
        assert live.submit(Frame(1, 10**9 - FRAME // 2))
        until(lambda: live.trajectory().evidence_ns == 10**9 - FRAME // 2 - 100_000_000)
        assert live.predict().age == pytest.approx(FRAME / 2e9)
        assert live.submit(Frame(2, 10**9 - 100_000_000))


@pytest.mark.parametrize("search_region", ["last", "predicted"])
@pytest.mark.parametrize("propagation", [False, True])
def test_the_log_of_a_live_run_replays_to_the_bit(propagation, search_region):
    names, log, tracker, clock = ("kalman", "hold"), EventLog(), Quick(), Clock()
    options = {"propagator": Steady() if propagation else None, "search_region": search_region, "log": log}
    with made(tracker, names, clock=clock, **options) as live:
        for index in range(60):
            clock.t_ns = index * FRAME
            live.submit(frame(index))
            if index in (0, 40):
                live.init(index * FRAME, BOX)
            if index == 30:
                live.reset()
            if index == 50:
                live.init(45 * FRAME, BOX)
            if index % 3 == 2 and live.active:
                # It comes to know this frame; the others it may pass over, as it happens.
                until(lambda index=index: tracker.tracked[-1:] == [index])
        until(lambda: tracker.tracked[-1] == 59 and evidence(live) == 59)
    assert live.errors == [] and len(tracker.tracked) > 10
    assert replay(log, {name: create(name) for name in names}).rows == log.rows


@pytest.mark.parametrize("stage", ["tracker", "propagator", "predictor"])
def test_closing_does_not_wait_for_ever_for_a_stage_that_hangs(stage):
    tracker, propagator, predictor = Held(), HeldPropagator(), HeldPredictor()
    gates = {"tracker": tracker.gate, "propagator": propagator.gate, "predictor": predictor.predictor}
    predictor.encoder.open.set()
    for name, gate in gates.items():
        if name != stage:
            gate.open.set()
    live = made(tracker, {"mine": predictor}, propagator=propagator, clock=Clock())
    live.init(frame(0), BOX)
    index = 0
    while not gates[stage].reached.is_set():
        index += 1
        live.submit(frame(index))
        until(lambda: gates[stage].reached.is_set() or idle(live))
    assert live.close(timeout=0.01) is False
    assert live.submit(frame(index + 1)) is False and live.predict() is None
    with pytest.raises(InputError, match="after close"):
        live.init(frame(index + 2), BOX)
    gates[stage].open.set()
    assert live.close(PATIENCE_S) is True and live.counts["late_reports"] == int(stage == "tracker")
    assert live.predict() is None


def test_the_interpreters_switch_interval_is_lowered_where_asked_never_raised_and_set_back():
    own = sys.getswitchinterval()
    wanted = LiveConfig(switch_interval_s=0.001, capture_times=ANY_TIME)
    try:
        for before, meanwhile in ((0.005, 0.001), (0.0005, 0.0005)):
            sys.setswitchinterval(before)
            with made(Quick(), clock=Clock()):
                assert sys.getswitchinterval() == pytest.approx(before)
            with made(Quick(), clock=Clock(), config=wanted):
                assert sys.getswitchinterval() == pytest.approx(meanwhile)
            assert sys.getswitchinterval() == pytest.approx(before)
        sys.setswitchinterval(0.005)
        with made(Quick(), clock=Clock(), config=wanted):
            with made(Quick(), clock=Clock(), config=LiveConfig(switch_interval_s=0.0002, capture_times=ANY_TIME)):
                assert sys.getswitchinterval() == pytest.approx(0.0002)
            assert sys.getswitchinterval() == pytest.approx(0.001)
            # What somebody else has set since stays.
            sys.setswitchinterval(0.003)
        assert sys.getswitchinterval() == pytest.approx(0.003)
    finally:
        sys.setswitchinterval(own)


def test_wrong_settings_are_refused():
    with pytest.raises(InputError, match="stall_s"):
        LiveConfig(stall_s=0)
    with pytest.raises(InputError, match="LiveConfig.switch_interval_s is 0, allowed is None or a number above 0"):
        LiveConfig(switch_interval_s=0)
    with pytest.raises(InputError, match="at least one predictor"):
        LiveTracker(Quick(), {})
    with pytest.raises(InputError, match="not a tracker"):
        made(object())
    with pytest.raises(InputError, match="search_region is 'here'"):
        made(Quick(), search_region="here")
    with made(Quick(), clock=Clock()) as live:
        live.init(frame(0), BOX)
        with pytest.raises(InputError, match="first box"):
            live.init(frame(1), [1, 2, 3])
        with pytest.raises(InputError, match="expected one of: hold"):
            live.predict(0, "kalman")
        with pytest.raises(InputError, match="needs a gyro"):
            live.gyro_sample(0, [0, 0, 0])
        assert live.active
