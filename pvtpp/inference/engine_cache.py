"""TensorRT engines, built once for each graph and machine, and kept.

An engine fits one graph, GPU, version of TensorRT and set of flags. When one of these changes, the engine is built
again, and one line in the log says what changed. Engines lie in the folder ``engines`` of the cache
(`pvtpp.files.cache_folder`). So do the measured times of kernels (TensorRT's timing cache), which shorten the next
build to seconds. Engines are built with polygraphy. Building has not been run on a GPU yet.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Dict, Mapping, Optional, Tuple

from pvtpp.errors import InputError
from pvtpp.files import cache_folder, read_json, whole_file
from pvtpp.inference import cuda
from pvtpp.inference.artefact import SIDECAR

TIMING_CACHE = "timing.cache"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EngineKey:
    """What an engine fits.

    Attributes
    ----------
    graph
        sha256 of the ONNX graph, hex.
    gpu, capability
        Name of the GPU, and its compute capability.
    tensorrt, cuda
        Versions of TensorRT and of the CUDA runtime.
    precision
        Precision of the graph: ``fp32``, ``fp16`` or ``int8``.
    flags
        Flags that the engine is built with.
    """

    graph: str
    gpu: str
    capability: str
    tensorrt: str
    cuda: str
    precision: str
    flags: Tuple[str, ...]

    def digest(self) -> str:
        """Twelve hex digits of a hash over all fields."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:12]

    def differences(self, record: Mapping[str, Any]) -> str:
        """What differs from the record of an engine, in words; empty where nothing does."""
        wanted = json.loads(json.dumps(asdict(self)))
        return ", ".join(
            f"{name} {_short(record.get(name))} is now {_short(wanted[name])}"
            for name in wanted
            if record.get(name) != wanted[name]
        )


def build_flags(precision: str, can_be_strongly_typed: bool) -> Tuple[str, ...]:
    """Flags for building a graph whose precision is given by its own tensor types.

    TensorRT can build by the types of the graph from version 9 on, and always does from version 11 on. Older versions
    need the flag that allows the precision.

    Raises
    ------
    InputError
        For another precision than ``fp32``, ``fp16`` and ``int8``.
    """
    flags: Dict[str, Tuple[str, ...]] = {"fp32": (), "fp16": ("fp16",), "int8": ("int8",)}
    if precision not in flags:
        raise InputError(f"{SIDECAR}: precision is {precision!r}, allowed is one of: {', '.join(flags)}")
    return ("strongly_typed",) if can_be_strongly_typed else flags[precision]


def why_build(folder: Path, stem: str, key: EngineKey) -> str:
    """Why the engine of the graph called `stem` has to be built, in words; empty if the one in `folder` can be used."""
    engine = engine_path(folder, stem, key)
    record = _record(engine)
    if record is not None and engine.is_file():
        found = hashlib.sha256(engine.read_bytes()).hexdigest()
        return "" if record.get("engine") == found and not key.differences(record) else f"{engine.name} is damaged"
    others = sorted(folder.glob(f"{stem}-*.json"), key=lambda path: path.stat().st_mtime)
    newest = _record(others[-1]) if others else None
    return (key.differences(newest) if newest is not None else "") or "there is no engine of it yet"


def engine_path(folder: Path, stem: str, key: EngineKey) -> Path:
    """Path of the engine for the graph called `stem`."""
    return folder / f"{stem}-{key.digest()}.engine"


def obtain(graph: Path, trt: Any) -> Path:
    """Path of the engine of an ONNX graph on this machine, which is built first if necessary; that takes minutes.

    Raises
    ------
    InputError
        If there is no CUDA or no polygraphy, TensorRT cannot build the graph, or the cache cannot be written.
    """
    flags = build_flags(precision_of(graph), hasattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED"))
    gpu, capability, version = cuda.runtime().device()
    sha256 = hashlib.sha256(graph.read_bytes()).hexdigest()
    key = EngineKey(sha256, gpu, capability, trt.__version__, version, precision_of(graph), flags)
    folder = cache_folder() / "engines"
    engine = engine_path(folder, graph.stem, key)
    reason = why_build(folder, graph.stem, key)
    if reason:
        _log.warning("building a TensorRT engine of %s, which takes minutes: %s", graph, reason)
        _build(graph, engine, flags)
        record = {**asdict(key), "engine": hashlib.sha256(engine.read_bytes()).hexdigest()}
        with whole_file(engine.with_suffix(".json")) as part:
            Path(part).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return engine


def precision_of(graph: Path) -> str:
    """Precision of a graph by the sidecar beside it; ``fp32`` where no sidecar names the graph."""
    try:
        card = read_json(graph.parent / SIDECAR)
        named = {entry["file"] for entry in card["graphs"].values()}
        return str(card["precision"]) if graph.name in named else "fp32"
    except (InputError, KeyError, TypeError, AttributeError):
        return "fp32"


def _build(graph: Path, engine: Path, flags: Tuple[str, ...]) -> None:
    try:
        from polygraphy.backend.trt import CreateConfig, EngineFromNetwork, NetworkFromOnnxPath, SaveEngine
        from polygraphy.exception import PolygraphyException
    except ImportError as error:
        raise InputError(f"{graph}: building an engine needs polygraphy ({error}); pip install polygraphy") from None
    typed = "strongly_typed" in flags
    timing = engine.with_name(TIMING_CACHE)
    # Passed only where it is needed: older versions of polygraphy do not have the argument.
    network = NetworkFromOnnxPath(str(graph), **({"strongly_typed": True} if typed else {}))
    allowed = {flag: True for flag in flags if flag != "strongly_typed"}
    try:
        engine.parent.mkdir(parents=True, exist_ok=True)
        # In a temporary folder, because polygraphy leaves a lock file beside the timing cache.
        with TemporaryDirectory(dir=str(engine.parent)) as scratch:
            times, part = os.path.join(scratch, TIMING_CACHE), os.path.join(scratch, engine.name)
            if timing.is_file():
                shutil.copyfile(str(timing), times)
            config = CreateConfig(load_timing_cache=times if timing.is_file() else None, **allowed)
            SaveEngine(EngineFromNetwork(network, config, save_timing_cache=times), path=part)()
            os.replace(part, str(engine))
            if os.path.isfile(times):
                os.replace(times, str(timing))
    except PolygraphyException as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"{graph}: TensorRT cannot build an engine of it ({reason}); was it exported with --form unrolled?"
        ) from None
    except OSError as error:
        raise InputError(
            f"{error.filename or engine.parent}: cannot write the TensorRT engine ({error.strerror or error}); "
            "PVTPP_CACHE names another folder"
        ) from None


def _record(path: Path) -> Optional[Dict[str, Any]]:
    """The record beside an engine; None if it is missing or damaged."""
    try:
        record = read_json(path.with_suffix(".json"))
    except InputError:
        return None
    return record if isinstance(record, dict) else None


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) or "none" if isinstance(value, (list, tuple)) else str(value)
    return text[:12] if len(text) == 64 else text
