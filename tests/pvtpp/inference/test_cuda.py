"""Errors of CUDA are found on any machine, with a library that fails as the real one; what copies needs a GPU."""

import ctypes

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp.inference import cuda


def test_without_cuda_every_library_tried_is_named(monkeypatch):
    # Torch may have loaded one.
    monkeypatch.setattr(cuda, "MAPS", "/nowhere")
    monkeypatch.setattr(cuda, "LIBRARIES", ("libnowhere.so.1", "/nowhere/libcudart.so"))
    with pytest.raises(InputError, match="none of libnowhere.so.1, /nowhere/libcudart.so loads"):
        cuda.runtime.__wrapped__()


@pytest.fixture
def here():
    try:
        made = cuda.runtime()
        made.free("cudaStreamDestroy", made.stream())
    except InputError as error:
        if not any(words in str(error) for words in ("none of", "driver version", "no CUDA-capable device")):
            raise
        pytest.skip(str(error))
    return made


def test_what_is_copied_to_the_device_comes_back(here):
    stream = here.stream()
    (there, sent), (back, got) = (here.pinned((3,), np.dtype(np.float32)) for _ in range(2))
    device = here.allocate(sent.nbytes)
    sent[:], got[:] = (1, 2, 3), 0
    graph = here.capture(
        lambda: (
            here.copy(device, there, sent.nbytes, cuda.TO_DEVICE, stream),
            here.copy(back, device, sent.nbytes, cuda.TO_HOST, stream),
        ),
        stream,
    )
    assert got.tolist() == [0, 0, 0]
    here.launch(graph, stream)
    here.synchronise(stream)
    assert got.tolist() == [1, 2, 3]
    with pytest.raises(InputError, match="cudaStreamSynchronize failed"):
        here.synchronise(ctypes.c_void_p(1))


def test_the_device_says_what_it_is(here):
    name, capability, version = here.device()
    assert name and float(capability) >= 5.0 and float(version) >= 11.0


def test_a_failed_call_is_not_the_next_one_s_error(library):
    made = cuda.Cuda(library)
    library.fails["cudaMalloc"] = 2
    with pytest.raises(InputError, match="CUDA: cudaMalloc failed: out of memory"):
        made.allocate(12)
    assert library.last_error == 0


def test_what_fails_in_a_capture_is_the_error_and_not_its_end(library):
    made = cuda.Cuda(library)
    stream = made.stream()

    def work():
        library.fails["cudaMemcpyAsync"] = 1
        made.copy(ctypes.c_void_p(1), ctypes.c_void_p(2), 4, cuda.TO_DEVICE, stream)

    with pytest.raises(InputError, match="cudaMemcpyAsync failed: invalid argument"):
        made.capture(work, stream)
    assert library.calls[-3:] == ["cudaStreamEndCapture", "cudaGetLastError", "cudaGetLastError"]
    # The stream takes work again.
    assert library.last_error == 0 and library.capturing is None
    made.synchronise(stream)


@pytest.mark.parametrize("error", [ValueError("of a callback"), KeyboardInterrupt()])
def test_an_error_that_is_not_cuda_s_ends_the_capture_as_well(error, library):
    made = cuda.Cuda(library)
    stream = made.stream()

    def work():
        raise error

    with pytest.raises(type(error)):
        made.capture(work, stream)
    assert library.capturing is None and not library.graphs and library.last_error == 0


@pytest.mark.parametrize(
    ("function", "status", "words"),
    [
        ("cudaStreamBeginCapture", 1, "invalid argument"),
        ("cudaStreamEndCapture", 901, "previous error during capture"),
        ("cudaGraphInstantiateWithFlags", 2, "out of memory"),
    ],
)
def test_a_capture_that_cuda_refuses_leaves_nothing_behind(function, status, words, library):
    made = cuda.Cuda(library)
    stream = made.stream()
    library.fails[function] = status
    with pytest.raises(InputError, match=f"CUDA: {function} failed: .*{words}"):
        made.capture(lambda: None, stream)
    assert library.last_error == 0 and not library.graphs


def test_a_graph_that_cannot_be_freed_does_not_hide_why_it_cannot_be_used(library):
    made = cuda.Cuda(library)
    stream = made.stream()
    library.fails.update(cudaGraphInstantiateWithFlags=2, cudaGraphDestroy=1)
    with pytest.raises(InputError, match="cudaGraphInstantiateWithFlags failed: out of memory"):
        made.capture(lambda: None, stream)


def test_a_runtime_that_is_too_old_is_named(library):
    made = cuda.Cuda(library, "libcudart.so.10.2")
    with pytest.raises(InputError, match=r"libcudart\.so\.10\.2 has no cudaNotYet; supported .* CUDA 11\.4 to 13"):
        made._call("cudaNotYet")


LINE = "7f00-7f01 r-xp 00000000 103:02 42                         {}\n"


@pytest.fixture
def installed(monkeypatch, tmp_path, library):
    """Runtimes by what they are loaded as, and the files that the process has loaded."""
    from pvtpp.inference import cuda as module

    def install(versions, *loaded):
        made = {name: type(library)(version) for name, version in versions.items()}

        def load(name):
            if name not in made:
                raise OSError(f"{name}: cannot open shared object file")
            return made[name]

        maps = tmp_path / "maps"
        maps.write_text("7f00-7f01 rw-p 0 00:00 0\n" + "".join(map(LINE.format, loaded)))
        monkeypatch.setattr(module, "MAPS", str(maps))
        monkeypatch.setattr(module.ctypes, "CDLL", load)
        return lambda: find().version()

    return install


find = cuda.runtime.__wrapped__


def test_the_runtime_that_tensorrt_has_loaded_is_taken(installed, caplog):
    there = "/usr/local/lib/nvidia/libcudart.so.12.2.140"
    version = installed({"libcudart.so": 11040, there: 12020}, "/usr/lib/libnvinfer.so.8", there)
    assert version() == (12, 2) and not caplog.messages


def test_of_two_loaded_runtimes_tensorrt_s_is_taken(installed, tmp_path):
    names = ["/torch/libcudart-9335f6a2.so.13", "/trt/libcudart.so.11.0"]
    nvinfer = tmp_path / "libnvinfer.so.8"
    nvinfer.write_bytes(b"\x7fELF" + bytes(5000) + b"libstdc++.so.6\0libcudart.so.11.0\0")
    assert installed({names[0]: 13000, names[1]: 11040}, *names, str(nvinfer))() == (11, 4)
    nvinfer.write_bytes(b"")
    assert installed({names[0]: 13000, names[1]: 11040, "libcudart.so": 12000}, *names, str(nvinfer))() == (12, 0)


def test_a_runtime_of_another_major_version_is_reported(installed, caplog):
    there = "/trt/libcudart.so.12"
    assert installed({"libcudart.so": 11040}, there, "/trt/libnvinfer.so.10")() == (11, 4)
    (line,) = caplog.messages
    assert line.startswith("libcudart.so is the runtime of CUDA 11.4, but TensorRT is built for CUDA 12; install the")


def test_where_nothing_is_loaded_the_first_runtime_is_taken(installed, monkeypatch, caplog):
    version = installed({"libcudart.so.12": 12060, "libcudart.so.13": 13000})
    assert version() == (13, 0)
    monkeypatch.setattr(cuda, "MAPS", "/nowhere")
    assert version() == (13, 0) and not caplog.messages
