"""NVIDIA's compiler as a gate: a graph that it does not take is not accepted, and the sidecar says what it made of it.

With TensorRT-RTX that needs no GPU. Its engine is not kept: `pvtpp.inference.engine_cache` builds one where it runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pvtpp.arguments import comma_separated
from pvtpp.inference import tensorrt_library
from pvtpp.inference.engine_build import build, build_flags, check_capabilities
from pvtpp.inference.tensorrt_library import Library

COMPILED = "compiled"
"""Entry for the record in a sidecar or a card."""


@dataclass(frozen=True)
class Compiler:
    """The library that is installed here, and what it compiles for.

    Attributes
    ----------
    library
        TensorRT or TensorRT-RTX.
    capabilities
        Compute capabilities, such as ``8.6``. Without any, TensorRT compiles for the GPU of this machine, TensorRT-RTX
        for all GPUs from 8.0 on.

    Raises
    ------
    InputError
        For a compute capability that the library does not have.
    """

    library: Library
    capabilities: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_capabilities(self.library, self.capabilities, "--compile")

    @classmethod
    def named(cls, text: str) -> Compiler:
        """The compiler of this machine, for the compute capabilities in a text such as ``8.6,12.0``.

        Raises
        ------
        InputError
            Where no library is installed, and for a compute capability that it does not have.
        """
        return cls(tensorrt_library.find("--compile"), comma_separated(text))

    def compile(self, graph: Path, precision: str = "fp32", source: str = "") -> dict[str, Any]:
        """Compile one graph.

        Parameters
        ----------
        graph
            The ``.onnx`` file.
        precision
            Of the graph's own types.
        source
            What to call it in messages; the path where empty.

        Returns
        -------
        dict
            ``layers`` of the network, ``seconds`` that it took, ``bytes`` of the engine.

        Raises
        ------
        BuildError
            With the compiler's own words, if it does not take the graph.
        """
        flags = build_flags(precision, self.library.is_strongly_typed)
        built = build(self.library, graph, flags, self.capabilities, source=source)
        return {"layers": built.layers, "seconds": round(built.seconds, 2), "bytes": len(built.engine)}

    def record(self, graphs: Mapping[str, Any]) -> dict[str, Any]:
        """What a sidecar holds: the library, the compute capabilities, and `compile`'s answers by graph."""
        return {
            "library": self.library.kind.name,
            "version": self.library.version,
            "capabilities": list(self.capabilities),
            "graphs": dict(graphs),
        }
