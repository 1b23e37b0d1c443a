"""Unpredictability: what perfect extrapolation gains over none, from the truth and the times of results alone."""

import numpy as np
import pytest

from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.evaluate import evaluate
from pvtpp_benchmarks.grid import make_grid
from pvtpp_benchmarks.metrics import MODES
from pvtpp_benchmarks.oracle import Oracle


def moving(step, frames=90, absent=()):
    boxes = np.array([[10 + step * i, 20.0, 60, 50] for i in range(frames)])
    boxes[list(absent)] = np.nan
    return VideoSequence(f"steps of {step}", boxes)


def rows(clip, make=Oracle, processing=("85ms",), mode="otb", predictors=("hold", "kalman")):
    grid = make_grid(
        "d", "oracle", processing=processing, predictors=predictors, propagation="none", presence="off", mode=mode
    )
    return evaluate([clip], grid, make)


def gain(row):
    (figures,) = row["by_sequence"].values()
    return figures["unpredictability"]


@pytest.mark.parametrize("mode", sorted(MODES))
def test_it_is_what_a_tracker_without_error_loses_by_holding(mode):
    clip = moving(6.0, absent=range(40, 50))
    offline, held, predicted = rows(clip, mode=mode)
    assert gain(offline) is None
    assert gain(held) == pytest.approx(offline["auc"] - held["auc"], abs=2e-6)
    assert gain(held) > 0.1


def test_it_is_the_clips_and_not_the_trackers_or_the_predictors():
    clip = moving(6.0)
    _, held, predicted = rows(clip)
    _, other, _ = rows(clip, lambda sequence: Oracle(sequence, noise=0.5))
    assert gain(held) == gain(predicted) == gain(other) and held["auc"] != other["auc"]


def test_it_is_nothing_where_nothing_moves_and_grows_with_speed_and_latency():
    assert gain(rows(moving(0.0))[1]) == 0.0
    slow, fast = (gain(rows(moving(step))[1]) for step in (2.0, 8.0))
    _, *cells = rows(moving(4.0), processing=("20ms", "85ms", "165ms"), predictors="hold")
    assert 0 < slow < fast and sorted(map(gain, cells)) == list(map(gain, cells))
