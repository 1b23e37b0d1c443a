"""Without CUDA there is a clear error; all else needs a GPU."""

import ctypes

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp.inference import cuda


def test_without_cuda_every_library_tried_is_named(monkeypatch):
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
