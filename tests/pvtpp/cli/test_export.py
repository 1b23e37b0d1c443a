"""Export from the command line, from a checkpoint to a tracker that flies on what was written."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from pvtpp.cli.main import main
from pvtpp_benchmarks import machine_lock

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from pvtpp.inference.artefact import SIDECAR  # noqa: E402
from pvtpp.weights.store import sha256  # noqa: E402

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def checkpoint(weights_root):
    return weights_root / "nanotrack" / "nanotrackv3.pth"


@pytest.fixture
def export(checkpoint, clips, tmp_path):
    def run(*more, out=tmp_path / "out"):
        data = ["--dataset", "folder", "--root", str(clips), "--sequences", "right"]
        return main(["export", "nanotrack-v3", "--checkpoint", str(checkpoint), "--out", str(out), *data, *more])

    return run


@pytest.mark.real_data
@pytest.mark.parametrize("more", [(), ("--form", "unrolled", "--pixels")])
def test_what_is_exported_flies_and_is_timed_stage_by_stage(export, clips, tmp_path, capsys, monkeypatch, more):
    assert export(*more) == 0
    assert "accepted; tensors within" in capsys.readouterr().out
    card = json.loads((tmp_path / "out" / SIDECAR).read_text())
    assert card["parity"]["boxes"]["max_px"] < 0.5 and card["source"]["file"] == "nanotrackv3.pth"
    monkeypatch.setattr(machine_lock, "lock_path", lambda: str(tmp_path / "lock"))
    # Nothing but the export is needed from here on.
    monkeypatch.delenv("PVTPP_WEIGHTS")
    monkeypatch.setenv("PVTPP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PVTPP_OFFLINE", "1")
    assert main(["bench", "--weights", str(tmp_path / "out"), "--frames", "2", "--json", str(tmp_path / "b.json")]) == 0
    stages = json.loads((tmp_path / "b.json").read_text())["stages"]
    assert {"template", "crop", "search", "head", "decode", "track"} <= set(stages)
    arguments = [
        "eval",
        "--dataset",
        "folder",
        "--root",
        str(clips),
        "--weights",
        str(tmp_path / "out"),
        "--predictors",
        "hold",
    ]
    assert main([*arguments, "--processing", f"bench:{tmp_path}/b.json", "--logs", str(tmp_path / "logs")]) == 0
    assert "offline" in capsys.readouterr().out


@pytest.mark.real_data
def test_verify_keeps_what_passes_and_refuses_what_was_corrupted_on_purpose(export, tmp_path, capsys):
    assert export("--verify") == 0
    written = (tmp_path / "out" / "head.onnx").stat().st_mtime_ns
    assert "accepted" in capsys.readouterr().out
    assert export("--verify") == 0
    assert "verified" in capsys.readouterr().out
    assert (tmp_path / "out" / "head.onnx").stat().st_mtime_ns == written
    assert export("--verify", "--form", "unrolled") == 2
    assert "holds another export: configuration" in capsys.readouterr().err
    assert export("--form", "unrolled") == 2
    assert "is there already and would be replaced; compare it with torch by --verify" in capsys.readouterr().err
    assert (tmp_path / "out" / "head.onnx").stat().st_mtime_ns == written
    model = onnx.load(str(tmp_path / "out" / "head.onnx"))
    tensor = max(model.graph.initializer, key=lambda each: np.prod(each.dims))
    changed = onnx.numpy_helper.to_array(tensor) * np.float32(1.05)
    tensor.CopyFrom(onnx.numpy_helper.from_array(changed, tensor.name))
    onnx.save(model, str(tmp_path / "out" / "head.onnx"))
    assert export("--verify") == 2
    assert "head.onnx: sha256" in capsys.readouterr().err
    # Even with a sidecar forged to fit.
    card = json.loads((tmp_path / "out" / SIDECAR).read_text())
    card["graphs"]["head"]["sha256"] = sha256(tmp_path / "out" / "head.onnx")
    (tmp_path / "out" / SIDECAR).write_text(json.dumps(card))
    assert export("--verify") == 1
    assert "refused, and nothing is left there: tensor head." in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


@pytest.mark.real_data
def test_half_precision_and_eight_bits_go_through_the_same_gate(export, clips, tmp_path, capsys):
    for precision, more in (("fp16", ()), ("int8", ("--calibrate", f"folder:{clips}"))):
        assert export("--precision", precision, *more, out=tmp_path / precision) == 0
        assert f"{precision}: accepted" in capsys.readouterr().out
        card = json.loads((tmp_path / precision / SIDECAR).read_text())
        assert card["precision"] == precision
        assert 1e-3 < card["parity"]["tensors"]["search.output"]["relative"] < 0.6


@pytest.mark.real_data
def test_the_compiler_is_a_gate_of_its_own(export, rtx, tmp_path, capsys):
    assert export("--compile", "7.5") == 1
    said = capsys.readouterr().out
    assert f"{tmp_path}/out: refused, and nothing is left there: {tmp_path}/out/template.onnx: TensorRT-RTX" in said
    assert "Turing" in said and not (tmp_path / "out").exists()
    assert export("--compile", "8.6,12.0", "--precision", "fp16") == 0
    assert f"out: compiled by TensorRT-RTX {rtx.version} for 8.6, 12.0" in capsys.readouterr().out
    card = json.loads((tmp_path / "out" / SIDECAR).read_text())
    assert set(card["compiled"]["graphs"]) == {"template", "search", "head"}
    assert export("--verify", "--precision", "fp16", "--compile") == 0
    assert json.loads((tmp_path / "out" / SIDECAR).read_text())["compiled"]["capabilities"] == []


@pytest.mark.parametrize("options", [["nanotrack-v3"], ["motion", "m.safetensors"]])
def test_a_compiler_that_is_missing_or_unknown_is_one_line_before_any_work(options, tmp_path, capsys, monkeypatch):
    arguments = ["export", *options, "--out", str(tmp_path / "out.onnx"), "--compile"]
    for name in ("tensorrt", "tensorrt_rtx"):
        monkeypatch.setitem(sys.modules, name, None)
    assert main(arguments) == 2
    assert "--compile: TensorRT is not installed" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "tensorrt_rtx", SimpleNamespace(__version__="2.0.1"))
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "--compile: TensorRT-RTX 2.0.1 is installed, supported are TensorRT 8.4 to 11 and TensorRT-RTX 1.0" in line


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["wizard"], "no network for a tracker called 'wizard'; there are nanotrack-v3, "),
        (["nanotrack-v3", "--form", "rolled"], "allowed is one of: grouped, unrolled"),
        (["nanotrack-v3", "--precision", "int8"], "--calibrate is for --precision int8, and needed there"),
        (["nanotrack-v3", "--calibrate", "folder:x"], "the precision is fp32"),
        (["nanotrack-v3", "--checkpoint", "/nowhere.pth"], "/nowhere.pth: no such checkpoint"),
        (["nanotrack-v3", "--root", "uav-mini"], "--root, --split and --sequences say which clips of --dataset NAME"),
        (["nanotrack-v3", "v3.pth"], "v3.pth: only motion, joint, paper take a FILE; a tracker's weights are named by"),
        (["motion"], "pvtpp export motion needs the weights (.safetensors) or a checkpoint (.ckpt) of a training"),
        (["joint", "j.ckpt", "--precision", "fp16"], "--precision is for a tracker's network; joint takes FILE, --out"),
        (["paper", "m.ckpt", "--sequences", "a"], "--sequences is for a tracker's network; paper takes FILE"),
        (["nanotrack-v3", "v3.pth", "--compile"], "v3.pth: only motion, joint, paper take a FILE"),
        (["motion", "m.ckpt"], "out: graphs are written as .onnx, got 'no suffix'"),
    ],
)
def test_bad_input_gets_one_clear_line(options, words, tmp_path, capsys):
    assert main(["export", *options, "--out", str(tmp_path / "out")]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.fixture
def trained(tmp_path):
    """Weights of an untrained motion network with their card, as `pvtpp train motion` leaves them."""
    pytest.importorskip("safetensors")
    from pvtpp.networks.motion import MotionConfig, MotionNetwork, save

    torch.manual_seed(0)
    path = tmp_path / "run" / "motion.safetensors"
    path.parent.mkdir()
    save(MotionNetwork(MotionConfig(history=6, width=8)), path, {"data": "none"})
    return path


def test_weights_of_a_predictor_become_its_graph_in_place_or_elsewhere(trained, tmp_path, capsys):
    pytest.importorskip("lightning")
    for out in (trained.with_suffix(".onnx"), tmp_path / "elsewhere" / "m.onnx"):
        assert main(["export", "motion", str(trained), "--out", str(out)]) == 0
        assert f"use it as --predictors motion:{out}" in capsys.readouterr().out
        card = json.loads(out.with_suffix(".json").read_text())
        assert card["data"] == "none" and card["onnx_against_torch"] <= 1e-4
        assert out.is_file() and out.with_suffix(".safetensors").read_bytes() == trained.read_bytes()


@pytest.mark.parametrize("name", ["m.onnx", "m.encoder.onnx", "m.safetensors", "m.json"])
def test_an_export_that_is_there_is_not_replaced_without_force(name, trained, tmp_path, capsys):
    pytest.importorskip("lightning")
    (tmp_path / name).write_text("of another training")
    arguments = ["export", "motion", str(trained), "--out", str(tmp_path / "m.onnx")]
    assert main(arguments) == 2
    assert (
        f"{tmp_path / name}: is there already and would be replaced; replace it by --force" in capsys.readouterr().err
    )
    assert (tmp_path / name).read_text() == "of another training"
    assert main([*arguments, "--force"]) == 0
    assert json.loads((tmp_path / "m.json").read_text())["data"] == "none"


def test_the_file_of_a_predictor_that_is_missing_is_named(tmp_path, capsys):
    pytest.importorskip("lightning")
    for file, words in (("m.safetensors", "cannot read (No such file"), ("last.ckpt", "no such checkpoint")):
        assert main(["export", "joint", str(tmp_path / file), "--out", str(tmp_path / "j.onnx")]) == 2
        assert f"{tmp_path / file}: {words}" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
