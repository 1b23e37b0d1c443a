"""The study of motion on clips left out: what it scores, and whose mean each row is."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")
from pvtpp.boxes import xywh_to_box
from pvtpp.predictors.hold import Hold
from pvtpp.predictors.motion import WEIGHTS
from pvtpp_benchmarks import processing
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.score import score_online
from pvtpp_benchmarks.simulation import simulate
from pvtpp_benchmarks.studies import motion_folds


def test_a_log_is_scored_as_if_the_predictors_had_flown():
    clip = VideoSequence("clip", np.array([[100 + 3.0 * i, 80, 40, 30] for i in range(40)]), 30.0, 30.0)
    first, took = xywh_to_box(clip.ground_truth_xywh[0]), processing.parse("47ms").start(clip.name)
    log = simulate(clip, Oracle(clip, 0.02, seed=1), {"hold": Hold()}, took, first_box=first)
    log.meta.update(tracker="truth", propagation="none", sequence="clip")
    found = motion_folds.scored(log, clip, {"start": str(WEIGHTS)})
    flown = motion_folds.create("motion")
    expected = simulate(clip, Oracle(clip, 0.02, seed=1), {"motion": flown}, took, first_box=first)
    assert found["auc"]["start"] == score_online(expected, clip, "motion").curves["auc"].value[0]
    assert set(found["auc"]) == {*motion_folds.KALMAN, "start"} and found["fps"] == 30.0


def test_rows_are_means_over_the_runs_of_a_clip_and_then_over_clips():
    def run(clip, fps, auc, tracker="a"):
        return {"tracker": tracker, "propagation": "none", "clip": clip, "fps": fps, "auc": {"start": auc}}

    found = [run("one", 30.0, 0.2), run("one", 30.0, 0.4), run("two", 10.0, 0.9), run("one", 30.0, 0.5, "b")]
    rows = {
        (row["tracker"], row["camera_fps"]): (row["auc"]["start"], row["clips"]) for row in motion_folds.table(found)
    }
    assert rows == {
        ("a", None): (0.6, 2),
        ("a", 10.0): (0.9, 1),
        ("a", 30.0): (0.3, 1),
        ("b", None): (0.5, 1),
        ("b", 30.0): (0.5, 1),
    }
