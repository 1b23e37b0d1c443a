"""The live tracker: it survives what cameras and trackers do, and never passes an old answer off as a new one."""

import sys
import threading
import time

import numpy as np
import pytest

from pvtpp.camera_motion import Gyro
from pvtpp.core.capture_times import CaptureTimeConfig
from pvtpp.core.event_log import EventLog
from pvtpp.core.replay import replay
from pvtpp.errors import InputError
from pvtpp.live.config import LiveConfig
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.predictors import create
from pvtpp.propagation import Carried
from pvtpp.propagation import create as create_propagator
from pvtpp.tracker import Frame, TrackerOutput

FRAME = 10**9 // 30
BOX = np.array([100.0, 100, 20, 20])
RIGHT = np.array([10.0, 0, 0, 0])
PATIENCE_S = 60
# The clocks of most tests stand still, or go on by themselves.
ANY_TIME = CaptureTimeConfig(float("inf"), float("inf"))


class Clock:
    """Stands still unless the test moves it."""

    def __init__(self):
        self.t_ns = 0

    def __call__(self):
        return self.t_ns


class Gate:
    """Whoever comes to it waits until the test opens it."""

    def __init__(self):
        self.reached, self.open = threading.Event(), threading.Event()

    def __call__(self):
        self.reached.set()
        assert self.open.wait(PATIENCE_S), "nobody opened the gate"

    def await_somebody(self):
        assert self.reached.wait(PATIENCE_S), "nobody came to the gate"


class Quick:
    """A tracker that sees the target 10 px further right in each frame, at once, and remembers its calls."""

    def __init__(self):
        self.inits, self.tracked, self.searched = [], [], []

    def init(self, frame, box):
        self.inits.append(frame.index)
        self.first, self.box = frame.index, box

    def track(self, frame, search_box=None):
        self.tracked.append(frame.index)
        self.searched.append(None if search_box is None else search_box[0])
        return TrackerOutput(self.box + (frame.index - self.first) * RIGHT)


class Held(Quick):
    """It waits at a gate in each frame."""

    def __init__(self):
        super().__init__()
        self.gate = Gate()

    def track(self, frame, search_box=None):
        self.gate()
        return super().track(frame, search_box)


class Steady:
    """A propagator that sees everything move 10 px to the right in each frame."""

    def __init__(self):
        self.pushed = []

    def push(self, frame, region):
        self.pushed.append(frame.index)

    def carry(self, box, from_ns, to_ns):
        return Carried(np.asarray(box) + RIGHT * round((to_ns - from_ns) / FRAME), 0.9, 1)


class HeldPropagator(Steady):
    """It waits at a gate for each box."""

    def __init__(self):
        super().__init__()
        self.gate = Gate()

    def carry(self, box, from_ns, to_ns):
        self.gate()
        return super().carry(box, from_ns, to_ns)


class HeldPredictor:
    """It reads features, and waits at one gate when it encodes and at another when it predicts."""

    reads_features = True

    def __init__(self):
        self.encoder, self.predictor = Gate(), Gate()

    def encode(self, output):
        self.encoder()
        return output.features

    def predict(self, track):
        self.predictor()
        return create("hold").predict(track)


def made(tracker, names=("hold",), **options):
    predictors = names if isinstance(names, dict) else {name: create(name) for name in names}
    options.setdefault("config", LiveConfig(capture_times=ANY_TIME))
    return LiveTracker(tracker, predictors, **options)


def frame(index, image=None):
    return Frame(index, index * FRAME, image)


def until(condition, seconds=PATIENCE_S):
    """Wait until it is so; a busy machine may take long."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.001)


def box_at(live, index):
    return live.predict(index * FRAME).box[0]


def idle(live):
    """Whether no stage has anything to do."""
    with live._lock:
        return not any(live._machine._busy.values())


def evidence(live):
    return live.trajectory().evidence_ns // FRAME


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


def test_where_the_image_size_changes_the_target_is_given_anew_in_scale():
    rng = np.random.default_rng(1)
    small, large = (
        np.repeat(rng.integers(255, size=(*side, 1), dtype=np.uint8), 3, 2) for side in ((60, 80), (120, 160))
    )
    tracker = Quick()
    with made(tracker, propagator=create_propagator("optical_flow"), clock=Clock()) as live:
        live.init(frame(0, small), [40, 30, 20, 20])
        for index, image in enumerate([small, small, large, large, small, small], start=1):
            live.submit(frame(index, image))
            until(lambda index=index: evidence(live) == index)
            until(lambda image=image: live.predict(0).box[2] == image.shape[1] / 4)
        assert {each.stage for each in live.errors} == {"size"} and len(live.errors) == 2
        assert "frame 3: the image is 160 x 120 pixels, those before were 80 x 60" in str(live.errors[0].error)
        assert tracker.inits == [0, 3, 5] and live.target == 3


# Targets


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


# Nobody waits


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


# Failures


@pytest.mark.parametrize("kind", [RuntimeError, SystemExit])
def test_a_tracker_that_raises_or_exits_is_reported_and_the_next_frame_tried(kind):
    class Moody(Quick):
        def track(self, frame, search_box=None):
            if frame.index == 1:
                raise kind("no mood")
            return super().track(frame, search_box) if frame.index != 2 else "a box"

    failures = []
    with made(Moody(), clock=Clock(), on_error=lambda failure: (failures.append(failure), 1 / 0)) as live:
        live.init(frame(0), BOX)
        live.submit(frame(1))
        until(lambda: len(failures) == 1)
        live.submit(frame(2))
        until(lambda: len(failures) == 2)
        live.submit(frame(3))
        until(lambda: evidence(live) == 3)
        assert [failure.stage for failure in live.errors] == ["track", "track"] and live.counts["errors"] == 2
        assert "no mood" in str(failures[0].error) and "TrackerOutput" in str(failures[1].error)


@pytest.mark.parametrize("kind", [RuntimeError, SystemExit])
def test_a_tracker_that_cannot_begin_leaves_no_target_and_the_next_one_may_succeed(kind):
    class Picky(Quick):
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
        until(lambda: live.active and evidence(live) == 2)


class Blind(Steady):
    def push(self, frame, region):
        if frame.index % 2:
            raise (RuntimeError if frame.index == 1 else SystemExit)("cannot see")
        super().push(frame, region)


class Wild(Steady):
    def carry(self, box, from_ns, to_ns):
        return Carried(np.full(4, np.nan), 1.0, 1)


class Sure(Steady):
    def carry(self, box, from_ns, to_ns):
        return Carried(box, 1.5, 1)


@pytest.mark.parametrize("propagator", [Blind, Wild, Sure])
def test_a_propagator_that_raises_or_answers_nonsense_costs_a_frame_and_no_result(propagator):
    with made(Quick(), propagator=propagator(), clock=Clock()) as live:
        live.init(frame(0), BOX)
        for index in range(1, 5):
            live.submit(frame(index))
            until(lambda index=index: evidence(live) == index)
        assert {failure.stage for failure in live.errors} == {"propagate"}
        assert propagator is not Blind or len(live.errors) == 2


@pytest.mark.parametrize("kind", [RuntimeError, SystemExit, None])
@pytest.mark.parametrize("stage", ["encode", "predict"])
def test_a_predictor_that_raises_or_answers_nonsense_is_reported_and_the_next_result_tried(stage, kind):
    class Weak:
        reads_features = True

        def encode(self, output):
            if stage == "encode" and output.box[0] == 110:
                raise (kind or ValueError)("cannot")

        def predict(self, track):
            if stage == "predict" and len(track) == 2:
                if kind is None:
                    return "a trajectory"
                raise kind("cannot")
            return create("hold").predict(track)

    with made(Quick(), {"weak": Weak()}, clock=Clock()) as live:
        live.init(frame(0), BOX)
        live.submit(frame(1))
        until(lambda: [failure.stage for failure in live.errors] == [stage])
        live.submit(frame(2))
        until(lambda: evidence(live) == 2)
        assert box_at(live, 2) == 120 and len(live.errors) == 1


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
