"""The joint predictor from the command line: own clips in, a predictor out, and with --joint a tracker."""

import json
import os
import socket
import subprocess
import sys

import cv2
import pytest

from pvtpp.cli.main import main
from pvtpp_benchmarks.synthetic import AerialClip, render

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
    run = [
        "eval",
        "--tracker",
        "seeing:Seeing",
        "--dataset",
        "folder",
        "--root",
        str(clips),
        "--logs",
        str(tmp_path / "logs"),
    ]
    assert main([*run, "--processing", "50ms", "--predictors", f"hold,joint:{out}/joint.onnx"]) == 0


def test_a_configuration_s_seed_is_the_recordings_and_only_the_same_training_is_resumed(
    clips, tmp_path, monkeypatch, capsys
):
    (tmp_path / "seeing.py").write_text(SEEING)
    monkeypatch.syspath_prepend(str(tmp_path))
    out, kind = tmp_path / "run", ["--frozen", "--tracker", "seeing:Seeing"]
    assert train(clips, out, *kind, "--config", json.dumps({**SMALL, "seed": 4})) == 0
    before = set((out / "recordings").iterdir())
    # The option and the field name the same seed, so the same recordings.
    assert train(clips, out, *kind, "--seed", "4", "--resume") == 0
    assert set((out / "recordings").iterdir()) == before
    assert train(clips, out, *kind, "--seed", "4", "--resume", "--runs", "1", "--variations", "0") == 2
    assert "its data are not the same" in capsys.readouterr().err
    assert (
        train(clips, out, *kind, "--seed", "4", "--resume", "--config", json.dumps({**SMALL, "network": {"width": 8}}))
        == 2
    )
    assert "network.width is " in capsys.readouterr().err
    assert train(clips, out, *kind, "--variations", "-3") == 2
    assert "--variations is -3, allowed is a whole number from 0" in capsys.readouterr().err
    assert train(clips, out, *kind, "--displaced", "-.5") == 2
    assert "--displaced is -0.5, allowed is a number from 0" in capsys.readouterr().err


def test_search_regions_are_displaced_where_the_tracker_takes_a_search_box(clips, tmp_path, monkeypatch, capsys):
    from pvtpp.training.recordings import Recording

    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "seeing.py").write_text(SEEING)
    assert train(clips, tmp_path / "run", "--frozen", "--tracker", "seeing:Seeing", "--displaced", ".4") == 0
    runs = [Recording.read(path) for path in (tmp_path / "run" / "recordings").iterdir()]
    assert all((run.searched[1:, :2] != run.boxes[:-1, :2]).all() for run in runs)
    (tmp_path / "deaf.py").write_text(SEEING.replace("class Seeing:", "class Deaf:\n    takes_search_box = False"))
    assert train(clips, tmp_path / "other", "--frozen", "--tracker", "deaf:Deaf", "--displaced", ".4") == 2
    assert "--displaced is 0.4, allowed is 0: deaf:Deaf takes no search box" in capsys.readouterr().err


def test_of_two_processes_the_first_records_and_both_learn(clips, tmp_path):
    (tmp_path / "seeing.py").write_text(SEEING)
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = str(found.getsockname()[1])
    given = json.dumps({**SMALL, "shards": 2, "accelerator": "cpu"})
    words = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", port]
    words += ["-m", "pvtpp.cli.main", "train", "joint", "--dataset", "folder", "--root", str(clips), "--frozen"]
    words += ["--tracker", "seeing:Seeing", "--variations", "1", "--runs", "1", "--config", given]
    words += ["--out", str(tmp_path / "run")]
    paths = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(words, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("sequences learnt from") == 1
    assert all(done.stderr.count(f"{name}, run 1 of 1") == 1 for name in ("left", "left+0", "right", "right+0"))


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

    from pvtpp_trackers.models import zoo
    from pvtpp_trackers.models.parts import settle

    name, out, few = (
        "siamrpn-mobilenetv2",
        tmp_path / "run",
        json.dumps({**SMALL, "shard_windows": 2, "validation_windows": 2}),
    )
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

    data = [
        "--dataset",
        "folder",
        "--root",
        str(generated),
        "--sequences",
        "aerial100",
        "--logs",
        str(tmp_path / "logs"),
    ]
    tracker = ["--tracker", name, "--weights", str(out / "tracker")]
    assert main(["eval", *tracker, *data, "--processing", "50ms", "--predictors", f"joint:{out}/joint.onnx"]) == 0


def test_joint_training_starts_from_a_checkpoint_and_not_from_an_exported_tracker(clips, tmp_path, capsys):
    assert train(clips, tmp_path / "run", "--joint", "--weights", "exported") == 2
    assert (
        "--weights exported is for --frozen; --joint starts from --checkpoint FILE, or random"
        in capsys.readouterr().err
    )
    assert train(clips, tmp_path / "run", "--frozen", "--checkpoint", "nanotrack.pth") == 2
    assert "--checkpoint nanotrack.pth is for --joint; --frozen takes" in capsys.readouterr().err


def test_joint_training_does_not_go_on_from_frozen_training_s_folder(clips, tmp_path, capsys):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "last.ckpt").write_text("")
    assert train(clips, tmp_path / "run", "--joint", "--resume") == 2
    assert "last.ckpt: not of joint training, whose first stage leaves" in capsys.readouterr().err


def test_joint_training_of_another_tracker_is_refused(clips, tmp_path, capsys):
    assert train(clips, tmp_path / "run", "--joint", "--tracker", "csrt") == 2
    errors = capsys.readouterr().err
    assert "--joint trains nanotrack-v3, siamrpn-mobilenetv2, " in errors and "the tracker is csrt" in errors


@pytest.mark.parametrize("name", ["joint.onnx", "joint.encoder.onnx", "joint.json", "tracker.pth", "tracker"])
def test_joint_training_does_not_replace_what_a_frozen_run_left(name, clips, tmp_path, capsys):
    out = tmp_path / "run"
    out.mkdir()
    (out / name).write_text("of a frozen run")
    assert train(tmp_path / "nothing", out, "--joint") == 2
    assert f"{out / name}: is there already and would be replaced; begin anew with --force" in capsys.readouterr().err
    assert (out / name).read_text() == "of a frozen run"


@pytest.mark.parametrize("mode", ["--joint", "--frozen"])
def test_checkpoints_of_both_stages_are_kept(mode, tmp_path, capsys):
    frozen = tmp_path / "run" / "frozen"
    frozen.mkdir(parents=True)
    (frozen / "last.ckpt").write_text("of the first stage")
    assert train(tmp_path / "nothing", frozen.parent, mode) == 2
    errors = capsys.readouterr().err
    assert f"{frozen / 'last.ckpt'}: is there already" in errors and "--resume" in errors
    assert (frozen / "last.ckpt").read_text() == "of the first stage"


@pytest.mark.parametrize(("mode", "part"), [("--joint", ["frozen"]), ("--frozen", [])])
def test_there_is_nothing_to_resume_before_anything_is_recorded(mode, part, tmp_path, capsys):
    out = tmp_path / "run"
    assert train(tmp_path / "nothing", out, mode, "--resume") == 2
    assert f"{out.joinpath(*part, 'last.ckpt')}: no checkpoint to resume from" in capsys.readouterr().err


def test_a_tracker_whose_graphs_do_not_pass_is_kept_with_its_predictor(generated, tmp_path, monkeypatch, capsys):
    from pvtpp.export import artefact
    from pvtpp.export.parity import ParityError
    from pvtpp_trackers.models import zoo

    def refused(*_):
        raise ParityError("tensor head.output differs")

    name, out = "siamrpn-mobilenetv2", tmp_path / "run"
    few = json.dumps({**SMALL, "shard_windows": 2, "validation_windows": 2})
    more = ["--tracker", name, "--checkpoint", "random", "--variations", "0", "--runs", "2", "--config", few]
    monkeypatch.setattr(artefact, "export", refused)
    assert train(generated, out, "--joint", *more) == 2
    errors = capsys.readouterr().err
    assert f"pvtpp export {name} --checkpoint {out}/tracker.pth --out {out}/tracker" in errors
    assert (out / "joint.onnx").is_file() and (out / "joint.safetensors").is_file()
    zoo.load(name, out / "tracker.pth")
