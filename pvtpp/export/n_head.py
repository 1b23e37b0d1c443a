"""The paper's modules as ONNX graphs for one sample, compared with torch before they are kept.

V and MV become two graphs, so that no frame is encoded twice: a decoder and, beside it, ``STEM.encoder.onnx``. The card
beside them (``STEM.json``) says which belong together and which frames the heads predict;
`pvtpp.predictors.n_head.load` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pvtpp.export.agreement import furthest
from pvtpp.export.graph import graph_path, write_checked
from pvtpp.inference.engine import Engine
from pvtpp.networks import weights
from pvtpp.networks.n_head import NHeadNetwork, as_engine, as_engines

TOLERANCE = 1e-5
SAMPLES = 20


def publish(
    network: NHeadNetwork,
    path: str | Path,
    kappa: float,
    notes: Mapping[str, Any],
    sides: tuple[int, int] = (7, 31),
    tolerance: float = TOLERANCE,
) -> float:
    """Write graphs, weights and card.

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
        Largest difference from torch allowed.

    Returns
    -------
    float
        The largest difference between graphs and torch on random inputs, see `difference`.

    Raises
    ------
    InputError
        If it is above `tolerance`, or torch's own output is not finite.
    """
    path = graph_path(path)
    card: dict[str, Any] = {**notes, "kappa": kappa}
    if network.config.sees_images:
        decoder, encoder = as_engines(network, *sides)
        beside = path.with_suffix(".encoder.onnx")
        worst = max(
            write_checked(encoder, beside, difference, tolerance), write_checked(decoder, path, difference, tolerance)
        )
        card["encoder"] = beside.name
    else:
        worst = write_checked(as_engine(network), path, difference, tolerance)
    weights.save(network, path.with_suffix(".safetensors"), {**card, "onnx_against_torch": worst})
    return worst


def difference(engine: Engine, reference: Engine, seed: int = 0) -> float:
    """The largest difference of two engines on random inputs, divided by their largest output if that is above 1."""
    rng, worst = np.random.default_rng(seed), 0.0
    for _ in range(SAMPLES):
        made = {
            spec.name: rng.normal(0, 0.3, [int(n or 1) for n in spec.shape]).astype(np.float32)
            for spec in engine.inputs
        }
        if "interval" in made:
            made["interval"] = rng.integers(1, 8, made["interval"].shape).astype(np.float32)
        worst = float(np.maximum(worst, furthest(engine.run(made), reference.run(made), relative=True)))
    return worst
