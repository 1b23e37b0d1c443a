"""The calls of the CUDA runtime that an engine needs, through ctypes: JetPack has the library but no Python package.

Written against the documented interface of CUDA 11.4 to 13; not run on a GPU yet.
"""

from __future__ import annotations

import ctypes
import logging
import mmap
import os
import re
from contextlib import suppress
from functools import lru_cache
from typing import Any, Callable, Dict, List, Tuple

import numpy as np

from pvtpp.errors import InputError

VERSIONED = {13: "libcudart.so.13", 12: "libcudart.so.12", 11: "libcudart.so.11.0"}
"""File names of the CUDA runtimes by major version."""
LIBRARIES = ("libcudart.so", *VERSIONED.values(), "/usr/local/cuda/lib64/libcudart.so")
"""What is loaded where TensorRT does not say which runtime it needs, the first that is there."""
MAPS = "/proc/self/maps"
"""Files that this process has loaded."""
TO_DEVICE, TO_HOST = 1, 2
_NON_BLOCKING, _THREAD_LOCAL = 1, 1
_MAJOR, _MINOR = 75, 76
_PROPERTIES = 1 << 14
"""Bytes: more than the structure of device properties has in any version. The name comes first in all of them."""
_log = logging.getLogger(__name__)


class Cuda:
    """The CUDA runtime on the current device. A call that fails raises InputError with CUDA's message.

    Parameters
    ----------
    library
        The library, loaded by ctypes.
    name
        Its file name, for messages.
    """

    def __init__(self, library: Any, name: str = "libcudart.so"):
        self._library, self._name = library, name
        library.cudaGetErrorString.restype = ctypes.c_char_p

    def device(self) -> Tuple[str, str, str]:
        """Name of the GPU, its compute capability (``8.7``), and the version of the runtime (``12.2``)."""
        number, properties = ctypes.c_int(), ctypes.create_string_buffer(_PROPERTIES)
        self._call("cudaGetDevice", ctypes.byref(number))
        self._call("cudaGetDeviceProperties", properties, number)
        major, minor = ctypes.c_int(), ctypes.c_int()
        for value, attribute in ((major, _MAJOR), (minor, _MINOR)):
            self._call("cudaDeviceGetAttribute", ctypes.byref(value), ctypes.c_int(attribute), number)
        name = properties.value.decode(errors="replace")
        return name, f"{major.value}.{minor.value}", "{}.{}".format(*self.version())

    def version(self) -> Tuple[int, int]:
        """Major and minor version of the runtime."""
        version = ctypes.c_int()
        self._call("cudaRuntimeGetVersion", ctypes.byref(version))
        return version.value // 1000, version.value % 1000 // 10

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
        except BaseException:
            # A stream that is still capturing takes no more work. Ending an invalid capture fails, too: what went wrong
            # in `work` is the reason.
            with suppress(InputError):
                self._call("cudaStreamEndCapture", stream, ctypes.byref(graph))
            if graph.value:
                self.free("cudaGraphDestroy", graph)
            self.clear_error()
            raise
        self._call("cudaStreamEndCapture", stream, ctypes.byref(graph))
        try:
            return self._made("cudaGraphInstantiateWithFlags", graph, ctypes.c_ulonglong(0))
        finally:
            self.free("cudaGraphDestroy", graph)

    def launch(self, graph: ctypes.c_void_p, stream: ctypes.c_void_p) -> None:
        """Queue a captured graph in the stream."""
        self._call("cudaGraphLaunch", graph, stream)

    def free(self, function: str, pointer: ctypes.c_void_p) -> None:
        """Free a resource by the CUDA function for its kind; failures, as at interpreter exit, are ignored."""
        with suppress(InputError):
            self._call(function, pointer)

    def clear_error(self) -> None:
        """Forget the last error. CUDA keeps it until it is asked for, and whoever asks next takes it for their own."""
        self._library.cudaGetLastError()

    def _made(self, function: str, *arguments: Any) -> ctypes.c_void_p:
        pointer = ctypes.c_void_p()
        self._call(function, ctypes.byref(pointer), *arguments)
        return pointer

    def _call(self, function: str, *arguments: Any) -> None:
        try:
            called = getattr(self._library, function)
        except AttributeError:
            raise InputError(
                f"CUDA: {self._name} has no {function}; supported are the runtimes of CUDA 11.4 to 13"
            ) from None
        status = called(*arguments)
        if status:
            reason = self._library.cudaGetErrorString(ctypes.c_int(status)).decode(errors="replace")
            self.clear_error()
            raise InputError(f"CUDA: {function} failed: {reason}")


@lru_cache(maxsize=1)
def runtime() -> Cuda:
    """The CUDA runtime of this machine: the one that TensorRT uses, where it is loaded already, else the first found.

    A runtime of another major version than TensorRT's is reported in the log.

    Raises
    ------
    InputError
        If there is none.
    """
    loaded = _loaded("libcudart")
    needed = _needed(loaded)
    preferred = [path for major, path in loaded.items() if major == needed]
    if needed in VERSIONED:
        preferred.append(VERSIONED[needed])
    names = (*preferred, *LIBRARIES)
    for name in names:
        try:
            cuda = Cuda(ctypes.CDLL(name), name)
        except (OSError, AttributeError):
            continue
        _check_version(cuda, name, needed)
        return cuda
    raise InputError(
        f"no CUDA runtime here: none of {', '.join(names)} loads; on a Jetson, is JetPack's CUDA installed?"
    )


def _check_version(cuda: Cuda, name: str, needed: int) -> None:
    """Log where the runtime is not of the major version that TensorRT needs; 0 where that is unknown."""
    with suppress(InputError):
        major, minor = cuda.version()
        if needed not in (0, major):
            _log.warning(
                "%s is the runtime of CUDA %d.%d, but TensorRT is built for CUDA %d; install the runtime of CUDA %d, "
                "or put its folder on LD_LIBRARY_PATH",
                *(name, major, minor, needed, needed),
            )


def _loaded(library: str) -> Dict[int, str]:
    """Paths of the versions of a library that this process has loaded, by major version; 0 where the name has none."""
    try:
        with open(MAPS, encoding="utf-8", errors="surrogateescape") as file:
            paths: List[str] = [line.split(None, 5)[-1].strip() for line in file if "/" in line]
    except OSError:
        return {}
    found: Dict[int, str] = {}
    for path in paths:
        match = re.match(rf"{library}(?:-\w+)?\.so(?:\.(\d+))?", os.path.basename(path))
        if match:
            found.setdefault(int(match[1] or 0), path)
    return found


def _needed(loaded: Dict[int, str]) -> int:
    """Major version of the CUDA runtime that TensorRT is linked against; 0 where that is unknown.

    Parameters
    ----------
    loaded
        The runtimes that this process has loaded, which include TensorRT's unless that is built in.
    """
    if len(loaded) < 2:
        return next(iter(loaded), 0)
    for path in _loaded("libnvinfer").values():
        with suppress(OSError, ValueError), open(path, "rb") as file:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                match = re.search(rb"libcudart\.so\.(\d+)", content)
                if match:
                    return int(match[1])
    return 0
