"""An exported e-LAE folder, evaluated by the published definition, gives what `--mode elae` gives.

The definition is written here from its formulas and with nothing of this project: for each permitted latency the files
are read as text, AUC is the mean over the thresholds 0, 0.05 .. 1 of the share of frames whose overlap is above, DP the
share of frames whose centres are at most 20 px apart, each per sequence and then averaged. A frame counts with overlap
-1 where a number of its truth is not above 0, and with distance -1 where its centre is not.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from pvtpp.core.event_log import EventLog
from pvtpp_benchmarks.datasets import load
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.evaluate import evaluate
from pvtpp_benchmarks.formats import read_results
from pvtpp_benchmarks.formats.convert import convert
from pvtpp_benchmarks.grid import make_grid
from pvtpp_benchmarks.metrics import SIGMAS
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.score import score_modes
from pvtpp_benchmarks.score_files import score_files
from pvtpp_trackers.replay import ReplayTracker


def by_definition(folder: Path, truths):
    """AUC and DP at the 51 permitted latencies."""
    aucs, dps = [], []
    for step in range(51):
        name = str(round(step * 0.02, 2))
        success, precision = [], []
        for sequence, truth in truths.items():
            lines = (folder / name / f"{sequence}.txt").read_text().splitlines()
            boxes = [[float(number) for number in line.split(",")] for line in lines]
            assert len(boxes) == len(truth)
            overlaps = [overlap(box, true) for box, true in zip(boxes, truth)]
            errors = [distance(box, true) for box, true in zip(boxes, truth)]
            shares = [sum(o > i * 0.05 for o in overlaps) / len(truth) for i in range(21)]
            success.append(sum(shares) / 21)
            precision.append(sum(e <= 20 for e in errors) / len(truth))
        aucs.append(sum(success) / len(success))
        dps.append(sum(precision) / len(precision))
    return np.array(aucs), np.array(dps)


def overlap(a, b):
    if not all(value > 0 for value in b):
        return -1.0
    width = max(0.0, min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1]))
    both = width * height
    return min(1.0, both / (a[2] * a[3] + b[2] * b[3] - both))


def distance(a, b):
    (ax, ay), (bx, by) = ((box[0] + (box[2] - 1) / 2, box[1] + (box[3] - 1) / 2) for box in (a, b))
    return math.hypot(ax - bx, ay - by) if bx > 0 and by > 0 else -1.0


def walks():
    """Random walks; in one the target is absent for a while and leaves over the left border."""
    clips = []
    for number in range(3):
        rng = np.random.default_rng(number)
        boxes = rng.normal(scale=[1, 1, 0.05, 0.05], size=(90, 4)).cumsum(axis=0).cumsum(axis=0) + [200, 150, 60, 50]
        boxes[:, 2:] = np.clip(boxes[:, 2:], 8, 300)
        if number == 1:
            boxes[20:25] = np.nan
            boxes[60:, 0] = -3
        clips.append(VideoSequence(f"walk{number}", boxes))
    return clips


@pytest.mark.parametrize("predictor", ["hold", "kalman"])
@pytest.mark.parametrize("processing", ["21ms", "33.3ms", "47ms", "165ms"])
def test_an_exported_folder_scores_as_its_logs_do(tmp_path, predictor, processing):
    clips = walks()
    settings = {"predictors": predictor, "propagation": "none", "presence": "off", "search_region": "last"}
    grid = make_grid("walks", "oracle", processing=processing, mode="elae", offline=False, **settings)
    (row,) = evaluate(clips, grid, Oracle, str(tmp_path / "runs"))
    (runs,) = (tmp_path / "runs").iterdir()
    done = convert(str(runs), str(tmp_path / "elae"), "elae", clips=clips)
    assert (done.source, done.sequences, len(done.paths)) == ("logs", 3, 153)
    auc, dp = by_definition(tmp_path / "elae", {clip.name: clip.ground_truth_xywh.tolist() for clip in clips})
    scores = []
    for path in sorted(runs.glob("*.jsonl")):
        log = EventLog.read(str(path))
        clip = next(clip for clip in clips if clip.name == log.meta["sequence"])
        scores.append(score_modes(log, clip, predictor, ("elae",))["elae"])
    for measure, found in (("auc", auc), ("dp", dp)):
        ours = np.mean([score.curves[measure].at(SIGMAS) for score in scores], axis=0)
        np.testing.assert_allclose(found, ours, rtol=0, atol=1e-9)
    assert row["auc"] == pytest.approx(auc[0], abs=1e-9) and row["mauc"] == pytest.approx(auc.mean(), abs=1e-9)
    assert row["dp20"] == pytest.approx(dp[0], abs=1e-9) and row["mdp"] == pytest.approx(dp.mean(), abs=1e-9)
    # Read back and scored as they are, the files give the same again.
    results = read_results(str(tmp_path / "elae"))
    (again,) = score_files("elae", results, clips, "walks", None, ("elae",))
    for measure in ("auc", "dp20", "mauc", "mdp", "norm_precision", "per_sequence", "outages"):
        assert again[measure] == row[measure], measure


def test_pickles_of_runs_match_as_their_logs_do(tmp_path):
    clips = walks()
    for predictor in ("hold", "kalman"):
        settings = {"predictors": predictor, "propagation": "none", "presence": "off", "search_region": "last"}
        grid = make_grid("walks", "oracle", processing="47ms", offline=False, **settings)
        evaluate(clips, grid, Oracle, str(tmp_path / predictor))
        (runs,) = (tmp_path / predictor).iterdir()
        convert(str(runs), str(tmp_path / f"{predictor}-pvt"), "pvt", clips=clips, predictor=predictor)
        logs = read_results(str(runs), clips=clips)
        pickles = read_results(str(tmp_path / f"{predictor}-pvt"), clips=clips)
        for name, boxes in logs.items():
            # A pickle says of a predictor what was there at permitted latency 0, and of the tracker all.
            which = slice(None) if predictor == "hold" else slice(1)
            np.testing.assert_allclose(pickles[name].xywh[which], boxes.xywh[which], rtol=0, atol=1e-9)


@pytest.mark.real_data
def test_real_results_replayed_and_exported_score_by_the_definition(tmp_path, data_root):
    pytest.importorskip("scipy.io")
    archive = data_root / "annotations" / "uav_annos.tar.xz"
    clips = list(load("annotations", archive, subset="DTB70_official").select(["Animal1", "Surfing06", "RcCar7"]))
    results = read_results(str(data_root / "results" / "DTB70-matlab" / "STRCF"), [clip.name for clip in clips])
    grid = make_grid("DTB70", "STRCF", processing="31ms", predictors="hold", mode="elae", offline=False)
    evaluate(clips, grid, lambda clip: ReplayTracker(results[clip.name].xywh[0]), str(tmp_path / "runs"))
    (runs,) = (tmp_path / "runs").iterdir()
    convert(str(runs), str(tmp_path / "elae"), "elae", clips=clips)
    auc, dp = by_definition(tmp_path / "elae", {clip.name: clip.ground_truth_xywh.tolist() for clip in clips})
    (row,) = score_files("STRCF", results, clips, "DTB70", "31ms", ("elae",))
    assert row["mauc"] == pytest.approx(auc.mean(), abs=1e-9) and row["mdp"] == pytest.approx(dp.mean(), abs=1e-9)
    np.testing.assert_allclose(row["curve"]["auc"], auc, atol=1e-6)
