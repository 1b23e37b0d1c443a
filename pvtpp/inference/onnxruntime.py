"""ONNX Runtime on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Mapping, Tuple

import numpy as np

from pvtpp.errors import InputError
from pvtpp.inference.engine import TensorSpec, check_inputs

DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(uint8)": np.uint8,
    "tensor(bool)": np.bool_,
}


class OnnxRuntimeEngine:
    """One inference session. Every run is sequential and, on the same machine, repeats bit for bit."""

    def __init__(self, session: Any, path: Path):
        self._run = session.run
        self._source = str(path)
        self.inputs = _specs(session.get_inputs(), self._source)
        self.outputs = _specs(session.get_outputs(), self._source)
        self._names = [spec.name for spec in self.outputs]

    def run(self, inputs: Mapping[str, np.ndarray]) -> Dict[str, np.ndarray]:
        """All outputs by name; see `Engine`."""
        try:
            return dict(zip(self._names, self._run(self._names, inputs)))
        except Exception:
            # The runtime checks its inputs anyway; only when it refuses is it worth finding out why.
            check_inputs(inputs, self.inputs, self._source)
            raise


def load(path: Path, threads: int) -> OnnxRuntimeEngine:
    """Raises InputError where onnxruntime is not installed or cannot read the file."""
    try:
        import onnxruntime
    except ImportError as error:
        raise InputError(
            f"{path}: running ONNX graphs needs onnxruntime ({error}); pip install 'pvtpp[cpu]' "
            "(or 'pvtpp[gpu]'; on a Jetson, NVIDIA's own wheel)"
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: damaged, or no ONNX graph that this ONNX Runtime reads ({reason})") from None
    return OnnxRuntimeEngine(session, path)


def _specs(values: Any, source: str) -> Tuple[TensorSpec, ...]:
    for value in values:
        if value.type not in DTYPES:
            raise InputError(f"{source}: {value.name!r} is a {value.type}; supported are {', '.join(DTYPES)}")
    return tuple(
        TensorSpec(value.name, tuple(n if isinstance(n, int) else None for n in value.shape), np.dtype(DTYPES[value.type]))
        for value in values
    )
