"""Moments: the windows of a training, as a predictor in flight would have met them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
from pvtpp.boxes import iou
from pvtpp.predictors import create
from pvtpp.predictors.motion import Motion
from pvtpp.training.moments import ORIGIN_NS, from_recordings, from_windows, overlaps
from pvtpp.training.recorded_windows import RecordedWindows, RecordingPool
from pvtpp.training.recordings import Recording
from pvtpp.training.windows import BoxPool, WindowConfig, sample


def windows(count=60, seed=0, **given):
    steps = np.random.default_rng(seed).normal(0, 0.2, (400, 2))
    path = np.cumsum(np.cumsum(steps, axis=0), axis=0) + 300
    pool = BoxPool([np.concatenate([path, np.full((400, 2), 40.0)], axis=1)])
    return sample(pool, replace(WindowConfig(), **given), np.random.default_rng(seed), count)


@pytest.mark.parametrize("carrying", [0.0, 1.0])
def test_the_network_reads_from_a_moment_what_it_learnt_from_the_window(carrying):
    # Results that lost the target keep their box in windows, but have a step of time.
    drawn = windows(carrying=carrying, absent=0.0)
    predictor = Motion()
    expected, used = drawn.inputs(), np.flatnonzero((drawn.weight > 0).any(1))
    moments = list(from_windows(drawn))
    assert len(moments) == len(used) > 50
    compared = 0
    for row, moment in zip(used, moments, strict=True):
        if np.diff(drawn.t[row]).max() > 0.9:
            # The predictor ignores what lies before a long gap.
            continue
        for name, found in predictor.inputs(moment.track(predictor)).items():
            np.testing.assert_allclose(found[0], expected[name][row], atol=2e-4, err_msg=name)
        compared += 1
    assert compared > 30


def test_hold_has_the_overlap_of_the_last_box_with_the_truth():
    drawn = windows(carrying=0.0)
    found = overlaps(create("hold"), list(from_windows(drawn)))
    rows = np.flatnonzero((drawn.weight > 0).any(1))
    known = [drawn.weight[row] > 0 for row in rows]
    expected = [
        iou(np.tile(drawn.boxes[row, -1], (some.sum(), 1)), drawn.truth[row, some]).mean()
        for row, some in zip(rows, known, strict=True)
    ]
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_windows_without_truth_are_left_out():
    drawn = windows(count=5)
    blind = replace(drawn, weight=np.zeros_like(drawn.weight))
    assert list(from_windows(blind)) == []
    assert all(moment.results[-1][0] <= ORIGIN_NS for moment in from_windows(drawn))


def recording():
    n, ms = 30, 1_000_000
    t_ns = np.arange(n) * 100 * ms
    box = np.stack([np.arange(n) * 2.0 + 100, np.full(n, 80.0), np.full(n, 30.0), np.full(n, 20.0)], 1)
    truth_t = np.arange(4 * n) * 25 * ms
    truth = np.stack([truth_t / (50 * ms) + 100, np.full(4 * n, 80.0), np.full(4 * n, 30.0), np.full(4 * n, 20.0)], 1)
    return Recording(
        "clip",
        t_ns,
        t_ns + 60 * ms,
        box,
        np.ones(n),
        box[[0, *range(n - 1)]],
        np.arange(n) > 0,
        np.ones((n, 2, 4, 4), np.float16),
        np.ones((2, 2, 2), np.float16),
        truth_t,
        truth,
    )


def test_recorded_moments_are_asked_while_their_answer_is_the_newest():
    pool = RecordingPool([recording()], RecordedWindows(history=5, frames=1))
    moments = list(from_recordings(pool, 10))
    assert 8 <= len(moments) <= 15
    for moment in moments:
        newest = moment.results[-1][0]
        horizon = (moment.asked_ns - newest) / 1e6
        assert (horizon >= 58).all() and (horizon <= 185).all()
        assert moment.results[-1][1].features.search.shape == (1, 2, 4, 4)
    # A target that moves evenly is where constant velocity expects it, and not where it was.
    moving, still = (overlaps(create(name), moments[1:]).mean() for name in ("constant_velocity", "hold"))
    assert moving > 0.97 > 0.9 > still
