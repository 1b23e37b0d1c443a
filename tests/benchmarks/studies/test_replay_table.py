"""The replay table: what it measures, and that its differences and intervals are paired by sequence."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.studies.replay_table import CLASSICAL, LEARNT, Job, Measured, Table, make_jobs, measure, video

PREDICTORS = (*CLASSICAL, "motion")


def clip(name="straight", frames=90, speed=4.0):
    left = 100 + speed * np.arange(frames)
    return VideoSequence(
        name, np.stack([left, np.full(frames, 80.0), np.full(frames, 40.0), np.full(frames, 30.0)], axis=1)
    )


def job(kind="truth", dataset="A", time="47ms", sequence=None, predictors=PREDICTORS, results=None):
    return Job(dataset, kind, time, 1, sequence or clip(), results, predictors, "motion")


def uav123(folder):
    """The training clips of a set that are of UAV123."""
    clips = json.loads((folder / "index.json").read_text())
    return [each["name"] for each in clips if each["split"] == "train" and each["dataset"].startswith("UAV123")]


def test_on_straight_motion_every_motion_model_beats_standing_still():
    measured = measure(job())
    assert all(measured.auc[name] > measured.auc["hold"] + 0.02 for name in PREDICTORS[1:])
    assert measured.frames == 90


@pytest.mark.real_data
def test_no_sequence_is_counted_that_is_cut_from_a_video_motion_has_learnt_from(data_root):
    counted = {(job.dataset, job.sequence.name) for job in make_jobs(str(data_root), ("hold",), "hold", False, 1)}
    named = {name for dataset, name in counted if dataset.startswith("UAV1") or dataset == "UAV20L"}
    assert not {video(name) for name in named} & LEARNT and {"car7", "person11", "wakeboard4"} <= named
    learnt = {video(name) for kind in ("uav-mini", "uav-more") for name in uav123(data_root / kind)}
    assert learnt == LEARNT


def test_noise_costs_and_recorded_results_are_replayed():
    noisy = measure(job("noise"))
    assert noisy.auc["constant_velocity"] < measure(job()).auc["constant_velocity"]
    rows = clip().ground_truth_xywh
    replayed = measure(job("SomeTracker", results=rows))
    assert replayed.auc == measure(job()).auc


def test_coverage_counts_both_coordinates_of_every_frame():
    still = job(sequence=clip(speed=0.0))
    np.testing.assert_array_equal(measure(still).within, 2 * 90)
    within = measure(job()).within
    assert within.shape == (2, 2) and (within[0] <= within[1]).all()


def table():
    def made(auc):
        return Measured(auc, np.full((2, 2), 20.0), 20)

    names = ("hold", "kalman:pvt", "motion")
    jobs, measured = [], []
    for kind, gain in (("truth", 0.02), ("noise", -0.01), ("Tracker", 0.03)):
        for number, level in enumerate((0.2, 0.5, 0.8)):
            results = np.ones((1, 4)) if kind == "Tracker" else None
            jobs.append(job(kind, "A", "47ms", clip(f"s{number}"), names, results))
            measured.append(made({"hold": level - 0.1, "kalman:pvt": level, "motion": level + gain}))
    return Table(jobs, measured)


def test_differences_are_paired():
    """Sequences of very different difficulty with the same gain: the paired interval has no width."""
    made = table()
    low, high = made.interval([("A", "truth", "47ms")], 2, 1)
    assert low == pytest.approx(0.02) and high == pytest.approx(0.02)


def test_the_summary_names_the_worst_cell_and_keeps_kinds_of_cells_apart():
    summary = table().summary("motion")
    assert summary["worst_cell"] == {"cell": "A/noise/47ms", "difference": pytest.approx(-0.01)}
    assert summary["truth_cells"]["kalman:pvt"]["difference"] == pytest.approx(0.005)
    assert summary["truth_cells"]["hold"]["difference"] == pytest.approx(0.105)
    assert summary["result_cells"]["kalman:pvt"]["difference"] == pytest.approx(0.03)


def test_coverage_is_a_share_of_the_truth_cells():
    assert table().coverage() == {"A": {"centre": [0.5, 0.5], "size": [0.5, 0.5]}}
