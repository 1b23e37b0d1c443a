"""Where a trained predictor stands: means and paired differences over the same windows and the same runs."""

from __future__ import annotations

import json

import numpy as np

from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.held_out import OVERLAP, TIMES, HeldOut, compare_held_out


def sequences(count=3, fps=30.0):
    rng = np.random.default_rng(0)
    made = []
    for number in range(count):
        path = rng.normal(0, 0.3, (90, 2)).cumsum(0).cumsum(0) * 0.3 + 200
        xywh = np.concatenate([path, np.full((90, 2), 40.0)], axis=1)
        made.append(VideoSequence(f"clip{number}", xywh, camera_fps=fps, world_fps=fps))
    return made


def test_all_predictors_are_scored_on_the_same_runs():
    found = compare_held_out(["kalman", "hold"], lambda predictor: np.full(4, 0.5), sequences())
    entry = found.entry()
    assert list(entry["mean"]["kalman"]) == [OVERLAP, *TIMES]
    assert (entry["windows"], entry["sequences"]) == (4, 3)
    # Paired: the difference of the means is the mean of the differences.
    for column in TIMES:
        difference = entry["trained_minus"]["hold"][column]
        expected = found.scores["kalman"][column].mean() - found.scores["hold"][column].mean()
        assert abs(difference["mean"] - expected) < 1e-4
        assert difference["ci95"][0] <= difference["mean"] <= difference["ci95"][1] and difference["n"] == 3
    again = compare_held_out(["kalman", "hold"], lambda predictor: np.full(4, 0.5), sequences())
    assert json.dumps(again.entry()) == json.dumps(entry)


def test_camera_rates_are_tabled_together():
    slow = [VideoSequence("slow", sequences(1)[0].ground_truth_xywh, camera_fps=10.0, world_fps=30.0)]
    found = compare_held_out(["hold"], lambda predictor: np.zeros(1), [*sequences(2), *slow])
    assert all(len(found.scores["hold"][column]) == 3 for column in TIMES)


def test_without_windows_there_is_the_online_part():
    found = compare_held_out(["hold"], lambda predictor: np.empty(0), sequences(1))
    assert list(found.entry()["mean"]["hold"]) == list(TIMES) and found.entry()["windows"] == 0
    assert "20ms" in str(found)


def test_one_sequence_has_no_interval():
    found = HeldOut("a", "t", {"a": {"20ms": np.array([0.5])}, "b": {"20ms": np.array([0.25])}})
    assert found.entry()["trained_minus"]["b"]["20ms"] == {"mean": 0.25, "ci95": None, "n": 1}
    assert "+0.250" in str(found) and "[" not in str(found).splitlines()[-1]
