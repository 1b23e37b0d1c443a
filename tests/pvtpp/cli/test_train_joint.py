"""The joint predictor from the command line: own clips in, a predictor out, and with --joint a tracker."""

import json

import pytest

from pvtpp.cli.main import main

for package in ("torch", "lightning", "safetensors", "tensorboard", "onnx"):
    pytest.importorskip(package)

SEEING = """
from types import SimpleNamespace
import numpy as np
from pvtpp.tracker import TrackerOutput

class Seeing:
    def init(self, frame, box):
        self.box = np.array(box)
    def track(self, frame, search_box=None):
        small = frame.image[:12, :12].transpose(2, 0, 1)[None].astype(np.float32) / 255
        return TrackerOutput(self.box, 1.0, SimpleNamespace(template=small[..., :6, :6].copy(), search=small))
"""
SMALL = {"epochs": 1, "epoch_batches": 2, "shard_windows": 8, "validation_windows": 8, "warmup": 1}


def train(clips, out, *more):
    arguments = ["train", "joint", "--dataset", "folder", "--root", str(clips), "--out", str(out), "--variations", "1"]
    return main([*arguments, "--runs", "2", "--config", json.dumps(SMALL), *more])


def test_a_predictor_is_trained_on_what_any_tracker_saw(clips, tmp_path, monkeypatch):
    (tmp_path / "seeing.py").write_text(SEEING)
    monkeypatch.syspath_prepend(str(tmp_path))
    out = tmp_path / "run"
    assert train(clips, out, "--frozen", "--tracker", "seeing:Seeing", "--seed", "3") == 0
    card = json.loads((out / "joint.json").read_text())
    assert card["seed"] == 3 and (card["config"]["channels"], card["config"]["template"], card["config"]["search"]) == (
        3,
        6,
        12,
    )
    assert len(list((out / "recordings").iterdir())) == 8
    run = ["eval", "--tracker", "seeing:Seeing", "--dataset", "folder", "--root", str(clips), "--logs", str(tmp_path / "logs")]
    assert main([*run, "--processing", "50ms", "--predictors", f"hold,joint:{out}/joint.onnx"]) == 0


@pytest.mark.real_data
def test_a_tracker_trained_with_its_predictor_serves_every_command(clips, weights_root, tmp_path, capsys):
    out, checkpoint = tmp_path / "run", weights_root / "nanotrack" / "nanotrackv3.pth"
    assert train(clips, out, "--joint", "--checkpoint", str(checkpoint), "--variations", "0", "--runs", "1") == 0
    assert json.loads((out / "tracker" / "artefact.json").read_text())["model"] == "nanotrack-v3"
    data = ["--dataset", "folder", "--root", str(clips), "--logs", str(tmp_path / "logs")]
    tracker = ["--tracker", "nanotrack-v3", "--weights", str(out / "tracker")]
    assert main(["eval", *tracker, *data, "--processing", "50ms", "--predictors", f"joint:{out}/joint.onnx"]) == 0


def test_joint_training_of_another_tracker_is_refused(clips, tmp_path, capsys):
    assert train(clips, tmp_path / "run", "--joint", "--tracker", "csrt") == 2
    assert "--joint trains nanotrack-v3 alone, the tracker is csrt" in capsys.readouterr().err
