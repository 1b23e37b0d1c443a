"""Training from the command line: own boxes in, a predictor out that every command can use."""

import json

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
