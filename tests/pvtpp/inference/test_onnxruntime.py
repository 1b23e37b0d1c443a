"""ONNX Runtimes of several versions: what they refuse, they refuse in different ways."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from pvtpp import inference
from pvtpp.errors import InputError

TENSORRT, CUDA, CPU = (f"{name}ExecutionProvider" for name in ("Tensorrt", "CUDA", "CPU"))


@pytest.fixture
def runtime(monkeypatch, tmp_path):
    """The module ``onnxruntime``, whose TensorRT knows the options in `known`; `asked` is what sessions asked for."""
    module = SimpleNamespace(asked=[], known={"trt_engine_cache_enable", "trt_engine_cache_path"})
    module.get_available_providers = lambda: [TENSORRT, CUDA, CPU]
    module.SessionOptions = SimpleNamespace
    module.starts, module.raises = True, False

    class Session:
        def __init__(self, path, options, providers):
            module.asked.append(providers)
            (_, given), *rest = (each if isinstance(each, tuple) else (each, {}) for each in providers)
            unknown = set(given) - module.known
            if unknown and module.raises:
                raise RuntimeError(f"Invalid TensorRT EP option:\n{unknown.pop()}")
            self.providers = rest if unknown or not module.starts else providers

        def get_providers(self):
            return [each if isinstance(each, str) else each[0] for each in self.providers]

        def get_inputs(self):
            return []

        get_outputs = run = get_inputs

    module.InferenceSession = Session
    monkeypatch.setitem(sys.modules, "onnxruntime", module)
    monkeypatch.setenv("PVTPP_CACHE", str(tmp_path / "cache"))
    return module


@pytest.fixture
def graph(tmp_path):
    (tmp_path / "net.onnx").write_bytes(b"a graph")
    return tmp_path / "net.onnx"


def options(providers):
    return {key for each in providers if isinstance(each, tuple) for key in each[1]}


@pytest.mark.parametrize("raises", [True, False])
def test_a_runtime_that_does_not_know_the_timing_cache_goes_without_it(raises, runtime, graph):
    runtime.raises = raises
    assert inference.load(graph, backend="onnxruntime:tensorrt").providers == (TENSORRT, CUDA, CPU)
    first, second = map(options, runtime.asked)
    assert first - second == {"trt_timing_cache_enable"} and second == runtime.known


def test_a_runtime_that_knows_it_keeps_it(runtime, graph):
    runtime.known.add("trt_timing_cache_enable")
    inference.load(graph, backend="onnxruntime:tensorrt")
    (asked,) = runtime.asked
    assert "trt_timing_cache_enable" in options(asked)


def test_a_tensorrt_that_does_not_start_is_never_replaced_by_cuda(runtime, graph):
    runtime.starts = False
    with pytest.raises(InputError, match=f"net.onnx: {TENSORRT} is built in but does not start here"):
        inference.load(graph, backend="onnxruntime:tensorrt")


def test_options_that_are_refused_for_good_are_quoted(runtime, graph):
    runtime.known, runtime.raises = set(), True
    with pytest.raises(InputError, match=rf"or {TENSORRT} does not start \(Invalid TensorRT EP option: trt_"):
        inference.load(graph, backend="onnxruntime:tensorrt")
    assert len(runtime.asked) == 2


def test_a_cache_that_cannot_be_written_is_named(runtime, graph, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PVTPP_CACHE", str(tmp_path / "file"))
    with pytest.raises(InputError, match="file/engines/onnxruntime: cannot make the folder of TensorRT's engines"):
        inference.load(graph, backend="onnxruntime:tensorrt")
    # The CPU needs none.
    assert inference.load(graph).providers == (CPU,)
