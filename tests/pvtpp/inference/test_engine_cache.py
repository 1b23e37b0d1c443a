"""When a TensorRT engine is built again, and the reason given. Building needs a GPU and is not tested here."""

import hashlib
import json
import os
import sys
from dataclasses import asdict, replace
from types import SimpleNamespace

import pytest

from pvtpp import inference
from pvtpp.errors import InputError
from pvtpp.inference.artefact import SIDECAR
from pvtpp.inference.engine_cache import EngineKey, build_flags, engine_path, obtain, precision_of, why_build

KEY = EngineKey("a" * 64, "Orin", "8.7", "8.5.2", "11.4", "fp16", ("fp16",))


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
        ({"tensorrt": "10.3.0"}, "tensorrt 8.5.2 is now 10.3.0"),
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
    keep(tmp_path, replace(KEY, tensorrt="8.6.1"))
    assert why_build(tmp_path, "head", KEY) == "tensorrt 8.6.1 is now 8.5.2"


def test_engines_of_two_machines_lie_side_by_side(tmp_path):
    other = replace(KEY, gpu="Xavier")
    keep(tmp_path, KEY)
    keep(tmp_path, other)
    assert why_build(tmp_path, "head", KEY) == why_build(tmp_path, "head", other) == ""


def test_a_damaged_engine_or_record_is_built_again(tmp_path):
    path = keep(tmp_path, KEY)
    path.write_bytes(b"torn")
    assert "damaged" in why_build(tmp_path, "head", KEY)
    keep(tmp_path, KEY).with_suffix(".json").write_text("{")
    assert "no engine" in why_build(tmp_path, "head", KEY)
    keep(tmp_path, KEY).unlink()
    assert why_build(tmp_path, "head", KEY)


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_an_engine_is_strongly_typed_where_tensorrt_can(precision):
    assert build_flags(precision, True) == ("strongly_typed",)
    assert build_flags(precision, False) == (() if precision == "fp32" else (precision,))


def test_a_precision_that_is_unknown_is_named():
    for typed in (True, False):
        with pytest.raises(InputError, match="artefact.json: precision is 'bf16', allowed is one of: fp32, fp16, int8"):
            build_flags("bf16", typed)


def test_a_cache_that_cannot_be_written_is_named(tmp_path, monkeypatch, library):
    pytest.importorskip("polygraphy")
    (tmp_path / "file").write_text("")
    (tmp_path / "head.onnx").write_bytes(b"a graph")
    monkeypatch.setenv("PVTPP_CACHE", str(tmp_path / "file"))
    trt = SimpleNamespace(__version__="8.6.1", NetworkDefinitionCreationFlag=object())
    with pytest.raises(InputError, match=r"file/engines: cannot write the TensorRT engine \(.*\); PVTPP_CACHE names"):
        obtain(tmp_path / "head.onnx", trt)


def test_the_precision_is_the_sidecar_s(tmp_path):
    graph = tmp_path / "head.onnx"
    assert precision_of(graph) == "fp32"
    (tmp_path / SIDECAR).write_text(json.dumps({"precision": "int8", "graphs": {"head": {"file": "head.onnx"}}}))
    assert precision_of(graph) == "int8"
    assert precision_of(tmp_path / "other.onnx") == "fp32"


def test_without_tensorrt_its_installation_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    for name in ("head.onnx", "head.engine"):
        (tmp_path / name).write_bytes(b"a network")
        with pytest.raises(InputError, match=r"JetPack.*pvtpp\[trt\]"):
            inference.load(tmp_path / name, backend="tensorrt")
