"""The live tracker: it survives what cameras and trackers do, and never passes an old answer off as a new one."""

import threading
import time

import numpy as np
import pytest

from pvtpp.core.event_log import EventLog
from pvtpp.core.replay import replay
from pvtpp.errors import InputError
from pvtpp.live.live_tracker import LiveConfig, LiveTracker
from pvtpp.predictors import create
from pvtpp.propagation import Carried
from pvtpp.propagation import create as create_propagator
from pvtpp.tracker import Frame, TrackerOutput

FRAME = 10**9 // 30
BOX = np.array([100.0, 100, 20, 20])
RIGHT = np.array([10.0, 0, 0, 0])


class Clock:
    """Stands still unless told otherwise."""

    def __init__(self):
        self.t_ns = 0

    def __call__(self):
        return self.t_ns


class Slow:
    """A tracker that sees the target 10 px further right in each frame, works for `seconds`, and remembers its calls."""

    def __init__(self, seconds=0.0):
        self.seconds, self.inits, self.tracked, self.searched = seconds, [], [], []

    def init(self, frame, box):
        self.inits.append(frame.index)
        self.first, self.box = frame.index, box

    def track(self, frame, search_box=None):
        time.sleep(self.seconds)
        self.tracked.append(frame.index)
        self.searched.append(None if search_box is None else search_box[0])
        return TrackerOutput(self.box + (frame.index - self.first) * RIGHT)


class Held(Slow):
    """Begins a frame and waits until the test lets it go on."""

    def __init__(self):
        super().__init__()
        self.begun, self.go = threading.Event(), threading.Event()

    def track(self, frame, search_box=None):
        self.begun.set()
        assert self.go.wait(30)
        return super().track(frame, search_box)


class Steady:
    """A propagator that sees everything move 10 px to the right in each frame."""

    def __init__(self):
        self.pushed = []

    def push(self, frame, region):
        self.pushed.append(frame.index)

    def carry(self, box, from_ns, to_ns):
        return Carried(np.asarray(box) + RIGHT * round((to_ns - from_ns) / FRAME), 0.9, 1)


def made(tracker, names=("hold",), **options):
    return LiveTracker(tracker, {name: create(name) for name in names}, **options)


def frame(index, image=None):
    return Frame(index, index * FRAME, image)


def until(condition, seconds=30.0):
    """Wait until it is so, generously: the machine may be busy."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to it"
        time.sleep(0.001)


def box_at(live, index):
    return live.predict(index * FRAME).box[0]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    until(lambda: set(threading.enumerate()) <= before)


def test_a_result_becomes_the_answer_and_without_a_target_there_is_none():
    tracker = Slow()
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
        assert tracker.begun.wait(30)
        for index in range(2, 500):
            assert live.submit(frame(index))
        tracker.go.set()
        until(lambda: len(tracker.tracked) == 2)
        assert tracker.tracked == [1, 499]
        assert live.counts["tracker_dropped"] == 497 and live.counts["frames"] == 500


def test_the_fast_lane_keeps_evidence_fresh_while_the_tracker_works():
    tracker, clock = Held(), Clock()
    with made(tracker, propagator=Steady(), clock=clock) as live:
        live.init(frame(0), BOX)
        live.submit(frame(1))
        assert tracker.begun.wait(30)
        for index in range(2, 12):
            live.submit(frame(index))
            until(lambda index=index: live.trajectory().evidence_ns == index * FRAME)
            assert box_at(live, index) == 100 + 10 * index
        tracker.go.set()


def test_frames_out_of_order_and_duplicates_are_refused_and_counted():
    lane = Steady()
    with made(Slow(), propagator=lane, clock=Clock()) as live:
        live.init(frame(5), BOX)
        assert not live.submit(frame(5)) and not live.submit(frame(4)) and not live.submit(frame(3))
        assert live.submit(frame(6))
        until(lambda: lane.pushed[-1:] == [6])
        counts = live.counts
        assert (counts["duplicates"], counts["out_of_order"], counts["frames"]) == (1, 2, 2)
    assert lane.pushed in ([5, 6], [6])


def test_after_a_gap_of_two_seconds_the_age_tells_and_tracking_goes_on():
    tracker, clock = Slow(), Clock()
    with made(tracker, propagator=create_propagator("optical_flow"), clock=clock) as live:
        grey = np.full((60, 80, 3), 128, np.uint8)
        live.init(frame(0, grey), [40, 30, 10, 10])
        clock.t_ns = 60 * FRAME
        assert live.predict().age == pytest.approx(2.0)
        live.submit(frame(60, grey))
        until(lambda: live.trajectory().evidence_ns == 60 * FRAME)
        assert live.predict().age == 0 and live.errors == []


def test_a_target_given_on_a_past_frame_is_caught_up_with_by_the_lane():
    tracker, log = Slow(), EventLog()
    with made(tracker, propagator=Steady(), clock=Clock(), log=log) as live:
        for index in range(31):
            live.submit(frame(index))
        live.init(21 * FRAME, BOX)
        until(lambda: tracker.tracked == [30])
        assert tracker.inits == [21] and tracker.searched == [190]
        assert log.of_kind("start")[0][4][0] == 190
        until(lambda: live.trajectory().evidence_ns == 30 * FRAME)
        assert box_at(live, 30) == 190
        with pytest.raises(InputError, match=f"t_ns=7 is in memory; there are 31, from t_ns=0 to t_ns={30 * FRAME}"):
            live.init(7, BOX)
        assert live.active


@pytest.mark.parametrize("kind", [RuntimeError, SystemExit])
def test_a_tracker_that_raises_or_exits_is_reported_and_the_next_frame_tried(kind):
    class Moody(Slow):
        def track(self, frame, search_box=None):
            if frame.index == 1:
                raise kind("no mood")
            return super().track(frame, search_box) if frame.index != 2 else "a box"

    told = []
    with made(Moody(), clock=Clock(), on_error=lambda failure: (told.append(failure), 1 / 0)) as live:
        live.init(frame(0), BOX)
        live.submit(frame(1))
        until(lambda: len(told) == 1)
        live.submit(frame(2))
        until(lambda: len(told) == 2)
        live.submit(frame(3))
        until(lambda: live.trajectory().evidence_ns == 3 * FRAME)
        assert [failure.stage for failure in live.errors] == ["track", "track"] and live.counts["errors"] == 2
        assert "no mood" in str(told[0].error) and "TrackerOutput" in str(told[1].error)


@pytest.mark.parametrize("kind", [RuntimeError, SystemExit])
def test_a_tracker_that_cannot_begin_leaves_no_target_and_the_next_one_may_succeed(kind):
    class Picky(Slow):
        def init(self, frame, box):
            if frame.index == 0:
                raise kind("not this one")
            super().init(frame, box)

    with made(Picky(), clock=Clock()) as live:
        live.init(frame(0), BOX)
        until(lambda: not live.active)
        assert live.predict(0) is None
        until(lambda: [failure.stage for failure in live.errors] == ["init"])
        live.init(frame(1), BOX)
        live.submit(frame(2))
        until(lambda: live.active and live.trajectory().evidence_ns == 2 * FRAME)


def test_a_lane_that_raises_costs_a_frame_and_no_result():
    class Broken(Steady):
        def push(self, frame, region):
            if frame.index % 2:
                raise (RuntimeError if frame.index == 1 else SystemExit)("cannot see")
            super().push(frame, region)

    with made(Slow(), propagator=Broken(), clock=Clock()) as live:
        live.init(frame(0), BOX)
        for index in range(1, 5):
            live.submit(frame(index))
            until(lambda index=index: live.trajectory().evidence_ns == index * FRAME)
        assert [failure.stage for failure in live.errors] == ["lane", "lane"]


def test_a_hanging_tracker_is_reported_and_its_late_answer_is_not_the_new_targets():
    tracker, clock, told = Held(), Clock(), []
    with made(tracker, clock=clock, config=LiveConfig(stall_s=0.02), on_error=told.append) as live:
        live.init(frame(0), BOX)
        live.submit(frame(1))
        assert tracker.begun.wait(30)
        until(lambda: live.stalled)
        for index in (2, 3):
            clock.t_ns = index * FRAME
            live.submit(frame(index))
            assert live.predict().age == pytest.approx(index / 30)
        assert [failure.stage for failure in told] == ["stall"]
        live.init(frame(4), BOX + [0, 200, 0, 0])
        assert live.predict(4 * FRAME).box[1] == 300
        tracker.go.set()
        until(lambda: live.counts["late_answers"] == 1)
        assert live.predict(4 * FRAME).box[1] == 300 and not live.stalled
        live.submit(frame(5))
        until(lambda: live.trajectory().evidence_ns == 5 * FRAME)
        np.testing.assert_allclose(live.predict(5 * FRAME).box, [110, 300, 20, 20])
    assert tracker.inits == [0, 4] and tracker.tracked == [1, 5]


def test_what_the_lane_carried_for_the_old_target_is_not_given_to_the_new_one():
    class HeldLane(Steady):
        begun, go = threading.Event(), threading.Event()

        def carry(self, box, from_ns, to_ns):
            self.begun.set()
            assert self.go.wait(30)
            return super().carry(box, from_ns, to_ns)

    lane = HeldLane()
    with made(Held(), propagator=lane, clock=Clock()) as live:
        live.init(frame(0), BOX)
        live.submit(frame(1))
        assert lane.begun.wait(30)
        # The same frame, so that the capture time does not tell the targets apart.
        live.init(0, BOX + [0, 200, 0, 0])
        lane.go.set()
        until(lambda: live.trajectory().evidence_ns == FRAME)
        assert live.predict(FRAME).box.tolist() == [110, 300, 20, 20]
        live._tracker.go.set()


def test_closing_does_not_wait_for_ever_for_a_tracker_that_hangs():
    tracker = Held()
    live = made(tracker)
    live.init(frame(0), BOX)
    live.submit(frame(1))
    assert tracker.begun.wait(30)
    assert live.close(timeout=0.01) is False
    assert live.submit(frame(2)) is False and live.predict() is None
    with pytest.raises(InputError, match="after close"):
        live.init(frame(3), BOX)
    tracker.go.set()
    assert live.close() is True and live.counts["late_answers"] == 1


def test_a_changed_image_size_breaks_neither_lane_nor_tracker():
    rng = np.random.default_rng(1)
    small, large = (
        np.repeat(rng.integers(255, size=(*side, 1), dtype=np.uint8), 3, 2) for side in ((60, 80), (120, 160))
    )
    tracker = Slow()
    with made(tracker, propagator=create_propagator("optical_flow"), clock=Clock()) as live:
        live.init(frame(0, small), [40, 30, 20, 20])
        for index, image in enumerate([small, small, large, large, small, small], start=1):
            live.submit(frame(index, image))
            until(lambda index=index: live.trajectory().evidence_ns == index * FRAME)
        until(lambda: tracker.tracked[-1:] == [6])
        assert live.errors == []


def test_a_thousand_new_targets_leave_nothing_behind():
    tracker = Slow()
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
        until(lambda: live.trajectory().evidence_ns == 1001 * FRAME)
        assert live.predict(1001 * FRAME).box.tolist() == [110, 100, 20, 20]
        assert live.errors == [] and threading.active_count() == threads


def test_a_clock_that_is_set_back_does_not_stop_the_pipeline():
    clock = Clock()
    with made(Slow(), clock=clock) as live:
        clock.t_ns = 10**9
        live.init(frame(0), BOX)
        clock.t_ns = 0
        live.submit(frame(1))
        until(lambda: live.trajectory().evidence_ns == FRAME)
        assert live.errors == []


@pytest.mark.parametrize("search_region", ["last", "predicted"])
@pytest.mark.parametrize("lane", [False, True])
def test_the_log_of_a_live_run_replays_to_the_bit(lane, search_region):
    names, log = ("kalman", "hold"), EventLog({"search_region": search_region})
    tracker = Slow(0.004)
    begun = time.monotonic_ns()
    options = {"propagator": Steady() if lane else None, "search_region": search_region, "log": log}
    with made(tracker, names, clock=lambda: time.monotonic_ns() - begun, **options) as live:
        for index in range(60):
            live.submit(Frame(index, index * 3_000_000))
            if index in (0, 40):
                live.init(index * 3_000_000, BOX)
            if index == 30:
                live.reset()
            if index == 50:
                live.init(45 * 3_000_000, BOX)
            time.sleep(0.002)
        until(lambda: tracker.tracked and tracker.tracked[-1] == 59)
    assert live.errors == [] and len(tracker.tracked) > 4
    assert replay(log, {name: create(name) for name in names}).rows == log.rows


def test_questions_from_many_threads_are_answered_while_all_else_goes_on():
    wrong, stop = [], threading.Event()
    with made(Slow(), propagator=Steady(), clock=Clock()) as live:
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
            time.sleep(0.0005)
        stop.set()
        for asker in askers:
            asker.join()
        assert wrong == [] and live.errors == []
        assert set(live.times.summary()) == {"track", "lane", "predict", "frame_age"}


def test_wrong_settings_are_refused():
    with pytest.raises(InputError, match="stall_s"):
        LiveConfig(stall_s=0)
    with pytest.raises(InputError, match="at least one predictor"):
        LiveTracker(Slow(), {})
    with pytest.raises(InputError, match="not a tracker"):
        made(object())
    with made(Slow(), clock=Clock()) as live:
        live.init(frame(0), BOX)
        with pytest.raises(InputError, match="first box"):
            live.init(frame(1), [1, 2, 3])
        with pytest.raises(InputError, match="expected one of: hold"):
            live.predict(0, "kalman")
        assert live.active
