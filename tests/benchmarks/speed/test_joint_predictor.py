"""The timing script runs and writes its figures with the hardware they were taken on."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnxruntime")
from pvtpp_benchmarks.speed import joint_predictor


def test_it_writes_figures_and_hardware(tmp_path, capsys):
    assert joint_predictor.main(["--rounds", "2", "--json", str(tmp_path / "figures.json")]) == 0
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert set(figures["rows"]) == {"mv", "encode", "predict", "motion"} and figures["mv_over_joint"] > 0
    assert figures["protocol"]["hardware"]["machine"]
    assert "MV over encode + predict" in capsys.readouterr().out


def test_a_predictor_that_is_not_there_is_one_line(capsys):
    with pytest.raises(SystemExit):
        joint_predictor.main(["--rounds", "1", "--predictor", "joint:/nowhere.onnx"])
    assert "/nowhere.onnx" in capsys.readouterr().err
