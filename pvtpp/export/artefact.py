"""From torch engines to a folder of checked graphs: written elsewhere, compared with torch, then moved into place."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

from pvtpp.errors import InputError
from pvtpp.export.compiler import COMPILED, Compiler
from pvtpp.export.graph import OPSET, from_pixels, write_graph
from pvtpp.export.operators import FORMS, check_for_tensorrt
from pvtpp.export.parity import TOLERANCES, CandidateError, Engines, Parity, ParityError
from pvtpp.export.precision import PRECISIONS, Sample, to_fp16, to_int8
from pvtpp.files import whole_file
from pvtpp.inference.artefact import FORMAT, SIDECAR, Artefact, described, read, read_sidecar
from pvtpp.inference.torch import TorchEngine
from pvtpp.validation import check, one_of
from pvtpp.weights.store import sha256

# Reference and candidate engines, with the same inputs and outputs, to what differs between them.
Gate = Callable[[Engines, Engines], Parity]
"""Compares reference and candidate engines, which have the same inputs and outputs."""
CPU = "onnxruntime:cpu"
"""The backend that every export is compared on."""


@dataclass(frozen=True)
class ExportConfig:
    """How a network is exported.

    Attributes
    ----------
    form
        Of correlations, see `pvtpp.export.operators`.
    precision
        Of the arithmetic: ``fp32``, ``fp16`` or ``int8``.
    pixels
        Crops go in as uint8 ``(1, H, W, 3)``, and the graph converts them; TensorRT takes that from 8.5 on.

    Raises
    ------
    InputError
        For another value.
    """

    form: str = "grouped"
    precision: str = "fp32"
    pixels: bool = False

    def __post_init__(self) -> None:
        check(self, {"form": one_of(FORMS), "precision": one_of(PRECISIONS), "pixels": one_of((True, False))})

    def sources(self, engines: Mapping[str, TorchEngine]) -> dict[str, TorchEngine]:
        """The torch engines that the graphs of this configuration must agree with, with the same inputs, by name."""

        def is_fed_with_crops(engine: TorchEngine) -> bool:
            return any(len(spec.shape) == 4 and spec.shape[1] == 3 for spec in engine.inputs)

        return {
            name: from_pixels(engine) if self.pixels and is_fed_with_crops(engine) else engine
            for name, engine in engines.items()
        }


def export(
    engines: Mapping[str, TorchEngine],
    folder: str | Path,
    config: ExportConfig,
    gate: Gate,
    card: Mapping[str, Any],
    samples: Mapping[str, list[Sample]] | None = None,
    compiler: Compiler | None = None,
) -> Artefact:
    """Write the graphs of `engines` and the sidecar to a folder, after they passed the comparison with torch.

    Parameters
    ----------
    engines
        The parts of the network, by the names of their graphs.
    folder
        Is created, or replaced if it holds an older export. After an error nothing is left behind and an older export
        stays.
    config
        How the network is exported.
    gate
        Compares the graphs with torch.
    card
        Entries for the sidecar; the gate's findings are added.
    samples
        For int8: inputs that each graph is calibrated on.
    compiler
        Must take every graph; what it made of them is added to the sidecar.

    Raises
    ------
    ParityError
        Where graphs and torch differ by more than the tolerance of this precision.
    BuildError
        Where the compiler does not take a graph.
    InputError
        For a folder that holds something else.
    """
    folder = Path(folder)
    sources = config.sources(engines)
    with _whole_folder(folder) as part:
        graphs = write_graphs(sources, part, config, samples or {})
        content = {
            "format": FORMAT,
            "form": config.form,
            "precision": config.precision,
            "pixels": config.pixels,
            "opset": OPSET,
            "graphs": graphs,
            **card,
        }
        made = Artefact(part, content)
        if compiler is not None:
            content[COMPILED] = _compiled(made, compiler, folder)
        parity = gate(sources, made.engines())
        parity.check(TOLERANCES[config.precision])
        content["parity"] = parity.summary()
        (part / SIDECAR).write_text(_as_json(content), encoding="utf-8")
    return read(folder)


def write_graphs(
    sources: Mapping[str, TorchEngine], folder: str | Path, config: ExportConfig, samples: Mapping[str, list[Sample]]
) -> dict[str, Any]:
    """Write the graphs without comparing them, and return their entries for the sidecar.

    Parameters
    ----------
    sources
        As `ExportConfig.sources` returns them.
    folder
        An existing folder.
    config
        How the network is exported.
    samples
        For int8: inputs that each graph is calibrated on.
    """
    graphs = {}
    for name, engine in sources.items():
        path = Path(folder) / f"{name}.onnx"
        write_graph(engine, path, config.form)
        if config.precision == "fp16":
            to_fp16(path)
        elif config.precision == "int8":
            to_int8(path, samples.get(name, []))
        if config.form == "unrolled":
            check_for_tensorrt(onnx.load(str(path)), path.name)
        graphs[name] = {"file": path.name, "sha256": sha256(path), **described(engine)}
    return graphs


def verify(
    artefact: Artefact,
    engines: Mapping[str, TorchEngine],
    gate: Gate,
    backend: str = CPU,
    compiler: Compiler | None = None,
) -> Parity:
    """Compare an existing export with torch again, on any backend.

    Parameters
    ----------
    artefact
        The export.
    engines
        The parts of the network in torch.
    gate
        Compares the graphs with torch.
    backend
        What runs the graphs.
    compiler
        Must take every graph; what it made of them goes into the sidecar.

    Raises
    ------
    ParityError
        Where it does not pass; the export is deleted.
    BuildError
        Where the compiler does not take a graph; the export stays as it is.
    InputError
        Where a backend other than the default one cannot run it; the export stays.
    """
    config = config_of(artefact)
    sources = config.sources(engines)
    candidates = artefact.engines(backend)
    card = dict(artefact.card)
    if compiler is not None:
        card[COMPILED] = _compiled(artefact, compiler, artefact.folder)
    try:
        parity = gate(sources, candidates)
        parity.check(TOLERANCES[config.precision])
    except ParityError as error:
        if isinstance(error, CandidateError) and backend != CPU:
            raise InputError(f"{artefact.folder}: {backend}: {error}; it stays as it is") from None
        # The sidecar goes first: without it the other files do not count as an export.
        for name in (SIDECAR, *(graph["file"] for graph in artefact.card["graphs"].values())):
            (artefact.folder / name).unlink()
        with suppress(OSError):
            artefact.folder.rmdir()
        raise
    if compiler is not None:
        with whole_file(artefact.folder / SIDECAR) as part:
            Path(part).write_text(_as_json(card), encoding="utf-8")
    return parity


def config_of(artefact: Artefact) -> ExportConfig:
    """The configuration that the artefact was exported with."""
    return ExportConfig(**{name: artefact.card[name] for name in ("form", "precision", "pixels")})


def check_folder(folder: str | Path) -> Path:
    """The folder that an export to `folder` is written to.

    Raises
    ------
    InputError
        If it holds something else, or is the working folder or above it.
    """
    folder = Path(folder)
    if folder.exists() and not (folder / SIDECAR).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: holds something else than an exported network; name a new or empty folder")
    # A link to the working folder is refused as well.
    folder, here = folder.resolve(), Path.cwd()
    if folder in (here, *here.parents):
        raise InputError(
            f"{folder}: is replaced as a whole, but it is the working folder or above it; name another folder"
        )
    return folder


@contextmanager
def _whole_folder(folder: Path) -> Iterator[Path]:
    """A new folder to write to, which replaces `folder` at the end of the block and is deleted if the block raises.

    Of an older export the graphs and the sidecar are deleted; other files in its folder stay.
    """
    folder = check_folder(folder)
    graphs = _graph_files(folder)
    part, old = (folder.with_name(f".{folder.name}.{os.getpid()}.{state}") for state in ("part", "old"))
    try:
        part.mkdir(parents=True)
        yield part
        if folder.exists():
            folder.replace(old)
        try:
            part.replace(folder)
        except OSError:
            if old.exists():
                old.replace(folder)
            raise
        if old.exists():
            exported = {SIDECAR, *graphs}
            for other in old.iterdir():
                if other.name not in exported and not (folder / other.name).exists():
                    other.replace(folder / other.name)
            shutil.rmtree(old)
    except OSError as error:
        raise InputError(f"{folder}: cannot write ({error.strerror or error})") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _compiled(artefact: Artefact, compiler: Compiler, folder: Path) -> dict[str, Any]:
    """Compile every graph of an export, which messages call by its place in `folder`; returns the sidecar's record."""
    card, found = artefact.card, {}
    for name, graph in card["graphs"].items():
        path = artefact.folder / graph["file"]
        found[name] = compiler.compile(path, card["precision"], str(folder / path.name))
    return compiler.record(found)


def _as_json(card: Mapping[str, Any]) -> str:
    return json.dumps(card, indent=1, allow_nan=False) + "\n"


def _graph_files(folder: Path) -> list[str]:
    """The graphs that the sidecar in `folder` names; none where it cannot be read."""
    try:
        return [graph["file"] for graph in read_sidecar(folder)["graphs"].values()]
    except InputError:
        return []
