"""The TensorRT backend, on a TensorRT and a CUDA runtime that fail as the real ones do."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp.inference.tensorrt import TensorRtEngine

X = np.array([[1, 2, 3]], np.float32)


@pytest.fixture
def path(tmp_path):
    (tmp_path / "net.engine").write_bytes(b"an engine")
    return tmp_path / "net.engine"


def test_an_engine_runs_as_a_graph(tensorrt, path, library, caplog):
    engine = TensorRtEngine(tensorrt, path)
    for factor in (1, 5):
        assert engine.run({"x": X * factor})["y"].tolist() == (2 * factor * X).tolist()
    assert "cudaGraphLaunch" in library.calls and not caplog.messages
    with pytest.raises(InputError, match=r"got inputs \['z'\]"):
        engine.run({"z": X})


def test_the_first_run_reads_zeros(tensorrt, trt, path, library):
    TensorRtEngine(tensorrt, path)
    assert trt.engine.array("x").tolist() == [[0, 0, 0]]


def test_an_engine_that_cannot_be_captured_runs_without_a_graph_and_says_why(tensorrt, trt, path, library, caplog):
    trt.engine.can_capture = False
    engine = TensorRtEngine(tensorrt, path)
    (line,) = caplog.messages
    assert "runs without a CUDA graph" in line and "stream is capturing" in line
    # With the capture's error left behind TensorRT would refuse every run from here on.
    assert engine.run({"x": X})["y"].tolist() == (2 * X).tolist() and "cudaGraphLaunch" not in library.calls


def test_a_second_engine_works_after_one_that_failed(tensorrt, trt, path, library):
    context, trt.engine.context = trt.engine.context, None
    library.last_error = 2
    with pytest.raises(InputError):
        TensorRtEngine(tensorrt, path)
    trt.engine.context = context
    assert TensorRtEngine(tensorrt, path).run({"x": X})["y"].tolist() == (2 * X).tolist()


def test_an_engine_of_another_machine_is_one_line(tensorrt, trt, path):
    trt.engine.context = None
    words = (
        "TensorRT 8.6.1 cannot run this engine: the GPU's memory is full, or it is an engine of another TensorRT or GPU"
    )
    with pytest.raises(InputError, match=f"net.engine: {words}; build it here from its ONNX graph \\(.*OutOfMemory"):
        TensorRtEngine(tensorrt, path)
    trt.engine = None
    words = "TensorRT 8.6.1 cannot read this engine: it is damaged, or an engine of another TensorRT or GPU; build it"
    with pytest.raises(InputError, match=f"net.engine: {words} here from its ONNX graph .*magicTag"):
        TensorRtEngine(tensorrt, path)


def test_rtx_refuses_a_damaged_engine_in_its_own_words(rtx, path, library):
    path.write_bytes(b"torn" * 1000)
    with pytest.raises(
        InputError, match=r"net.engine: TensorRT-RTX .* cannot read this engine: it is damaged.*magicTag"
    ):
        TensorRtEngine(rtx, path)


def test_a_tensorrt_that_does_not_start_is_one_line(tensorrt, trt, path, monkeypatch):
    def nothing(logger):
        raise TypeError("pybind11::init(): factory function\nreturned nullptr")

    monkeypatch.setattr(trt, "Runtime", nothing)
    words = (
        r"cannot start here; does the driver fit its CUDA\? \(pybind11::init\(\): factory function returned nullptr\)"
    )
    with pytest.raises(InputError, match=words):
        TensorRtEngine(tensorrt, path)


def test_an_exception_in_place_of_none_is_the_same_line(tensorrt, trt, path, monkeypatch):
    def raises():
        raise RuntimeError("CUDA initialization failure")

    monkeypatch.setattr(trt.engine, "create_execution_context", raises)
    with pytest.raises(InputError, match=r"another TensorRT or GPU; .* \(CUDA initialization failure\)$"):
        TensorRtEngine(tensorrt, path)


def test_a_run_that_fails_says_why_and_leaves_no_error_for_the_next(tensorrt, path, library):
    engine = TensorRtEngine(tensorrt, path)
    engine._graph = None
    library.last_error = 2
    with pytest.raises(InputError, match=r"net.engine: TensorRT 8\.6\.1 cannot run this engine \(.*out of memory\)\)$"):
        engine.run({"x": X})
    # CUDA keeps an error until it is asked for it.
    assert engine.run({"x": X})["y"].tolist() == (2 * X).tolist()


def test_an_address_that_tensorrt_does_not_take_is_an_error(tensorrt, trt, path, monkeypatch):
    monkeypatch.setattr(trt.engine, "set_tensor_address", lambda name, address: name != "y")
    with pytest.raises(InputError, match=r"net.engine: TensorRT 8\.6\.1 cannot take the memory of 'y'"):
        TensorRtEngine(tensorrt, path)


def test_an_engine_file_that_cannot_be_read_is_one_line(tensorrt, tmp_path):
    with pytest.raises(InputError, match=r"cannot read \(Is a directory\)"):
        TensorRtEngine(tensorrt, tmp_path)


def test_memory_is_freed_once_the_stream_is_done_with_it(tensorrt, path, library):
    engine = TensorRtEngine(tensorrt, path)
    library.fails["cudaStreamSynchronize"] = 1
    with pytest.raises(InputError, match="cudaStreamSynchronize failed"):
        engine.run({"x": X})
    # Copies are still in the queue; the library fails on memory that is freed before they are done.
    assert library.queue
    del engine
    gc.collect()
    assert library.freed() and not library.queue


@pytest.mark.parametrize("function", ["cudaHostAlloc", "cudaMalloc", "cudaStreamCreateWithFlags"])
def test_an_engine_that_fails_on_its_way_leaves_nothing_behind(function, tensorrt, path, library):
    library.fails[function] = 2
    with pytest.raises(InputError, match=f"{function} failed: out of memory"):
        TensorRtEngine(tensorrt, path)
    gc.collect()
    assert library.freed()
