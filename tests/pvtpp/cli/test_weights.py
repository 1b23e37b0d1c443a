"""Published checkpoints from the command line: converted, usable by name, every tensor of the file accounted for."""

from __future__ import annotations

import pytest

from pvtpp import predictors
from pvtpp.cli.main import main

for package in ("torch", "safetensors", "onnx", "onnxruntime"):
    pytest.importorskip(package)


def checkpoint(path):
    """M as published, random, beside two tensors of a tracker."""
    import torch

    from pvtpp.export.published import NAMES
    from pvtpp.networks.n_head import NHeadConfig, NHeadNetwork

    network = NHeadNetwork(NHeadConfig("motion", heads=3, width=8, narrow=6))
    published = {ours: theirs for theirs, ours in NAMES["motion"].items()}
    tensors = {}
    for name, tensor in network.state_dict().items():
        part = next(ours for ours in published if name.startswith(f"{ours}."))
        tensors[f"predictor.{published[part]}{name[len(part) :]}"] = tensor
    tensors["predictor.head.weight"] = torch.zeros(6, 6)
    tensors.update({"backbone.conv.weight": torch.zeros(2), "backbone.conv.bias": torch.zeros(2)})
    torch.save({"state_dict": tensors}, path)
    return path


def test_a_checkpoint_becomes_a_predictor_and_its_tensors_are_named(tmp_path, capsys):
    out = tmp_path / "m.onnx"
    assert main(["weights", "convert", str(checkpoint(tmp_path / "published.pth")), str(out), "--kappa", "25"]) == 0
    printed = capsys.readouterr().out
    assert "motion module with 3 heads" in printed and "predictor.input_encode.0.weight" in printed
    assert (
        printed.index("never runs") < printed.index("predictor.head.weight") < printed.index("backbone.* (2 tensors)")
    )
    assert predictors.create(f"n_head:{out}").kappa == 25.0


def test_a_file_that_is_none_gets_one_clear_line(tmp_path, capsys):
    assert main(["weights", "convert", str(tmp_path / "none.pth"), str(tmp_path / "m.onnx")]) == 2
    assert "none.pth: no such checkpoint" in capsys.readouterr().err
    source = checkpoint(tmp_path / "published.pth")
    assert main(["weights", "convert", str(source), str(tmp_path / "m.onnx"), "--factor", "half"]) == 2
    assert "NHeadConfig.factor is 'half', allowed is one of: absolute, signed" in capsys.readouterr().err
    for kappa in ("0", "-30", "nan", "inf"):
        (tmp_path / "m.onnx").write_text("a good one")
        assert main(["weights", "convert", str(source), str(tmp_path / "m.onnx"), f"--kappa={kappa}"]) == 2
        assert "--kappa is" in capsys.readouterr().err and (tmp_path / "m.onnx").read_text() == "a good one"
    assert main(["weights", "convert", str(source), str(tmp_path / "m.pt")]) == 2
    assert not (tmp_path / "m.pt").exists()
