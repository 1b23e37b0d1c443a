"""When an engine is built again, and the reason given; with a TensorRT and a CUDA runtime that need no GPU."""

import hashlib
import json
import os
import sys
from dataclasses import asdict, replace

import pytest

from pvtpp import inference
from pvtpp.errors import InputError
from pvtpp.inference import cuda, engine_cache
from pvtpp.inference.artefact import SIDECAR
from pvtpp.inference.engine_cache import (
    TIMING_CACHE,
    EngineKey,
    engine_path,
    obtain,
    precision_of,
    record_path,
    why_build,
)

KEY = EngineKey("a" * 64, "Orin", "8.7", "TensorRT 8.5.2", "11.4", "fp16", ("fp16",))


def keep(folder, key, content=b"engine", age=0):
    path = engine_path(folder, "head", key)
    path.write_bytes(content)
    record = {**asdict(key), "engine": hashlib.sha256(content).hexdigest()}
    path.with_suffix(".json").write_text(json.dumps(record))
    os.utime(str(path.with_suffix(".json")), (1e9 - age, 1e9 - age))
    return path


def test_an_engine_that_fits_is_used_again(tmp_path):
    keep(tmp_path, KEY)
    assert why_build(tmp_path, "head", KEY) == ""


def test_the_first_build_says_that_it_is_the_first(tmp_path):
    assert "no engine" in why_build(tmp_path, "head", KEY)
    keep(tmp_path, KEY)
    assert "no engine" in why_build(tmp_path, "search", KEY)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"graph": "b" * 64}, "graph aaaaaaaaaaaa is now bbbbbbbbbbbb"),
        ({"gpu": "Xavier", "capability": "7.2"}, "gpu Orin is now Xavier, capability 8.7 is now 7.2"),
        ({"library": "TensorRT-RTX 1.7.1"}, "library TensorRT 8.5.2 is now TensorRT-RTX 1.7.1"),
        ({"cuda": "12.2"}, "cuda 11.4 is now 12.2"),
        ({"precision": "int8"}, "precision fp16 is now int8"),
        ({"flags": ()}, "flags fp16 is now none"),
    ],
)
def test_the_reason_names_what_changed(tmp_path, change, words):
    keep(tmp_path, KEY)
    assert why_build(tmp_path, "head", replace(KEY, **change)) == words


def test_the_reason_compares_with_the_newest_engine(tmp_path):
    keep(tmp_path, replace(KEY, gpu="Nano"), age=100)
    keep(tmp_path, replace(KEY, library="TensorRT 8.6.1"))
    assert why_build(tmp_path, "head", KEY) == "library TensorRT 8.6.1 is now TensorRT 8.5.2"


def test_engines_of_two_machines_lie_side_by_side(tmp_path):
    other = replace(KEY, gpu="Xavier")
    keep(tmp_path, KEY)
    keep(tmp_path, other)
    assert why_build(tmp_path, "head", KEY) == why_build(tmp_path, "head", other) == ""


def test_a_damaged_engine_is_named(tmp_path):
    path = keep(tmp_path, KEY)
    path.write_bytes(b"torn")
    assert why_build(tmp_path, "head", KEY) == f"{path.name} is damaged"
    keep(tmp_path, KEY).unlink()
    assert why_build(tmp_path, "head", KEY) == "there is no engine of it yet"


@pytest.mark.parametrize("content", ["{", "[]", "", "7", '{"graph": 3}', json.dumps({**asdict(KEY), "flags": 5})])
def test_a_damaged_record_is_named(tmp_path, content):
    path = keep(tmp_path, KEY)
    record_path(path).write_text(content)
    assert why_build(tmp_path, "head", KEY) == f"the record {record_path(path).name} is damaged or missing"
    # Without its engine it is compared with as any older record.
    path.unlink()
    assert why_build(tmp_path, "head", KEY)
    record_path(path).unlink()
    assert why_build(tmp_path, "head", KEY) == "there is no engine of it yet"


@pytest.fixture
def graph(tmp_path, monkeypatch):
    monkeypatch.setenv("PVTPP_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "head.onnx"
    path.write_bytes(b"a graph")
    return path


def test_an_engine_is_built_once_with_its_record_and_the_times_of_its_kernels(graph, tensorrt, caplog):
    path = obtain(graph, tensorrt)
    (line,) = caplog.messages
    assert line.startswith(
        f"building an engine of {graph} with TensorRT 8.6.1, which takes minutes: there is no engine"
    )
    record = json.loads(record_path(path).read_text())
    assert (record["gpu"], record["capability"], record["cuda"]) == ("Orin", "8.7", "12.2")
    assert path.read_bytes() == b"an engine" and record["engine"] == hashlib.sha256(b"an engine").hexdigest()
    assert obtain(graph, tensorrt) == path and len(tensorrt.api.builders) == 1
    path.write_bytes(b"torn")
    assert obtain(graph, tensorrt) == path and path.read_bytes() == b"an engine"
    assert tensorrt.api.builders[-1].times == b"times of this build"
    assert "is damaged" in caplog.messages[-1]
    names = {path.name, record_path(path).name, TIMING_CACHE}
    assert {each.name for each in path.parent.iterdir()} == names


def test_a_build_that_fails_leaves_nothing_and_says_what_the_compiler_says(graph, tensorrt, tmp_path):
    tensorrt.api.refuses = "engine"
    words = (
        r"head.onnx: TensorRT 8\.6\.1 cannot compile this graph \(.*implementation for node /Conv\.\); was it exported"
    )
    with pytest.raises(InputError, match=words):
        obtain(graph, tensorrt)
    assert not list((tmp_path / "cache" / "engines").iterdir())


def test_damaged_times_cost_time_alone(graph, tensorrt, tmp_path):
    folder = tmp_path / "cache" / "engines"
    folder.mkdir(parents=True)
    (folder / TIMING_CACHE).write_bytes(b"torn")
    obtain(graph, tensorrt)
    assert tensorrt.api.builders[-1].times == b""
    assert (folder / TIMING_CACHE).read_bytes() == b"times of this build"


def test_a_graph_that_cannot_be_read_is_one_line(graph, tensorrt):
    graph.unlink()
    with pytest.raises(InputError, match=r"head.onnx: cannot read \(No such file"):
        obtain(graph, tensorrt)


def test_a_cache_that_cannot_be_written_is_named(graph, tensorrt, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PVTPP_CACHE", str(tmp_path / "file"))
    with pytest.raises(InputError, match=r"file/engines: cannot make the folder \(.*\); PVTPP_CACHE names another"):
        obtain(graph, tensorrt)
    assert not tensorrt.api.builders


def test_a_place_that_cannot_be_written_is_found_before_the_build(graph, tensorrt, tmp_path, monkeypatch):
    monkeypatch.setattr(engine_cache, "engine_path", lambda *key: tmp_path)
    with pytest.raises(InputError, match="cannot write .it is there and not a plain file"):
        obtain(graph, tensorrt)
    assert not tensorrt.api.builders


def test_rtx_builds_an_engine_for_the_gpu_that_is_here(graph, rtx, real_graph, library, monkeypatch):
    graph.write_bytes(real_graph.read_bytes())
    sizes = []
    # The stand-in's capability is 8.7, which RTX does not have: then it builds for all.
    for capability in ("8.7", "8.6"):
        monkeypatch.setattr(cuda.Cuda, "device", lambda self, known=capability: ("RTX", known, "12.2"))
        path = obtain(graph, rtx)
        assert json.loads(record_path(path).read_text())["library"] == rtx.title
        assert obtain(graph, rtx) == path
        sizes.append(path.stat().st_size)
    assert not (path.parent / TIMING_CACHE).exists() and min(sizes) > 10_000


def test_the_precision_is_the_sidecar_s(tmp_path):
    graph = tmp_path / "head.onnx"
    assert precision_of(graph) == "fp32"
    (tmp_path / SIDECAR).write_text(json.dumps({"precision": "int8", "graphs": {"head": {"file": "head.onnx"}}}))
    assert precision_of(graph) == "int8"
    assert precision_of(tmp_path / "other.onnx") == "fp32"


def test_without_tensorrt_its_installation_is_named(tmp_path, monkeypatch):
    for module in ("tensorrt", "tensorrt_rtx"):
        monkeypatch.setitem(sys.modules, module, None)
    for name in ("head.onnx", "head.engine"):
        (tmp_path / name).write_bytes(b"a network")
        words = rf"{name}: TensorRT is not installed .*JetPack.*pvtpp\[trt\].*pvtpp\[rtx\]"
        with pytest.raises(InputError, match=words):
            inference.load(tmp_path / name, backend="tensorrt")
