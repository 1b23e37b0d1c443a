"""The joint network as two ONNX graphs, for one track and one result, compared with torch before they are kept."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pvtpp.export import publication
from pvtpp.export.agreement import TOLERANCE, largest_difference
from pvtpp.export.compiler import Compiler
from pvtpp.export.publication import graph_path, weights_of
from pvtpp.inference.engine import Engine
from pvtpp.networks.joint import JointNetwork, save
from pvtpp.predictors.joint import SEEN, encoder_of
from pvtpp.predictors.motion import OUTPUT

SAMPLES = 30


def publish(
    network: JointNetwork,
    path: str | Path,
    notes: Mapping[str, Any],
    tolerance: float = TOLERANCE,
    compiler: Compiler | None = None,
) -> float:
    """Write the weights and the card, then both graphs.

    Parameters
    ----------
    network
        The network.
    path
        The predictor's graph, ``.onnx``; the other files are written beside it.
    notes
        Entries for the card, such as how the network was trained.
    tolerance
        Largest difference from torch allowed, relative to the scale of the outputs.
    compiler
        As in `pvtpp.export.publication.publish`.

    Returns
    -------
    float
        The largest difference between graphs and torch on random inputs, see `difference`; the card holds it too.

    Raises
    ------
    InputError
        As `pvtpp.export.publication.publish`: where a graph does not pass, weights and card are kept.
    """
    path = graph_path(path)
    predictor, encoder = network.engines()

    graphs = {encoder_of(path): encoder, path: predictor}
    write = partial(save, network, weights_of(path))
    return publication.publish("joint", path, graphs, difference, write, notes, tolerance, compiler)


def difference(engine: Engine, reference: Engine, seed: int = 0) -> float:
    """The largest difference of two engines on random tracks or features, relative to the outputs' scale."""
    return largest_difference(engine, reference, partial(_drawn, engine), SAMPLES, seed, OUTPUT)


def _drawn(engine: Engine, rng: np.random.Generator) -> dict[str, Any]:
    """Random inputs of one sample: features of unit size, tracks with small steps and a past of random length."""
    shapes = {spec.name: [int(n or 1) for n in spec.shape] for spec in engine.inputs}
    scale = 0.05 if "step" in shapes else 1.0
    made: dict[str, Any] = {name: rng.normal(0, scale, shape) for name, shape in shapes.items()}
    if "interval" in shapes:
        made["interval"] = rng.uniform(0.01, 0.2, shapes["interval"])
        made["score"], made["propagated"] = np.ones(shapes["score"]), np.zeros(shapes["propagated"])
        past = rng.integers(0, shapes["interval"][1] + 1)
        made["quality"] = rng.uniform(0.1, 1.0, shapes["quality"])
        for name in ("step", "innovation", "interval", "quality"):
            made[name][..., :past] = 0
        made["score"][:, : past + 1] = 0
        made[SEEN] = rng.integers(0, 2, shapes[SEEN])
    return made
