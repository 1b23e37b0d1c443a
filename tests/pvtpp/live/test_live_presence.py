"""What a live tracker says to those around it: presence, every result, every event; and what pausing means."""

import queue
import threading
import time

import numpy as np
import pytest

from pvtpp.core.capture_times import CaptureTimeConfig
from pvtpp.core.event_log import EventLog, Unlogged
from pvtpp.core.presence import Presence, PresenceConfig
from pvtpp.core.replay import replay
from pvtpp.live.config import LiveConfig
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.predictors import create
from pvtpp.tracker import Frame, TrackerOutput

FRAME = 10**9 // 30
BOX = np.array([40.0, 30, 24, 20])
# The clocks of most tests stand still, or go on by themselves.
ANY_TIME = CaptureTimeConfig(float("inf"), float("inf"))


class Clock:
    """Stands still unless the test moves it."""

    t_ns = 0

    def __call__(self):
        return self.t_ns


class Sure:
    """A tracker that is sure, whatever it is shown, that the target is where it was."""

    def __init__(self):
        self.searched = []

    def init(self, frame, box):
        self.box = box

    def track(self, frame, search_box=None):
        self.searched.append(search_box)
        return TrackerOutput(self.box, 1.0)


def image(seed):
    rng = np.random.default_rng(seed)
    return np.repeat(np.repeat(rng.integers(255, size=(12, 16, 3), dtype=np.uint8), 5, 0), 5, 1)


SHOWN, HIDDEN = image(1), image(2)


def live_with(clock, **options):
    options.setdefault("config", LiveConfig(capture_times=ANY_TIME))
    return LiveTracker(options.pop("tracker", Sure()), {"hold": create("hold")}, clock=clock, **options)


def until(condition, seconds=60.0):
    """Wait until it is so; a busy machine may take long."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.001)


def idle(live):
    """Whether no stage has anything to do."""
    with live._lock:
        return not any(live._machine._busy.values())


def show(live, clock, index, picture):
    """One frame, and wait until all has been done with it."""
    clock.t_ns = index * FRAME
    until(lambda: idle(live))
    before = live.times.summary().get("track", (0,))[0]
    assert live.submit(Frame(index, index * FRAME, picture))
    until(lambda: live.times.summary().get("track", (0,))[0] > before)
    until(lambda: idle(live))


def test_a_hidden_target_is_lost_searched_for_and_found_when_it_shows_again():
    clock, tracker, log = Clock(), Sure(), EventLog()
    with live_with(clock, tracker=tracker, presence=PresenceConfig(), log=log) as live:
        assert live.presence is None
        live.init(Frame(0, 0, SHOWN), BOX)
        assert live.presence is Presence.TRACKING
        for index in range(1, 6):
            show(live, clock, index, SHOWN)
        assert live.presence is Presence.TRACKING and tracker.searched == [None] * 5
        for index in range(6, 20):
            show(live, clock, index, HIDDEN)
        assert live.presence is Presence.LOST and live.probability < 0.25
        assert len({tuple(box) for box in tracker.searched[-6:]}) >= 3
        for index in range(20, 32):
            show(live, clock, index, SHOWN)
        assert live.presence is Presence.TRACKING and live.predict().age == 0 and live.probability > 0.9
        live.reset()
        assert live.presence is None
    assert [row[2] for row in log.of_kind("presence")] == ["TRACKING", "UNCERTAIN", "LOST", "UNCERTAIN", "TRACKING"]
    assert log.rows[-1][0] == "reset"
    assert replay(log, {"hold": create("hold")}).rows == log.rows


class Sent(Sure):
    """A tracker that answers with the place where it is sent."""

    def track(self, frame, search_box=None):
        self.box = self.box if search_box is None else search_box
        return TrackerOutput(self.box, 1.0)


def test_a_target_that_reappears_far_away_is_found_where_the_detector_saw_it_and_a_failing_detector_does_no_harm():
    there, small = BOX + [240, 160, 0, 0], np.zeros((240, 320, 3), np.uint8)
    before, after = small.copy(), small.copy()
    before[20:40, 28:52], after[180:200, 268:292] = SHOWN[20:40, 28:52], SHOWN[20:40, 28:52]
    asked = []

    def detector(frame):
        asked.append((frame.index, threading.current_thread().name))
        if len(asked) == 1:
            raise RuntimeError("not yet")
        return [there], [0.8]

    clock, log = Clock(), EventLog()
    with live_with(clock, tracker=Sent(), presence=PresenceConfig(), detector=detector, log=log) as live:
        live.init(Frame(0, 0, before), BOX)
        for index in range(1, 6):
            show(live, clock, index, before)
        assert not asked
        for index in range(6, 60):
            show(live, clock, index, after)
            if live.presence is Presence.TRACKING and index > 20:
                break
        assert live.presence is Presence.TRACKING and asked[0][1] == "pvtpp detector"
        np.testing.assert_allclose(live.predict().box, there)
        assert [failure.stage for failure in live.errors] == ["detect"]
    assert replay(log, {"hold": create("hold")}).rows == log.rows


def test_without_frames_presence_worsens_by_itself():
    clock, config = Clock(), PresenceConfig()
    with live_with(clock, presence=config) as live:
        live.init(Frame(0, 0, SHOWN), BOX)
        clock.t_ns = round(config.uncertain_s * 1.1e9)
        assert live.presence is Presence.UNCERTAIN
        clock.t_ns = round(config.lost_s * 1.1e9)
        assert live.presence is Presence.LOST


def test_while_paused_frames_are_refused_and_predictions_age():
    clock = Clock()
    with live_with(clock, presence=PresenceConfig()) as live:
        live.init(Frame(0, 0, SHOWN), BOX)
        show(live, clock, 1, SHOWN)
        live.pause()
        clock.t_ns = 40 * FRAME
        assert not live.submit(Frame(40, 40 * FRAME, SHOWN)) and live.paused and live.counts["paused"] == 1
        assert live.predict().age == pytest.approx(39 / 30) and live.presence is Presence.UNCERTAIN and live.active
        live.resume()
        show(live, clock, 41, SHOWN)
        assert not live.paused and live.predict().age == 0 and live.presence is Presence.TRACKING


def test_every_result_is_given_with_its_time_and_its_target_and_a_callback_that_raises_does_no_harm():
    clock, results = Clock(), []

    def take(capture_ns, output, target):
        results.append((capture_ns, output.box[0], target, threading.current_thread().name))
        raise RuntimeError("not now")

    with live_with(clock, on_result=take) as live:
        for target in (1, 2):
            live.init(Frame(10 * target, 10 * target * FRAME, SHOWN), BOX + [target, 0, 0, 0])
            show(live, clock, 10 * target + 1, SHOWN)
            assert live.target == target
        until(lambda: len(live.errors) == 2)
        assert {failure.stage for failure in live.errors} == {"on_result"}
    assert results == [(11 * FRAME, 41, 1, "pvtpp tracker"), (21 * FRAME, 42, 2, "pvtpp tracker")]


def test_a_result_for_a_target_that_is_gone_is_not_given_and_callbacks_may_ask_and_reset():
    clock, results = Clock(), []

    def take(capture_ns, output, target):
        results.append((target, live.predict(0) is not None, live.counts["errors"]))
        if target == 2:
            live.reset()

    with live_with(clock, on_result=take) as live:
        live.init(Frame(0, 0, SHOWN), BOX)
        show(live, clock, 1, SHOWN)
        live.init(Frame(2, 2 * FRAME, SHOWN), BOX)
        until(lambda: idle(live))
        assert live.submit(Frame(3, 3 * FRAME, SHOWN))
        until(lambda: not live.active)
        assert live.errors == []
    assert results == [(1, True, 0), (2, True, 0)]


def test_every_event_reaches_the_sink_as_it_happens_even_of_a_log_that_keeps_none():
    clock, events = Clock(), queue.SimpleQueue()
    with live_with(clock, log=Unlogged(sink=events.put)) as live:
        live.init(Frame(0, 0, SHOWN), BOX)
        show(live, clock, 1, SHOWN)
        live.reset()
    kinds = [events.get(timeout=60)[0] for _ in range(events.qsize())]
    # The first prediction and the start of the tracker are of two threads.
    assert sorted(kinds[3:5]) == ["initialised", "trajectory"]
    assert kinds[:3] + kinds[5:] == ["frame", "init", "trajectory", "frame", "track", "result", "trajectory", "reset"]
