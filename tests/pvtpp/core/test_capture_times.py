"""Capture times that lie are refused by name; right ones are taken again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvtpp.core.capture_times import CaptureTimeConfig, CaptureTimes
from pvtpp.errors import InputError

NOW = 1_795_900_000_123_456_789
MONOTONIC = 5_000_000_000_000
FRAME = 33_333_333


def checker(**config):
    return CaptureTimes(CaptureTimeConfig(**config), lambda: MONOTONIC)


@pytest.mark.parametrize(
    ("capture_ns", "kind", "said"),
    [
        (NOW // 10**9, "unit", "in seconds"),
        (NOW // 10**6, "unit", "in milliseconds"),
        (NOW // 10**3, "unit", "in microseconds"),
        (MONOTONIC - FRAME, "clock", "monotonic clock"),
        (NOW + 3600 * 10**9, "future", "3600.000 s ahead"),
        (NOW + 300_000_000, "future", "0.300 s ahead"),
        (NOW - 3 * 86_400 * 10**9, "past", "259200.000 s behind"),
        (0, "past", "behind"),
    ],
)
def test_a_capture_time_that_lies_is_refused_by_name(capture_ns, kind, said):
    times = checker()
    refusal = times.refuse(capture_ns, NOW)
    assert refusal.kind == kind and said in refusal.text and str(capture_ns) in refusal.text
    # The next right one is taken: what was refused has left nothing behind.
    assert times.refuse(NOW, NOW + FRAME) is None


def test_a_stream_that_is_right_is_taken_whatever_its_small_delays():
    times = checker()
    for i, delay in enumerate([0, 5_000_000, 900_000_000, -100_000_000, 2_000_000_000]):
        assert times.refuse(NOW + i * FRAME, NOW + i * FRAME + delay) is None


def test_repetitions_and_frames_out_of_order_are_refused_as_such():
    times = checker()
    assert times.refuse(NOW, NOW) is None
    assert times.refuse(NOW, NOW).kind == "duplicate"
    assert times.refuse(NOW - FRAME, NOW).kind == "order"
    assert times.refuse(NOW + FRAME, NOW) is None


@pytest.mark.parametrize(("capture_ns", "whole"), [(NOW, False), (NOW // 10**9 * 10**9, True)])
def test_capture_times_that_stand_still_are_called_so(capture_ns, whole):
    times = checker()
    found = [times.refuse(capture_ns, NOW + i * FRAME) for i in range(30)]
    assert found[0] is None and {each.kind for each in found[5:]} == {"repeated"}
    assert ("whole seconds" in found[-1].text) == whole


def test_infinite_bounds_take_any_and_others_are_checked():
    times = checker(ahead_s=float("inf"), behind_s=float("inf"))
    assert times.refuse(1, NOW) is None and times.refuse(2 * NOW, NOW) is None
    with pytest.raises(InputError, match="CaptureTimeConfig.ahead_s is 0"):
        CaptureTimeConfig(ahead_s=0)


@given(st.lists(st.tuples(st.integers(0, 2 * NOW), st.integers(0, 10**10)), max_size=40))
def test_whatever_comes_what_is_taken_is_plausible_and_in_order(stream):
    times, now, taken = checker(), NOW, []
    for capture_ns, passed in stream:
        now += passed
        if times.refuse(capture_ns, now) is None:
            taken.append(capture_ns)
            assert -10 <= (capture_ns - now) * 1e-9 <= 0.25
    assert taken == sorted(set(taken))
