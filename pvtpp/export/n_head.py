"""The paper's modules as ONNX graphs for one sample, checked against torch before they are kept.

V and MV become two, so that no frame is encoded twice: a decoder and, beside it, ``STEM.encoder.onnx``. The card next to them
(``STEM.json``) says which belong together and which frames the heads speak for; `pvtpp.predictors.n_head.load` reads it.
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
    """Write graphs, weights and card to `path` (``.onnx``) and beside it; returns the largest difference to torch on random
    inputs, InputError above `tolerance`. `kappa`: frames per second that heads count in. `sides` of the feature maps of
    template and search region, for V and MV.
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
    """The largest difference between two engines of the same inputs, in parts of their largest answer where that is over 1."""
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
