"""The live tracker: whoever submits or queries waits for no stage."""

import threading

import numpy as np
from live_fakes import (
    ANY_TIME,
    BOX,
    FRAME,
    Clock,
    Held,
    HeldPredictor,
    HeldPropagator,
    Quick,
    Steady,
    box_at,
    evidence,
    frame,
    made,
    until,
)

from pvtpp.camera_motion import Gyro
from pvtpp.core.event_log import EventLog
from pvtpp.core.replay import replay
from pvtpp.live.config import LiveConfig
from pvtpp.predictors import create


def test_submit_and_questions_wait_for_no_stage_whatever_it_is_at():
    tracker, propagator, predictor = Held(), HeldPropagator(), HeldPredictor()
    gates = [tracker.gate, propagator.gate, predictor.encoder, predictor.predictor]
    camera = Gyro([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]])
    with made(tracker, {"mine": predictor}, propagator=propagator, clock=Clock(), gyro=camera) as live:

        def everything_goes_on(first):
            for index in range(first, first + 20):
                assert live.submit(frame(index))
                live.gyro_sample(index * FRAME, [0, 0, 0])
                assert box_at(live, index) > 0 and live.trajectory() is not None and live.active
                assert live.counts["frames"] == index + 1 and not live.paused and live.presence is None
                live.pause()
                live.resume()

        try:
            live.submit(frame(0))
            live.init(frame(0), BOX)
            # The encoder is at the first box, and the tracker and the propagator are at the next frame.
            predictor.encoder.await_somebody()
            everything_goes_on(1)
            propagator.gate.await_somebody()
            tracker.gate.await_somebody()
            assert not any(gate.open.is_set() for gate in gates)
            everything_goes_on(21)
            predictor.encoder.open.set()
            predictor.predictor.await_somebody()
            everything_goes_on(41)
            live.init(frame(61), BOX)
            live.reset()
            assert live.predict(0) is None
            assert not any(gate.open.is_set() for gate in (tracker.gate, propagator.gate, predictor.predictor))
        finally:
            for gate in gates:
                gate.open.set()
        assert live.errors == []


def test_questions_take_no_lock():
    answers = []
    with made(Quick(), clock=Clock()) as live:
        live.init(frame(0), BOX)

        def ask():
            answers.append((live.predict(0).box[0], live.trajectory().evidence_ns, live.active, live.target))
            answers.append((live.presence, live.stalled, live.paused, live.errors))

        asker = threading.Thread(target=ask)
        with live._lock:
            asker.start()
            # Were it to wait for the lock, it would never come back.
            until(lambda: len(answers) == 2)
        asker.join()
    assert answers == [(100, 0, True, 1), (None, False, False, [])]


def test_a_tracker_does_not_wait_for_ever_for_a_predictor_that_hangs():
    tracker, predictor, clock, log = Quick(), HeldPredictor(), Clock(), EventLog()
    predictor.encoder.open.set()
    with made(
        tracker, {"mine": predictor}, clock=clock, log=log, config=LiveConfig(wait_s=0.05, capture_times=ANY_TIME)
    ) as live:
        live.init(frame(0), BOX)
        predictor.predictor.await_somebody()
        live.submit(frame(1))
        until(lambda: live._machine.deadline_ns is not None)
        assert tracker.tracked == [] and log.of_kind("time") == []
        clock.t_ns = 50_000_000
        until(lambda: tracker.tracked == [1])
        assert log.of_kind("time") == [["time", 50_000_000]]
        predictor.predictor.open.set()
        until(lambda: evidence(live) == 1)
    replayed = replay(log, {"hold": create("hold")})
    assert [row[:2] for row in replayed.rows] == [row[:2] for row in log.rows]


def test_questions_from_many_threads_are_answered_while_all_else_goes_on():
    wrong, stop = [], threading.Event()
    with made(Quick(), propagator=Steady(), clock=Clock()) as live:
        live.init(frame(0), BOX)

        def ask():
            while not stop.is_set():
                found = live.predict(0)
                if found is None or not np.isfinite(found.box).all():
                    wrong.append(found)

        askers = [threading.Thread(target=ask) for _ in range(3)]
        for asker in askers:
            asker.start()
        for index in range(1, 20):
            live.submit(frame(index))
            until(lambda index=index: evidence(live) == index)
        stop.set()
        for asker in askers:
            asker.join()
        assert wrong == [] and live.errors == []
        until(lambda: set(live.times.summary()) == {"track", "propagate", "predict", "frame_age"})
