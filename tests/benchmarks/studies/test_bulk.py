"""Fast replays have the same logs as the simulator."""

from __future__ import annotations

import numpy as np
import pytest

from pvtpp.boxes import xywh_to_box
from pvtpp.predictors import create
from pvtpp_benchmarks import processing
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.score import score_online
from pvtpp_benchmarks.simulation import simulate
from pvtpp_benchmarks.studies import bulk

NAMES = ("hold", "constant_velocity", "kalman:pvt", "kalman:size_aware")


def clip(frames, world_fps=30.0, camera_fps=30.0):
    """A target that wanders, jumps (a filter with a restart begins anew there) and is away for a while."""
    rng = np.random.default_rng(frames)
    centre = 300 + np.cumsum(rng.normal(scale=3, size=(frames, 2)), axis=0)
    centre[frames // 3 :] += 90
    rows = np.concatenate([centre, 40 * np.exp(np.cumsum(rng.normal(scale=0.02, size=(frames, 2)), axis=0))], axis=1)
    rows[frames // 2 : frames // 2 + 7] = np.nan
    return VideoSequence("wanders", rows, world_fps, camera_fps)


@pytest.mark.parametrize("time", ["20ms", "47ms", "165ms"])
@pytest.mark.parametrize("sequence", [clip(90), clip(7), clip(60, 60.0, 15.0)], ids=["long", "short", "slow camera"])
def test_trajectories_are_those_of_the_simulator(sequence, time):
    predictors = {name: create(name) for name in NAMES}
    took, first = processing.parse(time).start(sequence.name), xywh_to_box(sequence.ground_truth_xywh[0])
    simulated = simulate(sequence, Oracle(sequence, 0.02, seed=3), predictors, took, first_box=first)
    made = bulk.run(sequence, Oracle(sequence, 0.02, seed=3), predictors, time)
    for name in NAMES:
        expected, rows = (
            [row for row in log.of_kind("trajectory") if row[2] == name] for log in (simulated, made)
        )  # fmt: skip
        assert [row[:7] for row in rows] == [row[:7] for row in expected]
        for row, other in zip(rows, expected):
            for part in (7, 8, 9):
                np.testing.assert_allclose(row[part], other[part], rtol=1e-8, atol=1e-8)
        scores = [score_online(log, sequence, name).curves["auc"].value[0] for log in (simulated, made)]
        assert scores[0] == pytest.approx(scores[1], abs=1e-9)
