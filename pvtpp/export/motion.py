"""The motion network as an ONNX graph for one track, compared with torch before it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pvtpp import inference
from pvtpp.export import publication
from pvtpp.export.agreement import TOLERANCE, largest_difference
from pvtpp.export.compiler import Compiler
from pvtpp.export.publication import graph_path, weights_of, write_checked
from pvtpp.inference.engine import Engine
from pvtpp.networks.motion import MotionNetwork, save
from pvtpp.predictors.motion import OUTPUT


def export(network: MotionNetwork, path: str | Path, tolerance: float = TOLERANCE) -> float:
    """Write the graph alone.

    Parameters
    ----------
    network
        The network.
    path
        The ``.onnx`` file.
    tolerance
        Largest difference from torch allowed, relative to the scale of the outputs.

    Returns
    -------
    float
        The largest difference from torch on random tracks, relative to the scale of the outputs (see `furthest`).

    Raises
    ------
    InputError
        If it is above `tolerance`, or torch's own output is not finite.
    """
    engine = network.cpu().eval().engine()
    return write_checked(engine, Path(path), _difference, tolerance)


def publish(
    network: MotionNetwork,
    path: str | Path,
    card: Mapping[str, Any],
    tolerance: float = TOLERANCE,
    compiler: Compiler | None = None,
) -> float:
    """Write the weights and the card, then the graph.

    Parameters
    ----------
    network
        The network.
    path
        The graph, ``.onnx``; the other files are written beside it.
    card
        Entries for the card, such as how the network was trained.
    tolerance
        As in `export`.
    compiler
        As in `pvtpp.export.publication.publish`.

    Returns
    -------
    float
        What `export` returns; the card holds it too.

    Raises
    ------
    InputError
        As `pvtpp.export.publication.publish`: where the graph does not pass, weights and card are kept.
    """
    path = graph_path(path)
    engine = network.cpu().eval().engine()

    write = partial(save, network, weights_of(path))
    return publication.publish("motion", path, {path: engine}, _difference, write, card, tolerance, compiler)


def difference(network: MotionNetwork, path: str | Path, tracks: int = 50, seed: int = 0) -> float:
    """The largest difference between torch and the graph at `path` on random tracks, relative to the outputs' scale."""
    return _difference(inference.load(path), network.engine(), tracks, seed)


def _difference(engine: Engine, reference: Engine, tracks: int = 50, seed: int = 0) -> float:
    return largest_difference(engine, reference, partial(_drawn, engine), tracks, seed, OUTPUT)


def _drawn(engine: Engine, rng: np.random.Generator) -> dict[str, Any]:
    """One random track, with a past of random length."""
    shapes = {spec.name: [int(n or 1) for n in spec.shape] for spec in engine.inputs}
    made = {name: np.zeros(shape) for name, shape in shapes.items()}
    past = rng.integers(0, shapes["interval"][1] + 1)
    made["interval"][:, past:] = rng.uniform(0.01, 0.2, made["interval"][:, past:].shape)
    # The target moves by about half its size in a second; the tracker errs by a few hundredths of its size.
    moved = rng.normal(0, 0.5, (1, 4, 1)) * made["interval"] + rng.normal(0, 0.03, shapes["step"])
    made["step"] = moved * (made["interval"] > 0)
    made["score"][:, past + 1 :], made["aspect"] = 1.0, rng.normal(0, 0.5, shapes["aspect"])
    if rng.random() < 0.5:
        made["innovation"] = rng.normal(0, 0.03, shapes["step"]) * (made["interval"] > 0)
        made["quality"] = rng.uniform(0.1, 1.0, shapes["quality"]) * (made["interval"] > 0)
    return made
