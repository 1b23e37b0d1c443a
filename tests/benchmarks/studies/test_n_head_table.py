"""The N-head table: camera rates, the module of each cell, and differences between predictors."""

from __future__ import annotations

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.studies.n_head_table import COLUMNS, RateJob, at_rate, make_jobs, measure_at_rate, summary
from pvtpp_benchmarks.studies.replay_table import Measured, Table


def clip(name="straight", frames=120, speed=4.0):
    left = 100 + speed * np.arange(frames)
    return VideoSequence(
        name, np.stack([left, np.full(frames, 80.0), np.full(frames, 40.0), np.full(frames, 30.0)], axis=1)
    )


def test_a_slower_camera_leaves_frames_out_and_a_faster_one_plays_them_faster():
    whole, half, double = (at_rate(clip(), fps) for fps in (30.0, 15.0, 60.0))
    np.testing.assert_array_equal(half.ground_truth_xywh, whole.ground_truth_xywh[::2])
    np.testing.assert_array_equal(half.world_t_ns, whole.world_t_ns[::2])
    np.testing.assert_array_equal(double.ground_truth_xywh, whole.ground_truth_xywh)
    assert abs(2 * double.world_t_ns - whole.world_t_ns).max() <= 1 and double.camera_fps == 60


def test_a_cell_without_its_module_says_how_to_make_it(tmp_path):
    with pytest.raises(
        InputError, match=r"m-60fps-20ms\.onnx: no such module; make it with pvtpp_benchmarks.studies.train_paper"
    ):
        make_jobs(str(tmp_path), str(tmp_path), (60.0,), 1, 1)


def test_every_cell_is_measured_with_its_own_module(tmp_path):
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from pvtpp.export.n_head import publish
    from pvtpp.networks.n_head import NHeadConfig, NHeadNetwork

    found = {}
    for name, kappa in (("right", 60.0), ("wrong", 7.0)):
        torch.manual_seed(0)
        path = tmp_path / f"{name}.onnx"
        publish(NHeadNetwork(NHeadConfig("motion", heads=5)).eval(), path, kappa, {})
        job = RateJob("A", "truth", "47ms", 0, at_rate(clip(), 60.0), None, COLUMNS, "motion", 60.0, str(path))
        found[name] = measure_at_rate(job)
        assert job.cell == ("A", "truth", "60 fps/47ms") and tuple(found[name]) == COLUMNS
    assert found["right"]["motion"] == found["wrong"]["motion"]
    assert found["right"]["n_head"] != found["wrong"]["n_head"]


def test_the_summary_has_the_lead_of_the_one_model_by_rate_and_over_all():
    jobs, measured = [], []
    for fps, lead in ((15.0, 0.04), (30.0, -0.01), (60.0, 0.03)):
        for name, level in (("a", 0.3), ("b", 0.7)):
            jobs.append(RateJob("A", "truth", "47ms", 0, clip(name), None, COLUMNS, "motion", fps, ""))
            auc = {"kalman:size_aware": 0.1, "n_head": level, "motion": level + lead}
            measured.append(Measured(auc, np.zeros((2, 2)), 20))
    found = summary(Table(jobs, measured))
    assert (found["cells"], found["ahead"]) == (3, 2)
    assert found["worst"] == ("A/truth/30 fps/47ms", pytest.approx(-0.01))
    assert found["best"] == ("A/truth/15 fps/47ms", pytest.approx(0.04))
    assert found["means"]["all"]["difference"] == pytest.approx(0.02)
    # The lead is the same in both clips, so the paired interval has no width.
    assert found["means"]["60 fps"]["ci95"] == pytest.approx((0.03, 0.03))
