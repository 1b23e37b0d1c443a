"""The three metric modes, compared with the arithmetic of the published toolkit and with their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvtpp.boxes import box_to_xywh, xywh_to_box
from pvtpp.errors import InputError
from pvtpp_benchmarks.metrics import SIGMAS, Curve, curves
from pvtpp_benchmarks.pairing import Pairs


def offline(answers_xywh):
    answers = xywh_to_box(answers_xywh)
    return Pairs(np.arange(len(answers)), answers, np.zeros(len(answers)))


def values(answers_xywh, truth, mode):
    return {
        name: float(curve.value[0])
        for name, curve in curves(offline(answers_xywh), np.asarray(truth, float), mode).items()
    }


def toolkit(answers, truth):
    """The published functions' arithmetic: success over 21 thresholds, precision at 20 px, normalised precision."""
    n = len(truth)
    overlap, error, normalised = -np.ones(n), -np.ones(n), -np.ones(n)
    with np.errstate(invalid="ignore"):
        ok = np.sum(truth > 0, axis=1) == 4
        a, b = truth[ok], answers[ok]
        w = np.maximum(0, np.minimum(a[:, 0] + a[:, 2], b[:, 0] + b[:, 2]) - np.maximum(a[:, 0], b[:, 0]))
        h = np.maximum(0, np.minimum(a[:, 1] + a[:, 3], b[:, 1] + b[:, 3]) - np.maximum(a[:, 1], b[:, 1]))
        overlap[ok] = np.maximum(np.minimum(1, w * h / (a[:, 2] * a[:, 3] + b[:, 2] * b[:, 3] - w * h)), 0)
        centre, guess = (np.column_stack([x[:, i] + (x[:, i + 2] - 1) / 2 for i in (0, 1)]) for x in (truth, answers))
        ok = np.sum(centre > 0, axis=1) == 2
        error[ok] = np.sqrt(np.sum(np.power(centre[ok] - guess[ok], 2), axis=1))
        size = truth[:, 2:] + 1e-16
        ok = np.sum(centre / size > 0, axis=1) == 2
        normalised[ok] = np.sqrt(np.sum(np.power((centre / size)[ok] - (guess / size)[ok], 2), axis=1))
    auc = np.mean([np.sum(overlap > t) / float(n) for t in np.arange(0, 1.05, 0.05)])
    norm = np.mean([np.sum(normalised <= t) / float(n) for t in np.arange(0, 51) / 100])
    return {"auc": auc, "dp": np.sum(error <= 20) / float(n), "norm_precision": norm}


rows = st.tuples(st.integers(-20, 60), st.integers(-20, 60), st.integers(1, 60), st.integers(1, 60))


@given(st.lists(st.tuples(rows, rows, st.booleans()), min_size=1, max_size=30))
def test_elae_equals_the_published_toolkit_to_the_last_bit(frames):
    truth = np.array([t for t, _, _ in frames], dtype=float)
    truth[[absent for _, _, absent in frames]] = np.nan
    answers = np.array([a for _, a, _ in frames], dtype=float)
    ours, theirs = values(answers, truth, "elae"), toolkit(box_to_xywh(xywh_to_box(answers)), truth)
    assert (ours["auc"], ours["dp"]) == (theirs["auc"], theirs["dp"])
    assert ours["norm_precision"] == pytest.approx(theirs["norm_precision"], abs=1e-14)


TRUTH = np.array([[10.0, 20, 30, 40], [15, 20, 30, 40], [20, 20, 30, 40], [25, 20, 30, 40], [30, 20, 30, 40]])


def test_a_perfect_tracker_scores_20_of_21_in_elae_and_otb_and_1_in_strict():
    for mode, auc in (("elae", 20 / 21), ("otb", 20 / 21), ("strict", 1.0)):
        assert values(TRUTH, TRUTH, mode) == {"auc": pytest.approx(auc), "dp": 1.0, "norm_precision": 1.0}


def test_a_tracker_that_misses_everything_scores_0_after_the_first_frame():
    lost = TRUTH + [500, 500, 0, 0]
    assert values(lost, TRUTH, "strict") == {"auc": 0, "dp": 0, "norm_precision": 0}
    assert values(lost, TRUTH, "otb") == {"auc": 0, "dp": 0, "norm_precision": 0}


def test_absent_frames_are_a_miss_and_a_hit_in_elae_and_left_out_elsewhere():
    truth = TRUTH.copy()
    truth[4] = np.nan
    perfect, lost = np.nan_to_num(truth, nan=7.0), TRUTH + [500, 500, 0, 0]
    assert values(perfect, truth, "elae")["auc"] == pytest.approx(0.8 * 20 / 21)
    assert values(perfect, truth, "elae")["dp"] == 1.0
    assert values(lost, truth, "elae")["dp"] == 0.2
    assert values(perfect, truth, "otb")["auc"] == pytest.approx(20 / 21)
    assert values(lost, truth, "otb")["dp"] == 0.0
    assert values(perfect, truth, "strict")["auc"] == 1.0


def test_a_target_at_the_left_or_top_border_is_a_miss_for_auc_in_elae_alone():
    truth = np.array([[0.0, 20, 30, 40], [-5, 20, 30, 40], [5, 0, 30, 40]])
    assert values(truth, truth, "elae")["auc"] == 0.0
    assert values(truth, truth, "elae")["dp"] == 1.0
    assert values(truth, truth, "otb")["auc"] == pytest.approx(20 / 21)
    assert values(truth, truth, "strict")["auc"] == 1.0


def test_strict_leaves_the_given_first_frame_out():
    answers = TRUTH.copy()
    answers[0] += 500
    assert values(answers, TRUTH, "strict")["auc"] == 1.0
    assert values(answers, TRUTH, "otb")["auc"] == pytest.approx(0.8 * 20 / 21)


@st.composite
def answered_frames(draw):
    frame, box, sigma = [], [], []
    count = draw(st.integers(2, 12))
    for f in range(count):
        more = sorted(draw(st.lists(st.integers(1, 100), max_size=4, unique=True)))
        for since in [0, *more]:
            frame.append(f)
            sigma.append(since / 100)
            box.append(draw(rows))
    truth = np.array([draw(rows) for _ in range(count)], dtype=float)
    return Pairs(np.array(frame), xywh_to_box(np.array(box, dtype=float)), np.array(sigma)), truth


@given(answered_frames(), st.sampled_from(["elae", "otb", "strict"]), st.integers(0, 100))
def test_the_exact_curve_is_at_every_sigma_the_score_of_the_answers_chosen_there(case, mode, step):
    pairs, truth = case
    sigma = step / 100
    chosen = [np.flatnonzero((pairs.frame == f) & (pairs.sigma <= sigma))[-1] for f in range(len(truth))]
    alone = curves(Pairs(np.arange(len(truth)), pairs.box[chosen], np.zeros(len(truth))), truth, mode)
    for name, curve in curves(pairs, truth, mode).items():
        assert float(curve.at(sigma)) == pytest.approx(float(alone[name].value[0]), abs=1e-12)


def test_a_curve_is_piecewise_constant_and_closed_on_the_left():
    curve = Curve(np.array([0.0, 0.5]), np.array([1.0, 2.0]))
    assert curve.at(np.array([0.0, 0.49, 0.5, 1.0])).tolist() == [1, 1, 2, 2]
    assert len(SIGMAS) == 51 and SIGMAS[0] == 0 and SIGMAS[-1] == 1 and SIGMAS[30] == 0.6


def test_nothing_to_score_and_unknown_modes_are_refused():
    with pytest.raises(InputError, match="absent in all 2"):
        values(np.ones((2, 4)), np.full((2, 4), np.nan), "otb")
    with pytest.raises(InputError, match="elae, otb, strict"):
        values(TRUTH, TRUTH, "vot")
