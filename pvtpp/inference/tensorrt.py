"""The TensorRT backend, for engine files and for ONNX graphs, on TensorRT or TensorRT-RTX.

The engine of an ONNX graph is built once and kept (`pvtpp.inference.engine_cache`). Each engine has its own stream, so
that predictor and tracker do not wait for each other, pinned buffers, and one CUDA graph for copying in, computing and
copying out. Written for TensorRT 8.4 to 11, whose interfaces are detected. Not run on a GPU yet.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Tuple

import numpy as np

from pvtpp.errors import InputError
from pvtpp.inference import cuda, tensorrt_library
from pvtpp.inference.engine import TensorSpec, check_inputs
from pvtpp.inference.tensorrt_library import Library, Words

if TYPE_CHECKING:
    import tensorrt

# By name, because TensorRT's own table of NumPy types does not load with every NumPy.
DTYPES = {
    "FLOAT": np.float32,
    "HALF": np.float16,
    "INT64": np.int64,
    "INT32": np.int32,
    "INT8": np.int8,
    "UINT8": np.uint8,
    "BOOL": np.bool_,
}
_OTHER = "an engine of another TensorRT or GPU; build it here from its ONNX graph"
_log = logging.getLogger(__name__)


def load(path: Path, threads: int, setting: str = "") -> TensorRtEngine:
    """Load an engine file, or an ONNX graph; `threads` and `setting` have no effect here.

    Raises
    ------
    InputError
        If TensorRT or CUDA is missing, the graph cannot be built, or the engine was built on another machine.
    """
    library = tensorrt_library.find(str(path))
    if path.suffix == ".onnx":
        from pvtpp.inference import engine_cache

        path = engine_cache.obtain(path, library)
    return TensorRtEngine(library, path)


class TensorRtEngine:
    """One execution context, with the shapes that the engine was built with.

    Parameters
    ----------
    library
        What runs it.
    path
        The engine file.

    Attributes
    ----------
    inputs, outputs
        See `Engine`.
    """

    def __init__(self, library: Library, path: Path):
        self._source, self._cuda, self._library, self._words = str(path), cuda.runtime(), library, Words()
        self._runtime, self._engine, self._context = _opened(library, path, self._words, self._cuda)
        self._stream = self._cuda.stream()
        tensors = _tensors(library.api, self._engine, self._source)
        self.inputs = tuple(spec for spec, is_input in tensors if is_input)
        self.outputs = tuple(spec for spec, is_input in tensors if not is_input)
        self._device: Dict[str, Any] = {}
        self._pinned: Dict[str, Any] = {}
        self._host: Dict[str, np.ndarray] = {}
        for spec, _ in tensors:
            shape = tuple(int(n or 0) for n in spec.shape)
            self._pinned[spec.name], self._host[spec.name] = self._cuda.pinned(shape, spec.dtype)
            # The first run below must not read numbers at random, which may be indices.
            self._host[spec.name].fill(0)
            self._device[spec.name] = self._cuda.allocate(self._host[spec.name].nbytes)
        # In the order of the engine's tensors, as `execute_async_v2` takes them.
        self._bindings: List[int] = [self._device[spec.name].value for spec, _ in tensors]
        if hasattr(self._context, "set_tensor_address"):
            for name, pointer in self._device.items():
                if not self._context.set_tensor_address(name, pointer.value or 0):
                    raise InputError(library.cannot(f"take the memory of {name!r}", self._source, self._words.take()))
        # The first run allocates memory, which is not allowed inside a capture.
        self._enqueue()
        self._cuda.synchronise(self._stream)
        self._graph: Any = None
        try:
            self._graph = self._cuda.capture(self._enqueue, self._stream)
        except InputError as error:
            _log.warning("%s: runs without a CUDA graph (%s)", self._source, error)

    def run(self, inputs: Mapping[str, np.ndarray]) -> Dict[str, np.ndarray]:
        """Run the network; see `Engine.run`."""
        check_inputs(inputs, self.inputs, self._source)
        for name, array in inputs.items():
            np.copyto(self._host[name], array)
        if self._graph is not None:
            self._cuda.launch(self._graph, self._stream)
        else:
            self._enqueue()
        self._cuda.synchronise(self._stream)
        return {spec.name: self._host[spec.name].copy() for spec in self.outputs}

    def _enqueue(self) -> None:
        for spec in self.inputs:
            self._copy(spec.name, cuda.TO_DEVICE)
        stream = self._stream.value or 0
        if hasattr(self._context, "execute_async_v3"):
            done = self._context.execute_async_v3(stream)
        else:
            # Not in the types of today's versions.
            old: Any = self._context
            done = old.execute_async_v2(self._bindings, stream)
        if not done:
            # As in `_opened`.
            self._cuda.clear_error()
            raise InputError(self._library.cannot("run this engine", self._source, self._words.take()))
        for spec in self.outputs:
            self._copy(spec.name, cuda.TO_HOST)

    def _copy(self, name: str, kind: int) -> None:
        device, host = self._device[name], self._pinned[name]
        target, source = (device, host) if kind == cuda.TO_DEVICE else (host, device)
        self._cuda.copy(target, source, self._host[name].nbytes, kind, self._stream)

    def __del__(self) -> None:
        runtime, stream = getattr(self, "_cuda", None), getattr(self, "_stream", None)
        if runtime is None:
            return
        if stream is not None:
            # After an error copies may still be under way, into memory that is freed here.
            with suppress(InputError):
                runtime.synchronise(stream)
        # Before the memory, whose addresses the graph holds.
        if getattr(self, "_graph", None) is not None:
            runtime.free("cudaGraphExecDestroy", self._graph)
        for function, kept in (("cudaFree", "_device"), ("cudaFreeHost", "_pinned")):
            for pointer in getattr(self, kept, {}).values():
                runtime.free(function, pointer)
        if stream is not None:
            runtime.free("cudaStreamDestroy", stream)


def _opened(
    library: Library, path: Path, words: Words, runtime: cuda.Cuda
) -> Tuple[tensorrt.Runtime, tensorrt.ICudaEngine, tensorrt.IExecutionContext]:
    """TensorRT's runtime, the engine in the file, and an execution context of it.

    Raises
    ------
    InputError
        If the file cannot be read, or TensorRT cannot start or use this engine.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot read ({error.strerror or error})") from None
    log = library.logger(words)

    def step(make: Callable[[], Any], what: str) -> Any:
        try:
            return library.make(make, what, str(path), words)
        except InputError:
            # TensorRT leaves CUDA's error behind, which the next engine would take for its own.
            runtime.clear_error()
            raise

    started: tensorrt.Runtime = step(lambda: library.api.Runtime(log), "start here; does the driver fit its CUDA?")
    engine: tensorrt.ICudaEngine = step(
        lambda: started.deserialize_cuda_engine(content), f"read this engine: it is damaged, or {_OTHER}"
    )
    context: tensorrt.IExecutionContext = step(
        engine.create_execution_context, f"run this engine: the GPU's memory is full, or it is {_OTHER}"
    )
    return started, engine, context


def _tensors(api: Any, engine: tensorrt.ICudaEngine, source: str) -> List[Tuple[TensorSpec, bool]]:
    """Every input and output, with True for inputs. TensorRT has them by name from 8.5 on, by number before."""
    if hasattr(engine, "num_io_tensors"):
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        shapes = [_sizes(engine.get_tensor_shape(name)) for name in names]
        dtypes = [engine.get_tensor_dtype(name) for name in names]
        given = [engine.get_tensor_mode(name) == api.TensorIOMode.INPUT for name in names]
    else:
        # Not in the types of today's versions.
        old: Any = engine
        numbers = range(old.num_bindings)
        names = [old.get_binding_name(number) for number in numbers]
        shapes = [_sizes(old.get_binding_shape(number)) for number in numbers]
        dtypes = [old.get_binding_dtype(number) for number in numbers]
        given = [old.binding_is_input(number) for number in numbers]
    tensors = []
    for name, shape, dtype, is_input in zip(names, shapes, dtypes, given):
        if dtype.name not in DTYPES or min(shape, default=1) < 0:
            raise InputError(
                f"{source}: {name!r} is {dtype.name} {shape}; supported are fixed shapes of {', '.join(DTYPES)}"
            )
        tensors.append((TensorSpec(name, shape, np.dtype(DTYPES[dtype.name])), bool(is_input)))
    return tensors


def _sizes(dims: tensorrt.Dims) -> Tuple[int, ...]:
    """TensorRT's shape as a tuple."""
    return tuple(int(dims[axis]) for axis in range(len(dims)))
