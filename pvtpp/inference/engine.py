"""The one interface over every inference runtime, and the choice of the runtime."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Mapping, Optional, Protocol, Tuple, Union

import numpy as np

from pvtpp.errors import InputError

RUNTIMES: Dict[str, str] = {"onnxruntime": "pvtpp.inference.onnxruntime", "tensorrt": "pvtpp.inference.tensorrt"}
# Of each kind of file the backends that read it, the default first.
BACKENDS: Dict[str, Tuple[str, ...]] = {
    ".onnx": ("onnxruntime:cpu", "onnxruntime:cuda", "onnxruntime:tensorrt", "onnxruntime", "tensorrt"),
    ".engine": ("tensorrt",),
    ".plan": ("tensorrt",),
}


@dataclass(frozen=True)
class TensorSpec:
    """Name, shape and dtype of one input or output; None in the shape where the graph leaves the size open."""

    name: str
    shape: Tuple[Optional[int], ...]
    dtype: np.dtype

    def accepts(self, array: object) -> bool:
        """Whether this is an array of the right dtype and shape."""
        return (
            isinstance(array, np.ndarray)
            and array.dtype == self.dtype
            and array.ndim == len(self.shape)
            and all(want is None or want == got for want, got in zip(self.shape, array.shape))
        )

    def __str__(self) -> str:
        return f"{self.name!r} {self.dtype}[{' x '.join('?' if n is None else str(n) for n in self.shape)}]"


class Engine(Protocol):
    """A loaded network. `run` is not asked from two threads at once; what it returns is the caller's own."""

    inputs: Tuple[TensorSpec, ...]
    outputs: Tuple[TensorSpec, ...]

    def run(self, inputs: Mapping[str, np.ndarray]) -> Dict[str, np.ndarray]:
        """All outputs by name. Raises InputError where a name, shape or dtype is not the graph's."""


def load(path: Union[str, Path], threads: int = 1, backend: str = "") -> Engine:
    """The network in this file, computing on `threads` CPU threads where it computes on the CPU.

    `backend` is one of `BACKENDS` for this kind of file, "" its first. ``onnxruntime`` alone takes CUDA where the machine
    has it, else the CPU; TensorRT, which first builds for minutes, only comes when it is named. Small networks answer
    soonest on the CPU, so that is the default.

    Raises InputError for a missing or damaged file, a kind of file no runtime here reads, a backend that is unknown or
    not on this machine, or a runtime not installed.
    """
    path = Path(path)
    if path.suffix not in BACKENDS:
        raise InputError(f"{path}: no runtime for files of kind {path.suffix!r}; known: {', '.join(sorted(BACKENDS))}")
    if not path.is_file():
        raise InputError(f"{path}: no such network file")
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise InputError(f"threads is {threads!r}, allowed is any whole number from 1")
    allowed = BACKENDS[path.suffix]
    if backend and backend not in allowed:
        raise InputError(f"{path}: backend {backend!r}, expected one of: {', '.join(allowed)}")
    runtime, _, setting = (backend or allowed[0]).partition(":")
    return importlib.import_module(RUNTIMES[runtime]).load(path, threads, setting)


def check_inputs(inputs: Mapping[str, np.ndarray], specs: Tuple[TensorSpec, ...], source: str) -> None:
    """Raises InputError for the first input that does not fit the graph."""
    expected = ", ".join(map(str, specs))
    names = {spec.name for spec in specs}
    if set(inputs) != names:
        raise InputError(f"{source}: got inputs {sorted(inputs)}, the graph takes {expected}")
    for spec in specs:
        array = inputs[spec.name]
        if not spec.accepts(array):
            got = f"{array.dtype}{list(array.shape)}" if isinstance(array, np.ndarray) else type(array).__name__
            raise InputError(f"{source}: input {spec.name!r} is {got}, the graph takes {expected}")
