"""The timing script runs and writes its figures with the hardware they were taken on."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnxruntime")

from pvtpp_benchmarks.speed import predictors


def test_it_writes_figures_and_hardware(tmp_path, capsys):
    path = tmp_path / "figures.json"
    assert predictors.main(["--rounds", "1", "--json", str(path)]) == 0
    figures = json.loads(path.read_text())
    assert set(figures["predict_against"]) == set(predictors.PAPER) and min(figures["microseconds"].values()) > 0
    assert figures["protocol"]["hardware"]["machine"]
    assert "predict / M:" in capsys.readouterr().out


def test_wrong_options_are_refused(capsys):
    with pytest.raises(SystemExit):
        predictors.main(["--rounds", "0"])
    assert "--rounds is 0" in capsys.readouterr().err
