"""A silence of the camera is a gap that is long, for any camera and for this one."""

import pytest

from pvtpp.core.silence import SILENT_NS, Silence

MS = 10**6


def silences(*gaps_ms):
    """For each frame after the first one: whether the camera fell silent before it."""
    silence, now, found = Silence(0), 0, []
    for gap_ms in gaps_ms:
        before, now = now, now + gap_ms * MS
        silence.frame(now)
        found.append(silence.since(before))
    return found


def test_a_steady_camera_is_never_silent():
    assert not any(silences(*[33] * 50)) and not any(silences(*[100] * 20))


@pytest.mark.parametrize("interval_ms", [10, 33, 100])
def test_a_long_gap_is_a_silence_and_a_few_lost_frames_are_none(interval_ms):
    assert silences(interval_ms, interval_ms, 500, interval_ms) == [False, False, True, False]
    assert not any(silences(interval_ms, interval_ms, min(3 * interval_ms, SILENT_NS // MS), interval_ms))


def test_each_of_two_silences_in_a_row_counts():
    assert silences(33, 700, 700, 33) == [False, True, True, False]


def test_a_slow_camera_is_silent_until_its_rate_is_known():
    assert silences(1000, 1000, 1000) == [True, False, False]
    # It became slow in flight.
    found = silences(33, 33, *[1000] * 8)
    assert found[2] and not any(found[6:])


def test_it_is_over_for_a_result_of_a_frame_after_it():
    silence = Silence(0)
    for now_ms in (33, 66, 800, 833):
        silence.frame(now_ms * MS)
    assert silence.since(66 * MS) and not silence.since(800 * MS) and not silence.since(833 * MS)
