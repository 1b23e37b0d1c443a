"""The paper's modules as ONNX graphs for one sample, compared with torch before they are kept.

V and MV become two graphs, so that no frame is encoded twice: a decoder and, beside it, ``STEM.encoder.onnx``. The card
beside them (``STEM.json``) says which belong together and which frames the heads predict;
`pvtpp.predictors.n_head.load` reads it.
"""

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
from pvtpp.inference.torch import TorchEngine
from pvtpp.networks import weights
from pvtpp.networks.n_head import NHeadNetwork, as_engine, as_engines
from pvtpp.predictors.joint import encoder_of

SAMPLES = 20


def publish(
    network: NHeadNetwork,
    path: str | Path,
    kappa: float,
    notes: Mapping[str, Any],
    sides: tuple[int, int] = (7, 31),
    tolerance: float = TOLERANCE,
    compiler: Compiler | None = None,
) -> float:
    """Write weights and card, then the graphs.

    Parameters
    ----------
    network
        The module.
    path
        The graph, ``.onnx``; the other files are written beside it.
    kappa
        Frames per second that heads count in.
    notes
        Entries for the card, such as how the module was trained.
    sides
        For V and MV: sides of the feature maps of template and search region.
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
    card: dict[str, Any] = {**notes, "kappa": kappa}
    if network.config.sees_images:
        beside = encoder_of(path)
        decoder, encoder = as_engines(network, *sides)
        graphs: dict[Path, TorchEngine] = {beside: encoder, path: decoder}
        # The sides are not in the weights, and without them the graphs could not be made again.
        card = {**card, "encoder": beside.name, "sides": list(sides)}
    else:
        graphs = {path: as_engine(network)}

    write = partial(weights.save, network, weights_of(path))
    return publication.publish("paper", path, graphs, difference, write, card, tolerance, compiler)


def difference(engine: Engine, reference: Engine, seed: int = 0) -> float:
    """The largest difference of two engines on random inputs, relative to the scale of their outputs."""
    return largest_difference(engine, reference, partial(_drawn, engine), SAMPLES, seed)


def _drawn(engine: Engine, rng: np.random.Generator) -> dict[str, Any]:
    made: dict[str, Any] = {spec.name: rng.normal(0, 0.3, [int(n or 1) for n in spec.shape]) for spec in engine.inputs}
    if "interval" in made:
        made["interval"] = rng.integers(1, 8, made["interval"].shape)
    return made
