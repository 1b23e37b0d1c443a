"""NVIDIA's compiler as a gate: what it takes is recorded, what it does not take is not accepted."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("safetensors")
from pvtpp.errors import InputError  # noqa: E402
from pvtpp.export import motion  # noqa: E402
from pvtpp.export.artefact import ExportConfig, export, verify  # noqa: E402
from pvtpp.export.compiler import COMPILED, Compiler  # noqa: E402
from pvtpp.export.parity import Parity, ParityError, compare_engines  # noqa: E402
from pvtpp.inference.artefact import SIDECAR, read  # noqa: E402
from pvtpp.inference.engine import TensorSpec  # noqa: E402
from pvtpp.inference.engine_build import BuildError  # noqa: E402
from pvtpp.inference.torch import TorchEngine  # noqa: E402
from pvtpp.networks.motion import MotionConfig, MotionNetwork  # noqa: E402

CARD = {"model": "follower"}


def agree(reference, candidate):
    """How near the graphs are to torch is another test's question."""
    return Parity({})


REFUSED = r"TensorRT-RTX .* cannot compile this graph \(.* for Turing .*FP32 GEMM is not supported"


@pytest.fixture
def dense():
    """A network that RTX does not compile for 7.5, which multiplies no float32 matrices."""
    torch.manual_seed(0)
    x, y = (TensorSpec(name, (1, 8), np.dtype(np.float32)) for name in ("x", "y"))
    return {"dense": TorchEngine(torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.ReLU()), [x], [y])}


def random_samples(sources):
    """One input for each engine, to calibrate on."""
    rng = np.random.default_rng(0)
    return {
        name: [{spec.name: rng.uniform(0, 9, spec.shape).astype(spec.dtype) for spec in engine.inputs}]
        for name, engine in sources.items()
    }


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
@pytest.mark.parametrize("pixels", [False, True])
def test_what_the_compiler_made_of_every_graph_is_in_the_sidecar(engines, rtx, tmp_path, precision, pixels):
    compiler = Compiler(rtx, ("8.6", "12.0"))
    config = ExportConfig(precision=precision, pixels=pixels)
    samples = random_samples(config.sources(engines))
    card = export(engines, tmp_path / "out", config, agree, CARD, samples, compiler).card
    assert {name: card[COMPILED][name] for name in ("library", "version", "capabilities")} == {
        "library": "TensorRT-RTX",
        "version": rtx.version,
        "capabilities": ["8.6", "12.0"],
    }
    assert set(card[COMPILED]["graphs"]) == set(engines)
    for found in card[COMPILED]["graphs"].values():
        assert found["layers"] > 1 and found["bytes"] > 1000 and found["seconds"] >= 0


def test_without_a_compiler_the_sidecar_says_nothing_of_it(dense, tmp_path):
    assert COMPILED not in export(dense, tmp_path / "out", ExportConfig(), compare_engines, CARD).card


def test_what_does_not_compile_leaves_what_was_there(dense, rtx, tmp_path):
    with pytest.raises(BuildError, match=rf"^{tmp_path}/out/dense.onnx: {REFUSED}"):
        export(dense, tmp_path / "out", ExportConfig(), compare_engines, CARD, compiler=Compiler(rtx, ("7.5",)))
    assert not list(tmp_path.iterdir())
    before = export(dense, tmp_path / "out", ExportConfig(), compare_engines, CARD).card
    with pytest.raises(BuildError):
        export(dense, tmp_path / "out", ExportConfig(), compare_engines, CARD, compiler=Compiler(rtx, ("7.5",)))
    assert read(tmp_path / "out").card == before and len(list(tmp_path.iterdir())) == 1


def test_an_export_that_is_there_is_compiled_when_it_is_verified(dense, rtx, tmp_path):
    artefact = export(dense, tmp_path / "out", ExportConfig(), compare_engines, CARD)
    with pytest.raises(BuildError, match=f"out/dense.onnx: {REFUSED}"):
        verify(artefact, dense, compare_engines, compiler=Compiler(rtx, ("7.5",)))
    assert read(tmp_path / "out").card == artefact.card
    verify(artefact, dense, compare_engines, compiler=Compiler(rtx, ("8.9",)))
    card = read(tmp_path / "out").card
    assert card[COMPILED]["capabilities"] == ["8.9"] and card[COMPILED]["graphs"]["dense"]["layers"] > 1
    assert {name: value for name, value in card.items() if name != COMPILED} == artefact.card
    # What is not torch's is no export, whatever compiles.
    with pytest.raises(ParityError):
        verify(artefact, dense, lambda *engines: fails(), compiler=Compiler(rtx))
    assert not (tmp_path / "out" / SIDECAR).exists()


def fails():
    raise ParityError("differs")


def test_a_predictor_s_graph_is_compiled_before_it_is_kept(rtx, tmp_path):
    torch.manual_seed(0)
    network, path = MotionNetwork(MotionConfig(history=6, width=8)), tmp_path / "m.onnx"
    motion.publish(network, path, {"seed": 3}, compiler=Compiler(rtx))
    card = json.loads(path.with_suffix(".json").read_text())
    assert card[COMPILED]["capabilities"] == [] and card[COMPILED]["graphs"]["m.onnx"]["layers"] > 10
    # The record is of the graph that it was made of, and of no later one.
    motion.publish(network, path, card)
    assert COMPILED not in json.loads(path.with_suffix(".json").read_text())
    with pytest.raises(InputError, match=rf"m.onnx: {REFUSED}.*; the trained weights are kept in {tmp_path}/m.safe"):
        motion.publish(network, path, card, compiler=Compiler(rtx, ("7.5",)))
    assert not path.exists() and path.with_suffix(".safetensors").exists()
    assert COMPILED not in json.loads(path.with_suffix(".json").read_text())


@pytest.mark.parametrize("text", ["8.7", "sm86", "8.6,banana"])
def test_a_compute_capability_that_is_unknown_is_named(rtx, text):
    with pytest.raises(InputError, match="--compile: compute capability '.*', allowed for TensorRT-RTX .* is one of: "):
        Compiler(rtx, tuple(text.split(",")))


def test_tensorrt_is_named_where_it_takes_no_compute_capability(rtx):
    plain = replace(rtx, api=type("Api", (), {"IBuilderConfig": object}))
    assert Compiler(plain).capabilities == ()
    with pytest.raises(InputError, match="builds for the GPU of this machine alone"):
        Compiler(plain, ("8.6",))
