"""The estimate of the time left: by tracker, by how many runs go on at once, and not by runs whose logs are kept."""

from dataclasses import replace

import numpy as np
import pytest

from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.execution import Done
from pvtpp_benchmarks.runs import jobs
from pvtpp_benchmarks.spec import RunSpec
from pvtpp_benchmarks.time_left import TimeLeft, tracked_frames

CLIPS = [VideoSequence(name, np.tile([10.0, 10.0, 20.0, 20.0], (60, 1))) for name in ("a", "b")]
FAST = RunSpec("d", "fast", "0ms")
SLOW = replace(FAST, tracker="slow")
ALL = [*jobs(CLIPS, FAST, None), *jobs(CLIPS, SLOW, None)]


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def done(number, seconds, ran=True):
    return Done(number, ALL[number], None, ran, seconds)


def test_frames_that_a_slow_tracker_skips_do_not_count():
    times = ("0ms", "20ms", "50ms", "100ms")
    counts = [tracked_frames(jobs(CLIPS[:1], replace(FAST, processing=time), None)[0]) for time in times]
    assert counts == pytest.approx([60, 60, 40, 20])


def test_each_tracker_is_as_fast_as_it_was(clock):
    left = TimeLeft(ALL, clock)
    assert left.seconds() is None
    clock.now = 2.0
    assert left.after(done(0, 2.0)).startswith("1/4 (about 6 s left) fast 0ms hold last a: ran")
    clock.now = 12.0
    left.after(done(2, 10.0))
    assert left.seconds() == pytest.approx(12.0)


def test_runs_at_the_same_time_take_less(clock):
    left = TimeLeft(ALL, clock)
    clock.now = 5.0
    left.after(done(0, 5.0))
    left.after(done(1, 5.0))
    assert left.seconds() == pytest.approx(5.0)


def test_kept_runs_say_nothing_of_those_that_are_not(clock):
    left = TimeLeft(ALL, clock)
    clock.now = 0.5
    assert left.after(done(0, 0.5, ran=False)) == "1/4 fast 0ms hold last a: kept"
    clock.now = 4.5
    left.after(done(1, 4.0))
    assert left.seconds() == pytest.approx(8.0)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (41.3, "41 s"), (200, "3 min"), (5400, "1 h 30 min"), (90000, "25 h 0 min")]
)
def test_it_is_said_in_two_figures(clock, seconds, words):
    left = TimeLeft(ALL[:2], clock)
    clock.now = seconds
    assert f"(about {words} left)" in left.after(done(0, seconds))
    assert "left" not in left.after(done(1, seconds))
