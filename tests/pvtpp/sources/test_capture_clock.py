"""Capture times from arrivals: the best that is known counts, as long as it can be right, and they always increase."""

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp.sources.capture_clock import SPAN_NS, Arrival, CaptureClock
from pvtpp.sources.source import Timing

MS = 10**6
FRAME = 10**9 // 30
NOW = 1_900_000_000 * 10**9


def jitter(count, seed=0):
    """Delays of so many frames, nanoseconds: at least 20 ms, some much longer."""
    return (20 * MS + np.random.default_rng(seed).exponential(8 * MS, count)).astype(int)


def stream(clock, count, start=NOW, pace=1.0, seed=0):
    """True capture times, and those found, of a stream with times of any start, its clock going at `pace`."""
    captured = [start + i * FRAME for i in range(count)]
    arrivals = np.maximum.accumulate(np.array(captured) + jitter(count, seed))
    found = [
        clock.captured(Arrival(int(arrived), 777 + int((true - start) * pace)))
        for true, arrived in zip(captured, arrivals)
    ]
    return np.array(captured), np.array(found)


def test_a_senders_clock_gives_the_capture_time_itself():
    clock = CaptureClock()
    for i in range(10):
        assert clock.captured(Arrival(NOW + i * FRAME + 80 * MS, i * FRAME, NOW + i * FRAME)) == NOW + i * FRAME
    assert clock.timing is Timing.RTCP and clock.problem is None


def test_the_times_in_a_stream_take_the_jitter_away_but_for_the_least_delay():
    clock = CaptureClock()
    true, found = stream(clock, 300)
    assert clock.timing is Timing.STREAM and clock.problem is None
    steady = (found - true)[60:]
    assert 20 * MS <= steady.min() and steady.max() < 21 * MS
    assert (np.diff(found) > 0).all()


def test_the_capture_offset_takes_the_least_delay_away_too():
    true, found = stream(CaptureClock(0.02), 300)
    assert np.abs(found - true)[60:].max() < MS


@pytest.mark.parametrize("off_ppm", [-200, 200])
def test_clocks_that_drift_apart_as_quartzes_do_are_followed(off_ppm):
    clock = CaptureClock(0.02)
    true, found = stream(clock, 30 * 120, pace=1 + off_ppm * 1e-6)
    assert clock.timing is Timing.STREAM
    # In the two spans of 5 s that count, such clocks part by 2 ms.
    assert np.abs(found - true)[600:].max() < 4 * MS


def test_without_times_the_arrival_counts_minus_the_offset():
    clock = CaptureClock(0.05)
    assert clock.captured(Arrival(NOW)) == NOW - 50 * MS and clock.timing is Timing.ARRIVAL


@pytest.mark.parametrize("off_s", [-3600.0, -11.0, 0.3, 86400.0])
def test_a_senders_clock_that_cannot_be_right_is_not_believed_any_more_and_that_is_said(off_s):
    clock = CaptureClock()
    for i in range(60):
        arrived = NOW + i * FRAME + 40 * MS
        found = clock.captured(Arrival(arrived, i * FRAME, NOW + i * FRAME + round(off_s * 1e9)))
        assert 0 <= arrived - found < MS
    assert clock.timing is Timing.STREAM
    assert "the clocks of the two machines differ" in clock.problem
    assert ("before it was captured" in clock.problem) == (off_s > 0)
    clock.restart()
    assert clock.problem is None
    clock.captured(Arrival(NOW + 10**10, 0, NOW + 10**10 - MS))
    assert clock.timing is Timing.RTCP


@pytest.mark.parametrize("pace", [25 / 30, 30 / 25])
def test_times_that_do_not_keep_pace_with_the_clock_are_given_up(pace):
    """Some streams have times by a rate that is not theirs."""
    clock = CaptureClock()
    true, found = stream(clock, 30 * 40, pace=pace)
    assert clock.timing is Timing.ARRIVAL and "do not keep pace" in clock.problem
    assert np.abs(found - true)[-300:].max() < 100 * MS


def test_a_pause_of_the_network_is_no_drift():
    clock = CaptureClock()
    for i in range(30 * 60):
        late = 200 * MS if 300 < i < 600 else 0
        clock.captured(Arrival(NOW + i * FRAME + 20 * MS + late, i * FRAME))
    assert clock.timing is Timing.STREAM and clock.problem is None


@pytest.mark.parametrize("leap", [-3_000_000_000, 3_000_000_000])
def test_a_stream_that_begins_anew_is_followed_from_there(leap):
    clock = CaptureClock()
    stream(clock, 60)
    later = NOW + 60 * FRAME
    begin = 777 + 60 * FRAME + leap
    found = [clock.captured(Arrival(later + i * FRAME + 20 * MS, begin + i * FRAME)) for i in range(9)]
    assert [each - later for each in found] == [i * FRAME + 20 * MS for i in range(9)]


def test_capture_times_always_increase_whatever_comes():
    random = np.random.default_rng(1)
    clock, last = CaptureClock(), 0
    for i in range(3000):
        arrived = NOW + i * FRAME + int(random.integers(0, 300)) * MS
        stream_ns = None if random.random() < 0.1 else int(random.integers(-(10**12), 10**12))
        sent = None if random.random() < 0.5 else arrived - int(random.integers(-10, 500)) * MS
        found = clock.captured(Arrival(arrived, stream_ns, sent))
        assert found > last
        last = found
        if random.random() < 0.01:
            clock.restart()


def test_a_span_is_long_enough_for_many_frames():
    assert SPAN_NS > 100 * FRAME


@pytest.mark.parametrize("offset", [-0.03, 5.1, float("nan")])
def test_an_offset_that_cannot_be_is_refused(offset):
    with pytest.raises(InputError, match="--capture-offset is .*allowed is 0 to 5"):
        CaptureClock(offset)
