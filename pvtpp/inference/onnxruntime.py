"""The ONNX Runtime backend, on the CPU, CUDA or TensorRT."""

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
# In order of priority: an operator that the first cannot compute goes to the next.
PROVIDERS: Dict[str, Tuple[str, ...]] = {"cpu": (_CPU,), "cuda": (_CUDA, _CPU), "tensorrt": (_TENSORRT, _CUDA, _CPU)}


class OnnxRuntimeEngine:
    """One inference session. Runs are sequential; on the CPU of one machine they repeat to the bit.

    Parameters
    ----------
    session
        An ``onnxruntime.InferenceSession``.
    path
        The graph's file, for error messages.

    Attributes
    ----------
    inputs, outputs
        See `Engine`.
    providers
        ONNX Runtime's execution providers in use, by priority.
    """

    def __init__(self, session: Any, path: Path):
        self._run = session.run
        self._source = str(path)
        self.providers: Tuple[str, ...] = tuple(session.get_providers())
        self.inputs = _specs(session.get_inputs(), self._source)
        self.outputs = _specs(session.get_outputs(), self._source)
        self._names = [spec.name for spec in self.outputs]

    def run(self, inputs: Mapping[str, np.ndarray]) -> Dict[str, np.ndarray]:
        """Run the network; see `Engine.run`."""
        try:
            return dict(zip(self._names, self._run(self._names, inputs)))
        except Exception:
            # The runtime checks its inputs itself; only after a failure is it worth finding the reason.
            check_inputs(inputs, self.inputs, self._source)
            raise


def load(path: Path, threads: int, setting: str = "cpu") -> OnnxRuntimeEngine:
    """Load an ONNX graph.

    Parameters
    ----------
    path
        The graph's file.
    threads
        Number of CPU threads.
    setting
        One of `PROVIDERS`; empty for CUDA where the machine has it, else the CPU.

    Raises
    ------
    InputError
        If onnxruntime is not installed, lacks the provider or cannot start it, or cannot read the file.
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
    engine = OnnxRuntimeEngine(_session(onnxruntime, path, options, providers), path)
    if setting and engine.providers[0] != providers[0]:
        # ONNX Runtime falls back silently; the tracker would be many times slower, which is noticed only in flight.
        raise InputError(f"{path}: {providers[0]} is built in but does not start here; does its CUDA fit the driver?")
    return engine


def _session(onnxruntime: Any, path: Path, options: Any, providers: Sequence[str]) -> Any:
    """An ``InferenceSession``; for TensorRT without the options of newer versions where this one refuses them.

    Versions differ in how they refuse an option: some raise an error, others go on without TensorRT.
    """
    choices = _with_options(providers)
    for number, choice in enumerate(choices, 1):
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=choice)
        except Exception as error:
            if number < len(choices):
                continue
            reason = " ".join(str(error).split())
            refused = "" if providers[0] == _CPU else f", or {providers[0]} does not start"
            raise InputError(
                f"{path}: damaged, or no ONNX graph that this ONNX Runtime reads{refused} ({reason})"
            ) from None
        if number == len(choices) or session.get_providers()[0] == providers[0]:
            break
    return session


def _providers(setting: str, available: Sequence[str], source: str) -> Tuple[str, ...]:
    """The providers to request, by priority, among those `available`."""
    wanted = PROVIDERS[setting or ("cuda" if _CUDA in available else "cpu")]
    if wanted[0] not in available:
        here = [name for name, providers in PROVIDERS.items() if providers[0] in available]
        raise InputError(
            f"{source}: this ONNX Runtime has no {wanted[0]}; backends here are "
            f"{', '.join(f'onnxruntime:{name}' for name in here)} "
            "(pip install 'pvtpp[gpu]'; on a Jetson, NVIDIA's own wheel)"
        )
    return tuple(name for name in wanted if name in available)


def _with_options(providers: Sequence[str]) -> List[List[Any]]:
    """The providers with their options, in the forms to try: TensorRT's newest option is unknown before 1.14.

    TensorRT keeps its engines in the cache, or every start would build them again.
    """
    if _TENSORRT not in providers:
        return [list(providers)]
    folder = cache_folder() / "engines" / "onnxruntime"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot make the folder of TensorRT's engines ({error.strerror or error})"
        ) from None
    kept = {"trt_engine_cache_enable": True, "trt_engine_cache_path": str(folder)}
    return [
        [(name, {**kept, **more}) if name == _TENSORRT else name for name in providers]
        for more in ({"trt_timing_cache_enable": True}, {})
    ]


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
