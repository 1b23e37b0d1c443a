"""The wall clock: frames are delivered at their capture times, and the log replays and scores like any other."""

import threading
import time
from functools import partial

import numpy as np
import pytest

from pvtpp.boxes import xywh_to_box
from pvtpp.core.event_log import EventLog
from pvtpp.core.presence import PresenceConfig
from pvtpp.core.replay import replay
from pvtpp.errors import InputError
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.predictors import create
from pvtpp.propagation import Carried
from pvtpp.tracker import Frame
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.score import score_online
from pvtpp_benchmarks.wall import SequenceClock, run_wall

NAMES = ("kalman", "hold")


class SlowOracle(Oracle):
    """Takes 20 to 50 ms, by the frame."""

    def track(self, frame, search_box=None):
        time.sleep(0.02 + 0.03 * (frame.index * 7 % 10) / 10)
        return super().track(frame, search_box)


def walk(frames=45, **rates):
    rng = np.random.default_rng(3)
    xywh = np.cumsum(rng.normal(scale=[6, 6, 0.2, 0.2], size=(frames, 4)), axis=0) + [300, 200, 40, 30]
    return VideoSequence("walk", xywh, **rates)


def first_box(sequence, start=0):
    return xywh_to_box(sequence.ground_truth_xywh[start * sequence.stride])


def live_with(tracker, **options):
    return lambda log, clock: LiveTracker(
        tracker, {name: create(name) for name in NAMES}, log=log, clock=clock, **options
    )


class Standing:
    """A propagator that sees nothing move."""

    def push(self, frame, region):
        pass

    def carry(self, box, from_ns, to_ns):
        return Carried(np.asarray(box), 0.5, 1)


def replayed(log):
    return replay(log, {name: create(name) for name in NAMES})


@pytest.mark.parametrize(("start", "rates"), [(0, {}), (5, {"world_fps": 30.0, "camera_fps": 15.0})])
def test_a_run_replays_to_the_bit_and_is_scored_as_its_replay(start, rates):
    sequence = walk(**rates)
    log = run_wall(sequence, live_with(SlowOracle(sequence, 0.02)), first_box=first_box(sequence, start), start=start)
    again = replayed(log)
    assert again.rows == log.rows and log.of_kind("result")
    assert log.of_kind("init")[0][2] == start == log.of_kind("frame")[0][2]
    for name in NAMES:
        live, made = (score_online(each, sequence, name).curves for each in (log, again))
        for measure, curve in live.items():
            np.testing.assert_array_equal(curve.sigma, made[measure].sigma)
            np.testing.assert_array_equal(curve.value, made[measure].value)


@pytest.mark.parametrize(("search_region", "start"), [("last", 0), ("predicted", 4)])
def test_a_run_with_propagation_replays_to_the_bit(search_region, start):
    sequence = walk(40)
    live = live_with(SlowOracle(sequence, 0.02), propagator=Standing(), search_region=search_region)
    log = run_wall(sequence, live, first_box=first_box(sequence, start), start=start)
    assert replayed(log).rows == log.rows and log.of_kind("propagated")
    searched = {row[4] is not None for row in log.of_kind("track")}
    assert searched == {search_region == "predicted"}


def test_a_run_with_presence_replays_to_the_bit():
    sequence = walk(40)
    xywh = sequence.ground_truth_xywh.copy()
    xywh[12:24] = np.nan
    sequence = VideoSequence("walk", xywh)
    live = live_with(SlowOracle(sequence), propagator=Standing(), search_region="predicted", presence=PresenceConfig())
    log = run_wall(sequence, live, first_box=first_box(sequence))
    assert log.of_kind("presence")[0][2] == "TRACKING"
    assert replayed(log).rows == log.rows


def test_a_prediction_counts_from_when_it_was_made():
    class Thorough:
        encode = create("hold").encode

        def predict(self, track):
            time.sleep(0.004)
            return create("hold").predict(track)

    sequence = walk(10)
    make = lambda log, clock: LiveTracker(Oracle(sequence), {"hold": Thorough()}, log=log, clock=clock)  # noqa: E731
    log = run_wall(sequence, make, first_box=first_box(sequence))
    results = [row[1] for row in log.of_kind("result")]
    # After the first box, which stands at first, and the prediction from it. The last may have come too late.
    made = [row[1] for row in log.of_kind("trajectory")][2:]
    assert len(results) - 1 <= len(made) <= len(results) and len(results) > 0
    assert all(m - r >= 4_000_000 for r, m in zip(results, made))


def test_frames_are_delivered_at_their_capture_times_and_the_log_says_how_late():
    sequence = walk(12)
    log = EventLog({"sequence": "walk"})
    assert run_wall(sequence, live_with(Oracle(sequence)), first_box=first_box(sequence), log=log) is log
    frames = log.of_kind("frame")
    assert [row[2] for row in frames] == list(range(12)) and [row[3] for row in frames] == sequence.camera_t_ns.tolist()
    assert all(row[1] >= row[3] for row in frames)
    assert log.meta["clock"] == "wall" and log.meta["sequence"] == "walk"
    wall = log.meta["wall"]
    assert len(wall["late_ms"]) == 3 and wall["counts"]["frames"] == 12 and wall["stages_ms"]["track"][0] > 0


def test_a_clock_may_have_begun_in_the_past():
    clock = SequenceClock(5)
    assert clock() == 5
    clock.start(time.perf_counter_ns() - 10**9)
    assert clock() >= 10**9 + 5
    clock.start()
    assert clock() >= 5


def test_a_tracker_that_fails_is_no_run():
    class Failing(Oracle):
        def track(self, frame, search_box=None):
            raise RuntimeError("out of memory")

    sequence = walk(6)
    with pytest.raises(InputError, match="walk: track failed . times, first with: out of memory"):
        run_wall(sequence, live_with(Failing(sequence)), first_box=first_box(sequence))
    with pytest.raises(InputError, match=r"start frame 6 is outside 0\.\.5"):
        run_wall(sequence, live_with(Oracle(sequence)), first_box=first_box(sequence), start=6)


def test_images_of_another_size_are_no_failure():
    class Sized(VideoSequence):
        def frame(self, index):
            size = 40 if index < 6 else 80
            return Frame(index, int(self.camera_t_ns[index]), np.zeros((size, size, 3), np.uint8))

    sequence = Sized("sized", np.tile([10.0, 10, 8, 8], (12, 1)))
    log = run_wall(sequence, live_with(Oracle(sequence)), first_box=first_box(sequence))
    assert len(log.of_kind("frame")) == 12


def test_a_tracker_that_exits_is_no_run():
    class Leaving(Oracle):
        def track(self, frame, search_box=None):
            if frame.index == 3:
                raise SystemExit(0)
            return super().track(frame, search_box)

    sequence = walk(6)
    with pytest.raises(InputError, match=r"walk: track failed 1 times, first with: it raised SystemExit\(0\)"):
        run_wall(sequence, live_with(Leaving(sequence)), first_box=first_box(sequence))


def test_a_tracker_that_hangs_is_no_run():
    go = threading.Event()

    class Hanging(Oracle):
        def track(self, frame, search_box=None):
            assert go.wait(30)
            return super().track(frame, search_box)

    def impatient(log, clock):
        live = live_with(Hanging(sequence))(log, clock)
        live.close = partial(live.close, 0.1)
        return live

    sequence = walk(4)
    try:
        with pytest.raises(InputError, match="walk: the tracker hangs"):
            run_wall(sequence, impatient, first_box=first_box(sequence))
    finally:
        go.set()
