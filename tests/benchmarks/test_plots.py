"""Success, precision and normalised precision plots: counted frame by frame, and at one with the measures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvtpp.boxes import xywh_to_box
from pvtpp_benchmarks.metrics import MODES, curves, errors_of
from pvtpp_benchmarks.pairing import Pairs
from pvtpp_benchmarks.plots import THRESHOLDS, plot_figures, plots_of

rows = st.tuples(st.integers(-20, 60), st.integers(-20, 60), st.integers(1, 60), st.integers(1, 60))


def overlap(a, b):
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def distance(a, b):
    return np.hypot(a[0] + a[2] / 2 - b[0] - b[2] / 2, a[1] + a[3] / 2 - b[1] - b[3] / 2)


@st.composite
def frames(draw):
    given = draw(st.lists(st.tuples(rows, rows, st.booleans()), min_size=2, max_size=20))
    truth, answers = (np.array([each[i] for each in given], dtype=float) for i in (0, 1))
    truth[[i > 1 and absent for i, (_, _, absent) in enumerate(given)]] = np.nan
    return truth, answers, Pairs(np.arange(len(truth)), xywh_to_box(answers), np.zeros(len(truth)))


@given(frames())
def test_each_point_is_the_share_of_frames_with_a_target_over_its_threshold(case):
    truth, answers, pairs = case
    plots = plots_of(errors_of(pairs, truth, "otb"))
    shown = [(t, a) for t, a in zip(truth.tolist(), answers.tolist()) if t[0] == t[0]]
    for i, threshold in enumerate(np.arange(0, 1.05, 0.05)):
        assert plots["success"][i] == sum(overlap(t, a) > threshold for t, a in shown) / len(shown)
    for pixels in range(51):
        near = sum(
            np.hypot(a[0] + a[2] / 2 - t[0] - t[2] / 2, a[1] + a[3] / 2 - t[1] - t[3] / 2) <= pixels for t, a in shown
        )
        assert plots["precision"][pixels] == near / len(shown)


@given(frames(), st.sampled_from(sorted(MODES)))
def test_the_measures_can_be_read_off_the_plots(case, mode):
    truth, _, pairs = case
    plots = plots_of(errors_of(pairs, truth, mode))
    measures = {name: curve.value[0] for name, curve in curves(pairs, truth, mode).items()}
    assert plots["precision"][20] == pytest.approx(measures["dp"], abs=1e-12)
    if mode != "strict":
        assert plots["success"].mean() == pytest.approx(measures["auc"], abs=1e-12)
        assert plots["norm_precision"].mean() == pytest.approx(measures["norm_precision"], abs=1e-12)


def test_a_row_holds_the_mean_over_runs_and_then_over_sequences():
    flat = lambda value: {name: np.full(len(each), value) for name, each in THRESHOLDS.items()}  # noqa: E731
    figures = plot_figures([[flat(0.0), flat(1.0)], [flat(0.9)]])
    assert {name: len(plot["threshold"]) for name, plot in figures.items()} == {
        "success": 21,
        "precision": 51,
        "norm_precision": 51,
    }
    assert all(plot["value"] == [0.7] * len(plot["threshold"]) for plot in figures.values())
    assert figures["success"]["threshold"][:3] == [0.0, 0.05, 0.1] and figures["precision"]["threshold"][-1] == 50.0
