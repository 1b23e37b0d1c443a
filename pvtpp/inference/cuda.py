"""The calls of the CUDA runtime that an engine needs, through ctypes: JetPack has the library but no Python package.

Written against the documented interface of CUDA 11.4 to 13; not run on a GPU yet.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress
from functools import lru_cache
from typing import Any, Callable, Tuple

import numpy as np

from pvtpp.errors import InputError

LIBRARIES = (
    "libcudart.so",
    *(f"libcudart.so.{version}" for version in ("13", "12", "11.0")),
    "/usr/local/cuda/lib64/libcudart.so",
)
TO_DEVICE, TO_HOST = 1, 2
_NON_BLOCKING, _THREAD_LOCAL = 1, 1
_MAJOR, _MINOR = 75, 76
_PROPERTIES = 1 << 14
"""Bytes: more than the structure of device properties has in any version. The name comes first in all of them."""


class Cuda:
    """The CUDA runtime on the current device. A call that fails raises InputError with CUDA's message."""

    def __init__(self, library: Any):
        self._library = library
        library.cudaGetErrorString.restype = ctypes.c_char_p

    def device(self) -> Tuple[str, str, str]:
        """Name of the GPU, its compute capability (``8.7``), and the version of the runtime (``12.2``)."""
        number, properties = ctypes.c_int(), ctypes.create_string_buffer(_PROPERTIES)
        self._call("cudaGetDevice", ctypes.byref(number))
        self._call("cudaGetDeviceProperties", properties, number)
        major, minor, version = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
        for value, attribute in ((major, _MAJOR), (minor, _MINOR)):
            self._call("cudaDeviceGetAttribute", ctypes.byref(value), ctypes.c_int(attribute), number)
        self._call("cudaRuntimeGetVersion", ctypes.byref(version))
        name = properties.value.decode(errors="replace")
        return name, f"{major.value}.{minor.value}", f"{version.value // 1000}.{version.value % 1000 // 10}"

    def stream(self) -> ctypes.c_void_p:
        """Create a stream that does not wait for the default stream."""
        return self._made("cudaStreamCreateWithFlags", ctypes.c_uint(_NON_BLOCKING))

    def synchronise(self, stream: ctypes.c_void_p) -> None:
        """Wait until the stream has finished."""
        self._call("cudaStreamSynchronize", stream)

    def allocate(self, size: int) -> ctypes.c_void_p:
        """Allocate `size` bytes on the device."""
        return self._made("cudaMalloc", ctypes.c_size_t(size))

    def pinned(self, shape: Tuple[int, ...], dtype: np.dtype) -> Tuple[ctypes.c_void_p, np.ndarray]:
        """Allocate page-locked host memory, for asynchronous copies.

        Returns
        -------
        tuple
            Its address, and an array of this shape and dtype on it.
        """
        size = int(np.prod(shape)) * dtype.itemsize
        pointer = self._made("cudaHostAlloc", ctypes.c_size_t(size), ctypes.c_uint(0))
        raw = (ctypes.c_ubyte * size).from_address(pointer.value or 0)
        return pointer, np.ctypeslib.as_array(raw).view(dtype).reshape(shape)

    def copy(
        self, target: ctypes.c_void_p, source: ctypes.c_void_p, size: int, kind: int, stream: ctypes.c_void_p
    ) -> None:
        """Queue a copy of `size` bytes in the stream; `kind` is `TO_DEVICE` or `TO_HOST`."""
        self._call("cudaMemcpyAsync", target, source, ctypes.c_size_t(size), ctypes.c_int(kind), stream)

    def capture(self, work: Callable[[], None], stream: ctypes.c_void_p) -> ctypes.c_void_p:
        """Record what `work` queues in the stream, without running it.

        Returns
        -------
        ctypes.c_void_p
            An executable graph for `launch`.
        """
        self._call("cudaStreamBeginCapture", stream, ctypes.c_int(_THREAD_LOCAL))
        graph = ctypes.c_void_p()
        try:
            work()
        finally:
            # In any case: a stream that is still capturing takes no more work.
            self._call("cudaStreamEndCapture", stream, ctypes.byref(graph))
        try:
            return self._made("cudaGraphInstantiateWithFlags", graph, ctypes.c_ulonglong(0))
        finally:
            self._call("cudaGraphDestroy", graph)

    def launch(self, graph: ctypes.c_void_p, stream: ctypes.c_void_p) -> None:
        """Queue a captured graph in the stream."""
        self._call("cudaGraphLaunch", graph, stream)

    def free(self, function: str, pointer: ctypes.c_void_p) -> None:
        """Free a resource by the CUDA function for its kind; failures, as at interpreter exit, are ignored."""
        with suppress(InputError):
            self._call(function, pointer)

    def _made(self, function: str, *arguments: Any) -> ctypes.c_void_p:
        pointer = ctypes.c_void_p()
        self._call(function, ctypes.byref(pointer), *arguments)
        return pointer

    def _call(self, function: str, *arguments: Any) -> None:
        status = getattr(self._library, function)(*arguments)
        if status:
            reason = self._library.cudaGetErrorString(ctypes.c_int(status)).decode(errors="replace")
            raise InputError(f"CUDA: {function} failed: {reason}")


@lru_cache(maxsize=1)
def runtime() -> Cuda:
    """The CUDA runtime of this machine; InputError if there is none."""
    for name in LIBRARIES:
        try:
            return Cuda(ctypes.CDLL(name))
        except OSError:
            continue
    raise InputError(
        f"no CUDA runtime here: none of {', '.join(LIBRARIES)} loads; on a Jetson, is JetPack's CUDA installed?"
    )
