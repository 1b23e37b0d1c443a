"""ONNX Runtime, on the CPU or on what else it was built for."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Tuple

import numpy as np

from pvtpp.errors import InputError
from pvtpp.files import cache_folder
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
_CPU, _CUDA, _TENSORRT = "CPUExecutionProvider", "CUDAExecutionProvider", "TensorrtExecutionProvider"
# What the first does not compute, the next one does.
PROVIDERS: Dict[str, Tuple[str, ...]] = {"cpu": (_CPU,), "cuda": (_CUDA, _CPU), "tensorrt": (_TENSORRT, _CUDA, _CPU)}


class OnnxRuntimeEngine:
    """One inference session. Every run is sequential and, on the same machine's CPU, repeats bit for bit."""

    def __init__(self, session: Any, path: Path):
        self._run = session.run
        self._source = str(path)
        self.providers: Tuple[str, ...] = tuple(session.get_providers())
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


def load(path: Path, threads: int, setting: str = "cpu") -> OnnxRuntimeEngine:
    """`setting` is one of `PROVIDERS`, or empty for CUDA where there is one. Raises InputError where onnxruntime is not
    installed, has no such provider, or cannot read the file.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise InputError(
            f"{path}: running ONNX graphs needs onnxruntime ({error}); pip install 'pvtpp[cpu]' "
            "(or 'pvtpp[gpu]'; on a Jetson, NVIDIA's own wheel)"
        ) from None
    providers = _providers(setting, onnxruntime.get_available_providers(), str(path))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=_with_options(providers))
    except Exception as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: damaged, or no ONNX graph that this ONNX Runtime reads ({reason})") from None
    engine = OnnxRuntimeEngine(session, path)
    if setting and engine.providers[0] != providers[0]:
        # It falls back in silence, and a tracker twenty times slower than promised is found out in flight.
        raise InputError(f"{path}: {providers[0]} is built in but does not start here; does its CUDA fit the driver?")
    return engine


def _providers(setting: str, available: Sequence[str], source: str) -> Tuple[str, ...]:
    """The providers to ask for, in order, of those `available`."""
    wanted = PROVIDERS[setting or ("cuda" if _CUDA in available else "cpu")]
    if wanted[0] not in available:
        here = [name for name, providers in PROVIDERS.items() if providers[0] in available]
        raise InputError(
            f"{source}: this ONNX Runtime has no {wanted[0]}; backends here are "
            f"{', '.join(f'onnxruntime:{name}' for name in here)} (pip install 'pvtpp[gpu]'; on a Jetson, NVIDIA's own wheel)"
        )
    return tuple(name for name in wanted if name in available)


def _with_options(providers: Sequence[str]) -> List[Any]:
    """TensorRT's engines are kept in the cache: without that every start builds them anew."""
    folder = cache_folder() / "engines" / "onnxruntime"
    kept = {"trt_engine_cache_enable": True, "trt_engine_cache_path": str(folder), "trt_timing_cache_enable": True}
    if _TENSORRT in providers:
        folder.mkdir(parents=True, exist_ok=True)
    return [(name, kept) if name == _TENSORRT else name for name in providers]


def _specs(values: Any, source: str) -> Tuple[TensorSpec, ...]:
    for value in values:
        if value.type not in DTYPES:
            raise InputError(f"{source}: {value.name!r} is a {value.type}; supported are {', '.join(DTYPES)}")
    return tuple(
        TensorSpec(
            value.name, tuple(n if isinstance(n, int) else None for n in value.shape), np.dtype(DTYPES[value.type])
        )
        for value in values
    )
