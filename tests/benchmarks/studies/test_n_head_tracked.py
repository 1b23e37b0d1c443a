"""M and MV behind a tracker: the means of a row, and its modules."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pvtpp_benchmarks.datasets import load
from pvtpp_benchmarks.runs import RunSpec, jobs
from pvtpp_benchmarks.studies.n_head_tracked import TRACKER, measure, row, served
from pvtpp_benchmarks.studies.train_paper import joint_path
from pvtpp_trackers.factory import MakeTracker


def test_starts_are_averaged_within_their_clip_and_camera_rates_are_separate():
    def run(clip, fps, motion, mv):
        return clip, fps, {"motion": motion, "mv": mv}

    runs = [run("a", 30.0, 0.9, 0.7), run("a", 30.0, 0.7, 0.7), run("b", 30.0, 0.4, 0.3), run("c", 10.0, 0.0, 1.0)]
    found = row(runs, 30.0)
    assert found["clips"] == 2 and found["auc"] == pytest.approx({"motion": 0.6, "mv": 0.5})
    assert found["lead"]["mv"]["difference"] == pytest.approx(0.1)
    assert found["lead"]["mv"]["ci95"] == pytest.approx((0.1, 0.1))
    assert row(runs, 10.0)["lead"]["mv"]["difference"] == pytest.approx(-1.0)


def test_m_belongs_to_the_time_of_the_row_and_mv_is_the_same_in_all_rows():
    fast, slow = served("runs", "20ms"), served("runs", "165ms")
    assert fast["m"].endswith("m-30fps-20ms.onnx") and slow["m"].endswith("m-30fps-165ms.onnx")
    assert fast["mv"] == slow["mv"] and fast["motion"] == "motion"


@pytest.mark.real_data
def test_mv_predicts_from_features_of_nanotrack(data_root, weights_root, tmp_path):
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from pvtpp.export.n_head import publish
    from pvtpp.networks.n_head import NHeadConfig, NHeadNetwork

    torch.manual_seed(0)
    network = NHeadNetwork(NHeadConfig("joint", heads=6, channels=96, width=8, narrow=6)).eval()
    publish(network, joint_path(str(tmp_path)), 30.0, {}, (8, 16))
    whole = load("uav-mini", data_root / "uav-mini", "test")["Biker"]
    clip = replace(whole, ground_truth_xywh=whole.ground_truth_xywh[:40], image_paths=whole.image_paths[:40])
    names = {"hold": "hold", "mv": f"n_head:{joint_path(str(tmp_path))}"}
    spec = RunSpec("uav-mini", TRACKER, "47ms", tuple(names.values()))
    (job,) = jobs([clip], spec, None)
    name, fps, auc = measure(job, names, MakeTracker(TRACKER))
    assert (name, fps) == ("Biker", 30.0)
    # An untrained module moves the box, and not where the target goes.
    assert 0 < auc["mv"] != auc["hold"] > 0.2
