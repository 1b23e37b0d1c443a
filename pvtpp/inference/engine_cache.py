"""TensorRT engines, built once for each graph and machine, and kept.

An engine fits one graph, GPU, library and set of flags. When one of these changes, the engine is built
again, and one line in the log says what changed. Engines lie in the folder ``engines`` of the cache
(`pvtpp.files.cache_folder`). So do the measured times of kernels (TensorRT's timing cache), which shorten the next
build to seconds. Building for a GPU that is here has not been run yet.
"""

from __future__ import annotations

import hashlib
import json
import logging
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Tuple

from pvtpp.errors import InputError
from pvtpp.files import cache_folder, create_folder, read_json, whole_file
from pvtpp.inference import cuda
from pvtpp.inference.artefact import SIDECAR
from pvtpp.inference.engine_build import BuildError, build, build_flags
from pvtpp.inference.tensorrt_library import Library
from pvtpp.weights.store import sha256

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
    library
        Name and version of the library: ``TensorRT 10.3.0``.
    cuda
        Version of the CUDA runtime.
    precision
        Precision of the graph: ``fp32``, ``fp16`` or ``int8``.
    flags
        Flags that the engine is built with.
    """

    graph: str
    gpu: str
    capability: str
    library: str
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


def why_build(folder: Path, stem: str, key: EngineKey) -> str:
    """Why the engine of the graph called `stem` has to be built, in words; empty if the one in `folder` can be used."""
    engine = engine_path(folder, stem, key)
    if engine.is_file():
        record = _record(record_path(engine))
        if record is None or key.differences(record):
            return f"the record {record_path(engine).name} is damaged or missing"
        with suppress(InputError):
            if record.get("engine") == sha256(engine):
                return ""
        return f"{engine.name} is damaged"
    others = sorted(folder.glob(f"{stem}-*.json"), key=_age)
    newest = _record(others[-1]) if others else None
    return (key.differences(newest) if newest is not None else "") or "there is no engine of it yet"


def engine_path(folder: Path, stem: str, key: EngineKey) -> Path:
    """Path of the engine for the graph called `stem`."""
    return folder / f"{stem}-{key.digest()}.engine"


def record_path(engine: Path) -> Path:
    """Path of the record of an engine."""
    return engine.with_suffix(".json")


def obtain(graph: Path, library: Library) -> Path:
    """Path of the engine of an ONNX graph on this machine, which is built first if necessary; that takes minutes.

    Raises
    ------
    InputError
        If there is no CUDA, the graph cannot be read or built, or the cache cannot be written.
    """
    flags = build_flags(precision_of(graph), library.is_strongly_typed)
    gpu, capability, version = cuda.runtime().device()
    key = EngineKey(sha256(graph), gpu, capability, library.title, version, precision_of(graph), flags)
    folder = cache_folder() / "engines"
    engine = engine_path(folder, graph.stem, key)
    reason = why_build(folder, graph.stem, key)
    if reason:
        _log.warning("building an engine of %s with %s, which takes minutes: %s", graph, library.title, reason)
        # TensorRT-RTX builds for the GPU that is here where it knows it, else for all that it builds for unasked.
        _write(engine, graph, key, library, (capability,) if capability in library.capabilities else ())
    return engine


def precision_of(graph: Path) -> str:
    """Precision of a graph by the sidecar beside it; ``fp32`` where no sidecar names the graph."""
    try:
        card = read_json(graph.parent / SIDECAR)
        named = {entry["file"] for entry in card["graphs"].values()}
        return str(card["precision"]) if graph.name in named else "fp32"
    except (InputError, KeyError, TypeError, AttributeError):
        return "fp32"


def _write(engine: Path, graph: Path, key: EngineKey, library: Library, capabilities: Tuple[str, ...]) -> None:
    """Build an engine, and write it with its record; the record last, since an engine without one is not used."""
    try:
        create_folder(engine.parent)
    except InputError as error:
        raise InputError(f"{error}; PVTPP_CACHE names another folder") from None
    timing = engine.with_name(TIMING_CACHE)
    times = b""
    with suppress(OSError):
        times = timing.read_bytes()
    # Opened before the build, which takes minutes: a place that cannot be written is found first.
    with whole_file(engine) as part:
        try:
            built = build(library, graph, key.flags, capabilities, times)
        except BuildError as error:
            raise BuildError(f"{error}; was it exported with --form unrolled?") from None
        Path(part).write_bytes(built.engine)
    record = {**asdict(key), "engine": hashlib.sha256(built.engine).hexdigest()}
    with whole_file(record_path(engine)) as part:
        Path(part).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if built.times:
        with whole_file(timing) as part:
            Path(part).write_bytes(built.times)


def _record(path: Path) -> Optional[Dict[str, Any]]:
    """The record of an engine; None if it is missing or damaged."""
    try:
        record = read_json(path)
    except InputError:
        return None
    return record if isinstance(record, dict) else None


def _age(path: Path) -> float:
    """When a file was written; 0 for one that another process has removed."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) or "none" if isinstance(value, (list, tuple)) else str(value)
    return text[:12] if len(text) == 64 else text
