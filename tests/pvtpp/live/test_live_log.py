"""A live run into a file: the file is there before the end, and an hour needs no more memory than a minute."""

import gc
import json
import os
import time

import numpy as np
import pytest

from pvtpp.core.capture_times import CaptureTimeConfig
from pvtpp.core.event_log import EventLog
from pvtpp.core.replay import replay
from pvtpp.errors import InputError
from pvtpp.live.config import LiveConfig
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.predictors import create
from pvtpp.propagation import Carried
from pvtpp.tracker import Frame, TrackerOutput

FRAME = 10**9 // 30
BOX = np.array([100.0, 100, 20, 20])
HOUR = 108_000
# The clocks of most tests stand still, or go on by themselves.
ANY_TIME = CaptureTimeConfig(float("inf"), float("inf"))


class Clock:
    """Stands still unless the test moves it."""

    t_ns = 0

    def __call__(self):
        return self.t_ns


class Quick:
    """A tracker that finds the target where it was, and remembers the newest frame alone."""

    newest = -1

    def init(self, frame, box):
        self.box = box

    def track(self, frame, search_box=None):
        self.newest = frame.index
        return TrackerOutput(self.box)


class Still:
    """A propagator that sees nothing move."""

    def push(self, frame, region):
        pass

    def carry(self, box, from_ns, to_ns):
        return Carried(box, 1.0, 1)


def until(condition, seconds=60.0):
    """Wait until it is so; a busy machine may take long."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.001)


def test_a_run_is_written_to_the_path_that_is_given_and_replays_to_the_bit(tmp_path):
    path, clock, tracker = tmp_path / "deep" / "run.jsonl", Clock(), Quick()
    names = ("kalman", "hold")
    predictors = {name: create(name) for name in names}
    with LiveTracker(
        tracker, predictors, Still(), "predicted", str(path), clock, LiveConfig(capture_times=ANY_TIME)
    ) as live:
        for index in range(30):
            clock.t_ns = index * FRAME
            assert live.submit(Frame(index, index * FRAME))
            if index in (0, 17):
                live.init(index * FRAME, BOX)
            if index % 5 == 4:
                until(lambda index=index: tracker.newest == index)
        # A reader sees the run while it is going on.
        until(lambda: '["result"' in path.read_text())
        assert len(EventLog.read(str(path), cut_off=True).of_kind("frame")) > 5
        with pytest.raises(InputError, match="cut off"):
            EventLog.read(str(path))
    log = EventLog.read(str(path))
    assert len(log.of_kind("frame")) == 30
    # The end resets; what was under way then is done after that.
    kinds = [row[0] for row in log.rows]
    assert set(kinds[kinds.index("reset") + 1 :]) <= {"done"}
    assert log.meta["core"]["search_region"] == "predicted" and log.meta["core"]["propagation"]
    assert replay(log, {name: create(name) for name in names}).rows == log.rows


def test_what_is_refused_replaces_no_old_file(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text("something old")
    hold = {"hold": create("hold")}
    for tracker, predictors, options in (
        (Quick(), {}, {}),
        (object(), hold, {}),
        (Quick(), hold, {"search_region": 1}),
    ):
        with pytest.raises(InputError):
            LiveTracker(tracker, predictors, log=str(path), **options)
    assert path.read_text() == "something old"


def test_a_path_that_cannot_be_written_is_an_error_before_a_thread_starts(tmp_path):
    with pytest.raises(InputError, match="cannot write"):
        LiveTracker(Quick(), {"hold": create("hold")}, log=str(tmp_path))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_full_disk_stops_no_tracking_and_is_an_error_of_close_once_all_threads_have_ended():
    tracker, clock = Quick(), Clock()
    live = LiveTracker(
        tracker, {"hold": create("hold")}, log="/dev/full", clock=clock, config=LiveConfig(capture_times=ANY_TIME)
    )
    live.init(Frame(0, 0), BOX)
    for index in range(1, 20):
        live.submit(Frame(index, index * FRAME))
        until(lambda index=index: tracker.newest == index)
    assert live.errors == []
    with pytest.raises(InputError, match="No space left"):
        live.close()
    assert live.close() is True


def resident_bytes():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="there is no /proc")
@pytest.mark.parametrize("propagation", [False, True])
def test_an_hour_of_frames_needs_no_more_memory_than_its_first_minutes(propagation, tmp_path):
    path, tracker, clock = tmp_path / "run.jsonl", Quick(), Clock()
    # With propagation each frame takes several times as long, and leaves as many rows.
    frames = HOUR // 3 if propagation else HOUR
    image = np.zeros((128, 128, 3), np.uint8)
    propagator = Still() if propagation else None
    with LiveTracker(
        tracker,
        {"hold": create("hold")},
        propagator,
        log=str(path),
        clock=clock,
        config=LiveConfig(capture_times=ANY_TIME),
    ) as live:
        live.init(Frame(0, 0, image), BOX)
        before = None
        for index in range(1, frames):
            clock.t_ns = index * FRAME
            assert live.submit(Frame(index, index * FRAME, image.copy()))
            if index % 20 == 0:
                until(lambda index=index: tracker.newest == index)
            if index % 1000 == 0:
                # What waits to be written is no growth: it depends on how busy the machine is.
                until(lambda: live._own_log._waiting.empty())
            if index == frames // 10:
                before = resident_bytes()
        grown = resident_bytes() - before
        assert live.counts["frames"] == frames and live.errors == []
    assert grown < 20 << 20, f"{grown} bytes"
    with open(path) as file:
        kinds = [json.loads(line)[0] for line in file if line.startswith("[")]
    assert kinds.count("frame") == frames and kinds.count("result") >= frames // 20 - 1 and kinds[-1] == "end"
