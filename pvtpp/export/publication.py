"""Publishing a trained predictor: weights and card first, then the graphs, which are compared with torch.

Training takes hours, so nothing that goes wrong with a graph may cost the weights: ``pvtpp export`` makes the graphs of
them again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pvtpp import inference
from pvtpp.errors import InputError
from pvtpp.export.compiler import COMPILED, Compiler
from pvtpp.export.graph import write_graph
from pvtpp.files import create_folder, whole_file
from pvtpp.inference.engine import Engine
from pvtpp.inference.torch import TorchEngine
from pvtpp.predictors.joint import encoder_of
from pvtpp.weights.checkpoint import card_of

FIGURE = "onnx_against_torch"
"""The card's entry for the largest difference between graphs and torch; missing where the graphs did not pass."""
Difference = Callable[[Engine, Engine], float]
"""Largest difference between two engines on random inputs, the graph's and torch's."""


def graph_path(path: str | Path) -> Path:
    """The path, if it ends in ``.onnx``; else InputError."""
    path = Path(path)
    if path.suffix != ".onnx":
        raise InputError(f"{path}: graphs are written as .onnx, got {path.suffix or 'no suffix'!r}")
    return path


def weights_of(path: str | Path) -> Path:
    """Path of the weights that belong to the graph at `path`: ``motion.safetensors`` for ``motion.onnx``."""
    return Path(path).with_suffix(".safetensors")


def files_of(path: str | Path) -> tuple[Path, ...]:
    """Every file that publishing a predictor at `path` may write: graph, encoder, weights and card."""
    weights = weights_of(path)
    return Path(path), encoder_of(path), weights, card_of(weights)


def refuse_existing(paths: Iterable[str | Path], instead: str) -> None:
    """Raise InputError for the first of these paths that exists.

    Parameters
    ----------
    paths
        Files or folders that the work would replace.
    instead
        What to do instead, for the message.
    """
    for path in paths:
        if os.path.lexists(path):
            raise InputError(f"{path}: is there already and would be replaced; {instead}")


def publish(
    kind: str,
    path: Path,
    graphs: Mapping[Path, TorchEngine],
    difference: Difference,
    save: Callable[[Mapping[str, Any]], None],
    card: Mapping[str, Any],
    tolerance: float,
    compiler: Compiler | None = None,
) -> float:
    """Write weights and card, then the graphs if they agree with torch, then the card again with the difference found.

    Graphs of other weights that are at these places are removed, so that no graph lies beside weights it does not
    belong to.

    Parameters
    ----------
    kind
        What ``pvtpp export`` calls such a predictor.
    path
        The predictor's graph, ``.onnx``.
    graphs
        Engines by the paths of their graphs.
    difference
        Compares an engine with torch.
    save
        Writes the weights and a card with these entries to `weights_of` `path`.
    card
        Entries for the card, such as how the network was trained.
    tolerance
        Largest difference allowed.
    compiler
        Must take every graph; what it made of them is added to the card.

    Returns
    -------
    float
        The largest difference found.

    Raises
    ------
    InputError
        If torch's own output is not finite; then nothing is written. If a graph cannot be written, differs from torch
        by more than `tolerance`, or is not taken by the compiler; then weights and card are kept, no graph is, and the
        message says so.
    """
    for engine in graphs.values():
        # The engine against itself: raises where its output is not finite.
        difference(engine, engine)
    create_folder(path.parent)
    entries = {name: value for name, value in card.items() if name not in (FIGURE, COMPILED)}
    save(entries)
    weights = weights_of(path)
    kept = f"the trained weights are kept in {weights}; export them with: pvtpp export {kind} {weights} --out {path}"
    try:
        for at in graphs:
            at.unlink(missing_ok=True)
        worst = max(write_checked(engine, at, difference, tolerance) for at, engine in graphs.items())
        found: dict[str, Any] = {FIGURE: worst}
        if compiler is not None:
            found[COMPILED] = compiler.record({at.name: compiler.compile(at) for at in graphs})
    except Exception as error:
        for at in graphs:
            at.unlink(missing_ok=True)
        if isinstance(error, InputError):
            raise InputError(f"{error}; {kept}") from None
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise InputError(f"{path}: the graph cannot be written ({reason}); {kept}") from error
    save({**entries, **found})
    return worst


def write_checked(engine: TorchEngine, path: Path, difference: Difference, tolerance: float) -> float:
    """Write the graph of an engine, whole or not at all, and compare it with torch.

    Parameters
    ----------
    engine
        The torch engine.
    path
        The ``.onnx`` file.
    difference
        Compares the graph with the engine.
    tolerance
        Largest difference allowed.

    Returns
    -------
    float
        The difference found.

    Raises
    ------
    InputError
        If it is above `tolerance`, and if the file cannot be written.
    """
    with whole_file(path, keep_extension=True) as partial:
        write_graph(engine, partial)
        worst = difference(inference.load(partial), engine)
        if not worst <= tolerance:
            raise InputError(
                f"{path}: the graph differs from torch by {worst:.1e} of the scale of its outputs, "
                f"allowed is {tolerance:.0e}"
            )
    return worst
