"""Training from the command line: own boxes in, a predictor out that every command can use."""

import json
import shutil

import numpy as np
import pytest

from pvtpp.cli.main import main

for package in ("torch", "lightning", "safetensors", "tensorboard", "onnx"):
    pytest.importorskip(package)

SMALL = {"epochs": 1, "epoch_batches": 2, "shards": 1, "shard_windows": 16, "validation_windows": 32, "warmup": 1, "workers": 0}


@pytest.fixture
def boxes(tmp_path):
    folder = tmp_path / "boxes"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(10):
        steps = rng.normal(scale=[0.5, 0.5, 0.02, 0.02], size=(300, 4)).cumsum(axis=0)
        xywh = steps.cumsum(axis=0) * 0.1 + [300, 200, 60, 50]
        np.savetxt(folder / f"clip{number}.txt", xywh, delimiter=",", fmt="%.3f")
    return folder


def train(boxes, out, *more):
    arguments = ["train", "motion", "--dataset", "annotations", "--root", str(boxes), "--out", str(out)]
    return main([*arguments, "--calibration", '{"steps": 2, "count": 16}', *more])


def test_a_predictor_is_trained_and_serves_every_command(boxes, tmp_path, capsys):
    out = tmp_path / "run"
    assert train(boxes, out, "--config", json.dumps(SMALL), "--seed", "3") == 0
    card = json.loads((out / "motion.json").read_text())
    assert card["seed"] == 3 and card["sequences"] == 9
    replay = ["replay", "--results", str(boxes), "--dataset", "annotations", "--root", str(boxes), "--processing", "47ms"]
    assert main([*replay, "--predictors", f"hold,motion:{out}/motion.onnx"]) == 0
    assert "motion.onnx" in capsys.readouterr().out


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
PAPER = {"epochs": 1, "epoch_batches": 2, "shard_windows": 8, "validation_windows": 8}


def test_the_paper_s_m_learns_from_boxes_and_knows_its_camera(boxes, tmp_path, capsys):
    out = tmp_path / "run"
    arguments = ["train", "paper", "--modules", "m", "--kappa", "60", "--processing", "47ms", "--out", str(out)]
    given = {**PAPER, "windows": {"jittery": 0.0}}
    data = ["--dataset", "annotations", "--root", str(boxes)]
    assert main([*arguments, *data, "--config", json.dumps(given), "--seed", "5"]) == 0
    card = json.loads((out / "m.json").read_text())
    assert (card["kappa"], card["seed"], card["config"]["heads"], card["sequences"]) == (60.0, 5, 7, 9)
    # What is not given stays as the recipe has it.
    assert card["training"]["windows"]["jittery"] == 0.0 and card["training"]["windows"]["fps"] == [60.0, 60.0]
    replay = ["replay", "--results", str(boxes), *data, "--processing", "47ms", "--predictors", f"n_head:{out}/m.onnx"]
    assert main(replay) == 0


@pytest.mark.parametrize("module", ["v", "mv"])
def test_the_paper_s_v_and_mv_learn_from_what_a_tracker_saw(module, clips, tmp_path, monkeypatch, capsys):
    (tmp_path / "seeing.py").write_text(SEEING)
    monkeypatch.syspath_prepend(str(tmp_path))
    out = tmp_path / "run"
    arguments = ["train", "paper", "--modules", module, "--processing", "50ms", "--tracker", "seeing:Seeing", "--out", str(out)]
    data = ["--dataset", "folder", "--root", str(clips)]
    assert main([*arguments, *data, "--runs", "2", "--config", json.dumps(PAPER)]) == 0
    assert len(list((out / "recordings").iterdir())) == 4
    run = ["eval", "--tracker", "seeing:Seeing", *data, "--processing", "50ms", "--logs", str(tmp_path / "logs")]
    assert main([*run, "--predictors", f"n_head:{out}/{module}.onnx"]) == 0
    for name in ("left", "right"):
        shutil.rmtree(clips / name / "img")
    assert main([*arguments, *data, "--config", json.dumps(PAPER)]) == 2
    assert "has no images here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--config", "{"], "not JSON"),
        (["--config", '{"epoch": 1}'], "no field epoch; valid:"),
        (["--config", "/nowhere.json"], "/nowhere.json"),
        (["--config", json.dumps(SMALL), "--resume"], "no checkpoint to resume from"),
    ],
)
def test_bad_input_gets_one_clear_line(options, words, boxes, tmp_path, capsys):
    assert train(boxes, tmp_path / "run", *options) == 2
    assert words in capsys.readouterr().err
