"""Building a TensorRT engine of an ONNX graph, with TensorRT or TensorRT-RTX.

Run with TensorRT-RTX in the tests, which needs no GPU; with TensorRT it has not been run yet.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Sequence, Tuple

from pvtpp.errors import InputError
from pvtpp.inference.artefact import SIDECAR
from pvtpp.inference.tensorrt_library import Library, Words, one_line

if TYPE_CHECKING:
    import tensorrt

TYPED = "strongly_typed"
_FLAGS: Dict[str, Tuple[str, ...]] = {"fp32": (), "fp16": ("fp16",), "int8": ("int8",)}


class BuildError(InputError):
    """The compiler does not take the graph."""


@dataclass(frozen=True)
class Built:
    """An engine.

    Attributes
    ----------
    engine
        Its bytes.
    layers
        Layers of the network that the graph became.
    seconds
        From reading the graph to the engine.
    times
        The measured times of kernels; empty where the library keeps none.
    """

    engine: bytes
    layers: int
    seconds: float
    times: bytes


def build_flags(precision: str, can_be_strongly_typed: bool) -> Tuple[str, ...]:
    """Flags for building a graph whose precision is given by its own tensor types.

    Older versions, which cannot build by the types of the graph, need the flag that allows the precision.

    Raises
    ------
    InputError
        For another precision than ``fp32``, ``fp16`` and ``int8``.
    """
    if precision not in _FLAGS:
        raise InputError(f"{SIDECAR}: precision is {precision!r}, allowed is one of: {', '.join(_FLAGS)}")
    return (TYPED,) if can_be_strongly_typed else _FLAGS[precision]


def check_capabilities(library: Library, capabilities: Sequence[str], source: str) -> None:
    """Raise InputError for a compute capability that the library cannot build for."""
    allowed = library.capabilities
    for capability in capabilities:
        if not allowed:
            raise InputError(
                f"{source}: {library.title} builds for the GPU of this machine alone, it takes no compute capability "
                f"({capability}); TensorRT-RTX does"
            )
        if capability not in allowed:
            raise InputError(
                f"{source}: compute capability {capability!r}, allowed for {library.title} is one of: "
                f"{', '.join(allowed)}"
            )
    if len(set(capabilities)) < len(capabilities):
        raise InputError(f"{source}: a compute capability is there twice: {', '.join(capabilities)}")


def build(
    library: Library,
    graph: Path,
    flags: Sequence[str],
    capabilities: Sequence[str] = (),
    times: bytes = b"",
    source: str = "",
) -> Built:
    """Build an engine.

    Parameters
    ----------
    library
        What builds it.
    graph
        The ONNX graph.
    flags
        See `build_flags`.
    capabilities
        Compute capabilities to build for. Without any, TensorRT builds for the GPU of this machine, TensorRT-RTX for
        all from 8.0 on.
    times
        Times of kernels from an earlier build.
    source
        What to call the graph in messages; its path where empty.

    Raises
    ------
    BuildError
        If the library does not take the graph; the message has its own words.
    InputError
        If it does not start, and for a compute capability that it does not have.
    """
    api, source, words = library.api, source or str(graph), Words()
    check_capabilities(library, capabilities, source)
    log, begin = library.logger(words), time.perf_counter()
    builder: tensorrt.Builder = library.make(
        lambda: api.Builder(log), "start here; does the driver fit its CUDA?", source, words
    )
    # Networks without an explicit batch were the default before version 10.
    wanted = [name for name, given in (("EXPLICIT_BATCH", True), ("STRONGLY_TYPED", TYPED in flags)) if given]
    known = api.NetworkDefinitionCreationFlag
    bits = sum(1 << int(getattr(known, name)) for name in wanted if hasattr(known, name))
    network: tensorrt.INetworkDefinition = library.make(
        lambda: builder.create_network(bits), "make a network", source, words
    )
    parser: tensorrt.OnnxParser = api.OnnxParser(network, log)
    if not parser.parse_from_file(str(graph)):
        raise BuildError(library.cannot("read this graph", source, _reason(parser) or words.take()))
    words.take()
    config: tensorrt.IBuilderConfig = library.make(builder.create_builder_config, "make a configuration", source, words)
    for flag in flags:
        if flag != TYPED:
            config.set_flag(getattr(api.BuilderFlag, flag.upper()))
    if capabilities:
        _target(config, [library.capabilities[each] for each in capabilities])
    cache = _times(config, times) if library.kind.keeps_times else None
    try:
        serialized = library.make(
            lambda: builder.build_serialized_network(network, config), "compile this graph", source, words
        )
    except InputError as error:
        raise BuildError(str(error)) from None
    engine = bytes(serialized)
    seconds = time.perf_counter() - begin
    kept = bytes(cache.serialize()) if cache is not None else b""
    return Built(engine, int(network.num_layers), seconds, kept)


def _target(config: Any, capabilities: Sequence[Any]) -> None:
    """Set what the engine is built for; of TensorRT-RTX alone, so the types do not know it."""
    config.num_compute_capabilities = len(capabilities)
    for index, capability in enumerate(capabilities):
        config.set_compute_capability(capability, index)


def _times(config: tensorrt.IBuilderConfig, times: bytes) -> Any:
    """Give the configuration the times of an earlier build; None where it takes none."""
    for content in (times, b""):
        # None for what another version wrote, or what is damaged.
        cache = config.create_timing_cache(content)
        if cache is not None and config.set_timing_cache(cache, ignore_mismatch=False):
            return cache
    return None


def _reason(parser: tensorrt.OnnxParser) -> str:
    """What the parser has against the graph: the operator with its name, and why."""
    if not parser.num_errors:
        return ""
    error: Any = parser.get_error(0)
    # Not in every version.
    operator, name = (getattr(error, part, str)() for part in ("node_operator", "node_name"))
    where = " ".join(part for part in (operator, repr(name) if name else "") if part)
    return one_line(f"{where}: {error.desc()} [{error.func()}]" if where else error.desc())
