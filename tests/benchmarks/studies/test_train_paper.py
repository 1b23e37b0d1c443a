"""Modules for the N-head tables are trained once for each rate and time."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

for package in ("torch", "lightning", "onnx", "safetensors", "tensorboard"):
    pytest.importorskip(package)

from pvtpp import predictors  # noqa: E402
from pvtpp_benchmarks.studies import train_paper  # noqa: E402


@pytest.fixture
def walks(monkeypatch):
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(size=(800, 2)).cumsum(0) + 300, np.full((800, 2), 40.0)], axis=1)
    monkeypatch.setattr(train_paper, "boxes", lambda root: ([rows], [rows]))
    monkeypatch.setattr(train_paper, "M_EPOCHS", 1)


def test_a_module_is_made_for_its_rate_and_time_and_not_twice(walks, tmp_path):
    path = train_paper.train_module("nowhere", str(tmp_path), 15.0, "165ms")
    predictor = predictors.create(f"n_head:{path}")
    assert (predictor.kappa, predictor.heads) == (15.0, 6)
    card = json.loads((tmp_path / "m-15fps-165ms.json").read_text())
    assert card["training"]["windows"]["processing_s"] == [0.165, 0.165]
    made = os.stat(path).st_mtime_ns
    assert train_paper.train_module("nowhere", str(tmp_path), 15.0, "165ms") == path
    assert os.stat(path).st_mtime_ns == made
