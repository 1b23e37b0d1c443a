"""The joint predictor from the command line: own clips in, a predictor out, and with --joint a tracker."""

import json

import cv2
import pytest

from benchmarks.synthetic import AerialClip, render
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


@pytest.fixture
def generated(tmp_path):
    """Two short aerial clips in plain folders."""
    for seed in (100, 101):
        clip = render(AerialClip(name=f"aerial{seed}", seed=seed, width=320, height=180, seconds=0.2, occlusions=()))
        folder = tmp_path / "generated" / clip.name / "img"
        folder.mkdir(parents=True)
        for i in range(len(clip)):
            cv2.imwrite(str(folder / f"{i + 1:06d}.png"), clip.frame(i).image)
        lines = [",".join(f"{side:.2f}" for side in box) for box in clip.ground_truth_xywh[:: clip.stride]]
        (folder.parent / "groundtruth.txt").write_text("\n".join(lines) + "\n")
    return tmp_path / "generated"


def test_an_untrained_siamrpn_learns_by_the_same_command_in_its_neck_and_head_alone(generated, tmp_path, capsys):
    import torch

    from trackers.models import zoo
    from trackers.models.parts import settle

    name, out, few = "siamrpn-mobilenetv2", tmp_path / "run", json.dumps({**SMALL, "shard_windows": 2, "validation_windows": 2})
    more = ["--tracker", name, "--checkpoint", "random", "--variations", "0", "--runs", "3", "--config", few]
    assert train(generated, out, "--joint", *more) == 0
    assert "random weights" in capsys.readouterr().out
    assert json.loads((out / "joint.json").read_text())["tracker"] == f"{name} maps random weights, seed 0"

    torch.manual_seed(0)
    before = settle(zoo.create(name))
    weights = torch.load(out / "last.ckpt", map_location="cpu", weights_only=False)["state_dict"]
    # A loss that is not finite would leave no weight that is.
    assert all(torch.isfinite(tensor).all() for tensor in weights.values())
    after = {each: weights[f"tracker.model.{each}"] for each in before.state_dict()}
    changed = {each for each, tensor in before.state_dict().items() if not torch.equal(tensor, after[each])}
    assert changed == {each for each, _ in before.named_parameters() if each.startswith(("neck.", "head."))}

    data = ["--dataset", "folder", "--root", str(generated), "--sequences", "aerial100", "--logs", str(tmp_path / "logs")]
    tracker = ["--tracker", name, "--weights", str(out / "tracker")]
    assert main(["eval", *tracker, *data, "--processing", "50ms", "--predictors", f"joint:{out}/joint.onnx"]) == 0


def test_joint_training_starts_from_a_checkpoint_and_not_from_an_exported_tracker(clips, tmp_path, capsys):
    assert train(clips, tmp_path / "run", "--joint", "--weights", "exported") == 2
    assert "--weights exported is for --frozen; --joint starts from --checkpoint FILE, or random" in capsys.readouterr().err
    assert train(clips, tmp_path / "run", "--frozen", "--checkpoint", "nanotrack.pth") == 2
    assert "--checkpoint nanotrack.pth is for --joint; --frozen takes" in capsys.readouterr().err


def test_joint_training_of_another_tracker_is_refused(clips, tmp_path, capsys):
    assert train(clips, tmp_path / "run", "--joint", "--tracker", "csrt") == 2
    told = capsys.readouterr().err
    assert "--joint trains nanotrack-v3, siamrpn-mobilenetv2, " in told and "the tracker is csrt" in told
