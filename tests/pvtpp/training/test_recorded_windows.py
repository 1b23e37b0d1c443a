"""Windows from recordings: one clock, one unit, and nothing learnt from results that have lost the target."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pvtpp.errors import InputError

torch = pytest.importorskip("torch")
from pvtpp.predictors.motion import INPUTS  # noqa: E402
from pvtpp.training.recorded_windows import RecordedWindows, RecordingPool  # noqa: E402
from pvtpp.training.recordings import Recording  # noqa: E402

FPS = 30


def recording(n=20, skip=2, speed=3.0, error=0.0, name="clip"):
    """Every `skip`-th frame tracked; features are the frame's number, so that they differ."""
    frames = np.arange(n) * skip
    m = frames[-1] + 12
    truth = np.stack([100 + speed * np.arange(m), np.full(m, 80.0), np.full(m, 40.0), np.full(m, 30.0)], 1)
    t_ns = np.rint(np.arange(m) * 1e9 / FPS).astype(np.int64)
    boxes = truth[frames] + [error, 0, 0, 0]
    search = np.broadcast_to(frames[:, None, None, None], (n, 2, 5, 5)).astype(np.float16)
    there = t_ns[frames] + 50 * 10**6
    template = np.ones((2, 3, 3), np.float16)
    return Recording(
        name,
        t_ns[frames],
        there,
        boxes,
        np.ones(n),
        boxes[[0, *range(n - 1)]],
        np.arange(n) > 0,
        search,
        template,
        t_ns,
        truth,
    )


def test_the_same_generator_gives_the_same_windows():
    pool = RecordingPool([recording(), recording(skip=3)], RecordedWindows())
    first, second = (pool.sample(np.random.default_rng(1), 50) for _ in range(2))
    assert set(INPUTS) <= set(first) and all(torch.equal(first[name], second[name]) for name in first)


def test_past_truth_and_frames_ahead_lie_on_one_motion():
    made = RecordingPool([recording()], RecordedWindows()).sample(np.random.default_rng(0), 200)
    velocity = 3.0 * FPS / 40
    known = made["weight"] > 0
    torch.testing.assert_close(made["truth"][..., 0][known], (made["horizon"] * velocity)[known], rtol=1e-4, atol=1e-4)
    past = made["interval"] > 0
    torch.testing.assert_close(made["step"][:, 0][past], (made["interval"] * velocity)[past], rtol=1e-4, atol=1e-4)
    expected = torch.arange(1, 9).expand(200, 8) * 3.0 / 40
    torch.testing.assert_close(made["ahead"][..., 0][made["ahead_weight"] > 0], expected[made["ahead_weight"] > 0])
    assert not made["now"].any() and made["now_weight"].all() and known.float().mean() > 0.9


def test_all_but_the_last_horizon_are_asked_where_the_trajectory_is_the_newest():
    made = RecordingPool([recording()], RecordedWindows()).sample(np.random.default_rng(0), 200)
    asked = made["horizon"][:, :-1][made["weight"][:, :-1] > 0]
    # Available after 50 ms, replaced 67 ms later; the last result of all counts a little longer.
    assert asked.min() >= 0.0499 and asked.max() < 0.151
    assert made["horizon"][:, -1].min() == 0 and made["horizon"].max() <= 0.38


def test_every_window_comes_once_with_all_frames_that_ask_it():
    pool = RecordingPool([recording(), recording(n=9)], RecordedWindows())
    batches = list(pool.every(10))
    assert sum(len(batch["truth"]) for batch in batches) == 19 + 8
    # World frames 4 to 41 and a little after the end, each asked of exactly one trajectory.
    first = RecordingPool([recording()], RecordedWindows())
    (batch,) = first.every(100)
    asked = zip(torch.arange(2, 40, 2) / FPS, batch["horizon"], batch["weight"])
    times = torch.cat([(t[None] + h)[w > 0] for t, h, w in asked])
    frames = np.rint(times.numpy() * FPS).astype(int)
    np.testing.assert_array_equal(np.sort(frames), np.arange(4, 4 + len(frames)))


def test_features_are_those_of_the_newest_results_and_marked_where_there_are_none():
    (made,) = RecordingPool([recording()], RecordedWindows()).every(100)
    assert made["search"].shape == (19, 3, 2, 5, 5)
    np.testing.assert_array_equal(made["search"][5, :, 0, 0, 0], [8, 10, 12])
    np.testing.assert_array_equal(made["seen"][:3], [[0, 0, 1], [0, 1, 1], [1, 1, 1]])
    assert not made["search"][0, :2].any()
    np.testing.assert_allclose(made["newest"][:, 0] - made["searched"][:, 0], 6)


def test_nothing_is_learnt_where_the_target_was_lost():
    lost = recording(error=50.0)
    pool = RecordingPool([recording(), lost], RecordedWindows())
    assert set(pool.usable[:, 0]) == {0}
    assert sum(len(batch["truth"]) for batch in pool.every(8, on_target=False)) == 38
    with pytest.raises(InputError, match="none of the 20 recorded results is on its target"):
        RecordingPool([lost], RecordedWindows())


def test_absent_targets_weigh_nothing_and_leave_nothing_infinite():
    gone = recording()
    gone.truth[15:] = np.nan
    for batch in RecordingPool([gone], RecordedWindows()).every(100, on_target=False):
        assert all(torch.isfinite(value).all() for value in batch.values())
        assert 0 < batch["weight"].mean() < 0.6 and 0 < batch["now_weight"].mean() < 0.6


def test_recordings_of_two_trackers_do_not_mix():
    other = replace(recording(), template=np.ones((3, 3, 3), np.float16))
    with pytest.raises(InputError, match="recordings of one tracker"):
        RecordingPool([recording(), other], RecordedWindows())
    with pytest.raises(InputError, match="at least one"):
        RecordingPool([], RecordedWindows())


@pytest.mark.parametrize("wrong", [{"history": 4}, {"horizons": 1}, {"kappa": 0.0}, {"least_overlap": 1.0}])
def test_configurations_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InputError, match="RecordedWindows"):
        RecordedWindows(**wrong)
