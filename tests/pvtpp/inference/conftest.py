"""A CUDA runtime and a TensorRT for machines without a GPU: their interfaces, and how the real ones fail.

The device's memory is the host's. What is queued in a stream runs when the stream is synchronised.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pvtpp.inference import cuda
from pvtpp.inference.tensorrt_library import KINDS, Library

INVALID_VALUE, OUT_OF_MEMORY, CAPTURE_UNSUPPORTED, CAPTURE_INVALIDATED = 1, 2, 900, 901
WORDS = {
    INVALID_VALUE: b"invalid argument",
    OUT_OF_MEMORY: b"out of memory",
    CAPTURE_UNSUPPORTED: b"operation not permitted when stream is capturing",
    CAPTURE_INVALIDATED: b"operation failed due to a previous error during capture",
}


def number(value):
    return value if isinstance(value, int) else value.value


class Cudart:
    """A library as ctypes loads it: functions that return a status, and that keep the last error until it is asked for.

    Attributes
    ----------
    fails
        Status that a function returns at its next call, by its name.
    last_error
        What ``cudaGetLastError`` returns.
    calls
        Names of the functions called.
    """

    def __init__(self, version=12020):
        self.fails, self.last_error, self.calls = {}, 0, []
        self._version = version
        self._kept, self._next = {}, 1
        self.queue, self.capturing, self.invalid, self.graphs = [], None, False, {}

        def strings(status):
            return WORDS[number(status)]

        self.cudaGetErrorString = strings

    def __getattr__(self, name):
        function = getattr(type(self), f"_{name}", None)
        if function is None:
            raise AttributeError(f"undefined symbol: {name}")

        def call(*arguments):
            self.calls.append(name)
            status = self.fails.pop(name, 0) or function(self, *arguments) or 0
            if status and name != "cudaGetLastError":
                self.last_error = status
                if self.capturing is not None:
                    self.invalid = True
            return status

        return call

    def freed(self):
        """Whether nothing is allocated any more."""
        return not self._kept and not self.graphs

    def _cudaGetLastError(self):
        status, self.last_error = self.last_error, 0
        return status

    def _cudaGetDevice(self, into):
        into._obj.value = 0

    def _cudaGetDeviceProperties(self, properties, device):
        properties.value = b"Orin"

    def _cudaDeviceGetAttribute(self, into, attribute, device):
        into._obj.value = {75: 8, 76: 7}[number(attribute)]

    def _cudaRuntimeGetVersion(self, into):
        into._obj.value = self._version

    def _handle(self, into, value=None):
        self._next += 1
        key = ctypes.addressof(value) if value is not None else self._next
        self._kept[key] = value
        into._obj.value = key

    def _cudaStreamCreateWithFlags(self, into, flags):
        self._handle(into)

    def _cudaMalloc(self, into, size):
        self._handle(into, ctypes.create_string_buffer(b"\xff" * number(size), number(size)))

    def _cudaHostAlloc(self, into, size, flags):
        # Not zero: CUDA does not clear memory.
        self._handle(into, ctypes.create_string_buffer(b"\xff" * number(size), number(size)))

    def _free(self, pointer):
        # Freeing what the device still works on is an error that no status tells.
        assert not self.queue, "memory is freed while the stream is at work"
        return 0 if self._kept.pop(number(pointer), self) is not self else INVALID_VALUE

    _cudaFree = _cudaFreeHost = _cudaStreamDestroy = _free

    def enqueue(self, work):
        if self.capturing is None:
            self.queue.append(work)
        else:
            self.capturing.append(work)

    def _cudaMemcpyAsync(self, target, source, size, kind, stream):
        target, source, size = number(target), number(source), number(size)
        self.enqueue(lambda: ctypes.memmove(target, source, size))

    def _cudaStreamSynchronize(self, stream):
        if self.capturing is not None:
            return CAPTURE_UNSUPPORTED
        if number(stream) not in self._kept:
            return INVALID_VALUE
        for work in self.queue:
            work()
        self.queue.clear()
        return 0

    def _cudaStreamBeginCapture(self, stream, mode):
        self.capturing, self.invalid = [], False

    def _cudaStreamEndCapture(self, stream, into):
        captured, self.capturing = self.capturing, None
        if self.invalid:
            return CAPTURE_INVALIDATED
        self._next += 1
        self.graphs[self._next] = captured
        into._obj.value = self._next
        return 0

    def _cudaGraphInstantiateWithFlags(self, into, graph, flags):
        self._next += 1
        self.graphs[self._next] = list(self.graphs[number(graph)])
        into._obj.value = self._next

    def _destroyed(self, graph):
        del self.graphs[number(graph)]

    _cudaGraphDestroy = _cudaGraphExecDestroy = _destroyed

    def _cudaGraphLaunch(self, graph, stream):
        self.queue.extend(self.graphs[number(graph)])


class Engine:
    """An engine of TensorRT from 8.5 on that doubles its input, three float32.

    Attributes
    ----------
    context
        What ``create_execution_context`` returns.
    can_capture
        Whether it runs inside a capture.
    logger
        Where it says why something failed; set by the runtime.
    """

    num_io_tensors = 2
    get_tensor_name = staticmethod(["x", "y"].__getitem__)

    def __init__(self, library):
        self.library, self.addresses = library, {}
        self.context, self.can_capture, self.logger = self, True, None

    def create_execution_context(self):
        if self.context is None:
            self.logger.log(ERROR, "Error Code 2: OutOfMemory")
        return self.context

    def get_tensor_shape(self, name):
        return (1, 3)

    def get_tensor_dtype(self, name):
        return SimpleNamespace(name="FLOAT")

    def get_tensor_mode(self, name):
        return {"x": "input", "y": "output"}[name]

    def set_tensor_address(self, name, address):
        self.addresses[name] = address
        return True

    def execute_async_v3(self, stream):
        if self.library.capturing is not None and not self.can_capture:
            self.library.last_error, self.library.invalid = CAPTURE_UNSUPPORTED, True
        # As TensorRT does: kernels report their launch by the last error, whoever made it.
        if self.library.last_error:
            self.logger.log(ERROR, f"Error Code 1: Cuda Runtime ({WORDS[self.library.last_error].decode()})")
            return False
        x, y = (self.array(name) for name in ("x", "y"))
        self.library.enqueue(lambda: np.multiply(x, 2, out=y))
        return True

    def array(self, name):
        raw = (ctypes.c_ubyte * 12).from_address(self.addresses[name])
        return np.ctypeslib.as_array(raw).view(np.float32).reshape(1, 3)


ERROR, WARNING = (SimpleNamespace(name=name) for name in ("ERROR", "WARNING"))


class ILogger:
    def __init__(self):
        self.is_made = True


class Builder:
    """Builds from files that hold ``a graph``; refuses what `refuses` names, by None, and logs why.

    Attributes
    ----------
    refuses
        ``network``, ``configuration`` or ``engine``.
    bits, flags, times
        What the last network and configuration were made with.
    """

    def __init__(self, logger):
        # pybind11 refuses an object whose base was not initialised.
        assert logger.is_made
        self.logger, self.refuses, self.bits, self.flags, self.times = logger, "", 0, [], b""

    def create_network(self, bits):
        self.bits = bits
        return None if self.refuses == "network" else SimpleNamespace(num_layers=7)

    def create_builder_config(self):
        return None if self.refuses == "configuration" else self

    def set_flag(self, flag):
        self.flags.append(flag)

    def create_timing_cache(self, content):
        if content and not content.startswith(b"times"):
            self.logger.log(WARNING, "Failed to deserialize timing cache.")
            return None
        self.times = content
        return SimpleNamespace(serialize=lambda: b"times of this build")

    def set_timing_cache(self, cache, ignore_mismatch):
        return not ignore_mismatch

    def build_serialized_network(self, network, config):
        if self.refuses == "engine":
            self.logger.log(ERROR, "Error Code 10: Could not find any implementation\nfor node /Conv.")
            self.logger.log(ERROR, "Error Code 2: Assertion engine != nullptr failed.")
            return None
        return b"an engine"


class OnnxParser:
    def __init__(self, network, logger):
        self._logger, self.num_errors = logger, 0

    def parse_from_file(self, path):
        with open(path, "rb") as file:
            self.num_errors = int(file.read() != b"a graph")
        if self.num_errors:
            self._logger.log(ERROR, "While parsing node number 0 [Nonsense]:")
        return not self.num_errors

    def get_error(self, index):
        return SimpleNamespace(desc=lambda: "Plugin not found", func=lambda: "checkFallback")


FLAGS = {"8.6.1": ({"EXPLICIT_BATCH": 0}, ("FP16", "INT8"))}
FLAGS["10.3.0"] = ({"EXPLICIT_BATCH": 0, "STRONGLY_TYPED": 1}, ("FP16", "INT8"))
FLAGS["11.0.0"] = ({"STRONGLY_TYPED": 1}, ())
"""What versions have of flags: of networks with their bits, and of builders."""


def make_api(version, engine):
    """The module ``tensorrt`` of a version; `engine` is what any file holds, `builders` those that were made."""

    class Runtime:
        def __init__(self, logger):
            assert logger.is_made
            self.logger = logger

        def deserialize_cuda_engine(self, content):
            if module.engine is None:
                self.logger.log(ERROR, "Error Code 1: Serialization (magicTag)")
            else:
                module.engine.logger = self.logger
            return module.engine

    def build(logger):
        module.builders.append(Builder(logger))
        module.builders[-1].refuses = module.refuses
        return module.builders[-1]

    network, builder = FLAGS[version]
    module = SimpleNamespace(
        engine=engine,
        builders=[],
        refuses="",
        Runtime=Runtime,
        Builder=build,
        OnnxParser=OnnxParser,
        IBuilderConfig=Builder,
        ILogger=ILogger,
        NetworkDefinitionCreationFlag=SimpleNamespace(**network),
        BuilderFlag=SimpleNamespace(**{name: name for name in builder}),
        TensorIOMode=SimpleNamespace(INPUT="input"),
        __version__=version,
    )
    return module


@pytest.fixture
def library(monkeypatch):
    """The CUDA runtime that engines get."""
    made = Cudart()
    monkeypatch.setattr(cuda, "runtime", lambda: cuda.Cuda(made))
    return made


@pytest.fixture
def make_tensorrt(library):
    """Makes a TensorRT of a version, as `pvtpp.inference.tensorrt_library` finds it."""
    return lambda version="8.6.1": Library(KINDS[0], make_api(version, Engine(library)), version)


@pytest.fixture
def tensorrt(make_tensorrt):
    """TensorRT 8.6.1."""
    return make_tensorrt()


@pytest.fixture
def trt(tensorrt):
    """Its module."""
    return tensorrt.api


@pytest.fixture
def real_graph():
    """A graph that this repository holds: the motion predictor."""
    from pvtpp.predictors.motion import WEIGHTS

    return Path(WEIGHTS)
