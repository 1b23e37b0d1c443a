"""The common interface of all inference runtimes, and the choice of a runtime."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Mapping, Optional, Protocol, Tuple, Union

import numpy as np

from pvtpp.errors import InputError

RUNTIMES: Dict[str, str] = {"onnxruntime": "pvtpp.inference.onnxruntime", "tensorrt": "pvtpp.inference.tensorrt"}
# The backends that read each kind of file, the default first.
BACKENDS: Dict[str, Tuple[str, ...]] = {
    ".onnx": ("onnxruntime:cpu", "onnxruntime:cuda", "onnxruntime:tensorrt", "onnxruntime", "tensorrt"),
    ".engine": ("tensorrt",),
    ".plan": ("tensorrt",),
}


@dataclass(frozen=True)
class TensorSpec:
    """Name, shape and dtype of one input or output; None in the shape where the graph leaves a size open."""

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
    """A loaded network.

    Attributes
    ----------
    inputs, outputs
        What it takes and returns.
    """

    inputs: Tuple[TensorSpec, ...]
    outputs: Tuple[TensorSpec, ...]

    def run(self, inputs: Mapping[str, np.ndarray]) -> Dict[str, np.ndarray]:
        """Run the network. Only one thread may do so at a time.

        Parameters
        ----------
        inputs
            All inputs by name.

        Returns
        -------
        dict
            All outputs by name; the arrays belong to the caller.

        Raises
        ------
        InputError
            If a name, shape or dtype is not that of the graph.
        """


def load(path: Union[str, Path], threads: int = 1, backend: str = "") -> Engine:
    """Load the network in a file.

    Parameters
    ----------
    path
        The file; its extension decides which backends can read it.
    threads
        Number of CPU threads, where it computes on the CPU.
    backend
        One of `BACKENDS` for this kind of file; "" for the first, the CPU for ONNX graphs, where small networks are
        fastest. ``onnxruntime`` takes CUDA where the machine has it, else the CPU. TensorRT builds an engine for
        minutes at first use, so it is only used when named.

    Raises
    ------
    InputError
        If the file is missing, damaged or of an unknown kind, `threads` is no whole number from 1, or the backend is
        unknown, not installed, or not available on this machine.
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
    """Raise InputError, with `source` in the message, for the first input that does not fit the graph."""
    expected = ", ".join(map(str, specs))
    names = {spec.name for spec in specs}
    if set(inputs) != names:
        raise InputError(f"{source}: got inputs {sorted(inputs)}, the graph takes {expected}")
    for spec in specs:
        array = inputs[spec.name]
        if not spec.accepts(array):
            got = f"{array.dtype}{list(array.shape)}" if isinstance(array, np.ndarray) else type(array).__name__
            raise InputError(f"{source}: input {spec.name!r} is {got}, the graph takes {expected}")
