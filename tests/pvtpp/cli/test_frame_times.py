"""Capture times of a video's frames: those of the file, and always increasing where the file's are not."""

import numpy as np
import pytest

from pvtpp.cli.frame_times import DELAY_FRAMES, FrameTimes, GivenRate


def placed(times_ms, fps=25.0):
    """Times in milliseconds and the warnings, for frames with these times in the file."""
    said = []
    times = FrameTimes("clip.ts", fps, said.append)
    made = [times.add(float(ms)) * 1e-6 for ms in times_ms]
    times.finish()
    assert (np.diff(made) > 0).all() and times.count == len(made) and times.last_s == pytest.approx(made[-1] * 1e-3)
    return np.array(made), said


@pytest.mark.parametrize("start", [0.0, 1400.0, 3600000.0, -80.0])
def test_times_are_those_of_the_file_from_its_first_frame_on(start):
    steps = np.array([33, 33, 34, 100, 100, 8, 8, 250, 5000], dtype=float)
    wanted = np.concatenate([[0.0], np.cumsum(steps)])
    made, said = placed(wanted + start)
    np.testing.assert_allclose(made, wanted, atol=1e-5)
    assert said == []


def test_a_fraction_of_a_millisecond_is_kept():
    wanted = np.arange(500) * 1e3 / 119.123
    made, _ = placed(wanted)
    np.testing.assert_allclose(made, wanted, atol=1e-5)


@pytest.mark.parametrize("last", [1, 2, DELAY_FRAMES])
def test_the_last_frames_of_a_decoder_that_forgets_their_times_keep_the_step_of_the_file(last):
    wanted = np.arange(40) * 100.0
    made, said = placed([*wanted[:-last], *[0.0] * last], fps=15.789)
    np.testing.assert_allclose(made, wanted)
    assert said == []


@pytest.mark.parametrize("every", [0.0, 0.0, float("nan"), 1400.0])
def test_without_any_times_the_rate_counts_and_one_line_says_so(every):
    made, said = placed([every] * 40)
    np.testing.assert_allclose(made, np.arange(40) * 40.0)
    assert len(said) == 1 and "clip.ts" in said[0] and "25 per second" in said[0]


def test_a_short_file_without_times_is_reported_too():
    made, said = placed([0.0, 0.0, 0.0])
    np.testing.assert_allclose(made, [0, 40, 80])
    assert len(said) == 1 and "are missing" in said[0]


def test_a_file_of_one_frame_is_right():
    assert placed([0.0]) == (np.array([0.0]), [])


def test_a_missing_time_in_the_middle_is_a_step_after_the_frame_before_and_is_reported():
    made, said = placed([0, 40, 80, 0, 160, 200])
    np.testing.assert_allclose(made, [0, 40, 80, 120, 160, 200])
    assert len(said) == 1 and "are missing by frame 4" in said[0]


def test_a_single_frame_that_goes_back_delays_no_other():
    made, said = placed([0, 40, 80, 60, 120, 160])
    np.testing.assert_allclose(made, [0, 40, 80, 100, 120, 160])
    assert len(said) == 1 and "go back (from 0.080 s to 0.060 s) at frame 3" in said[0]


def test_a_frame_that_stands_still_delays_no_other():
    made, said = placed([0, 40, 80, 80, 120])
    np.testing.assert_allclose(made, [0, 40, 80, 100, 120])
    assert len(said) == 1 and "stand still" in said[0]


def test_frames_in_the_order_of_decoding_stay_in_time():
    decoded = np.array([0, 3, 1, 2, 6, 4, 5, 9, 7, 8, 12, 10, 11]) * 40.0
    made, said = placed(decoded)
    assert np.abs(made - np.arange(13) * 40.0).max() <= 120 and len(said) == 1


def test_joined_recordings_go_on_by_their_own_steps():
    first, second = np.arange(10) * 40.0, 7.0 + np.arange(20) * 100.0
    made, said = placed([*first, *second])
    np.testing.assert_allclose(np.diff(made), [40.0] * 9 + [20.0] + [100.0] * 19)
    assert len(said) == 1 and "go back" in said[0]


def test_a_jump_of_hours_is_not_waited_for():
    made, said = placed([*np.arange(10) * 40.0, *(95_443_717.0 + np.arange(10) * 40.0)])
    np.testing.assert_allclose(made, np.arange(20) * 40.0, atol=1e-3)
    assert len(said) == 1 and "jump" in said[0]


def test_a_recording_with_a_pause_keeps_it():
    made, said = placed([0, 40, 80, 30_080, 30_120])
    np.testing.assert_allclose(made, [0, 40, 80, 30_080, 30_120])
    assert said == []


def test_a_time_lapse_with_minutes_between_frames_keeps_them():
    made, said = placed(np.arange(5) * 120e3, fps=1 / 120)
    np.testing.assert_allclose(made, np.arange(5) * 120e3)
    assert said == []


def test_a_given_rate_leaves_the_times_of_the_file_aside():
    times = GivenRate(240.0)
    assert [times.add(ms) for ms in (5.0, 1.0, 0.0)] == [0, round(1e9 / 240), round(2e9 / 240)]
    times.finish()
    assert times.count == 3 and times.last_s == pytest.approx(2 / 240)
