"""The motion network as an ONNX graph for one track, compared with torch before it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pvtpp import inference
from pvtpp.export.agreement import furthest
from pvtpp.export.graph import write_checked
from pvtpp.inference.engine import Engine
from pvtpp.networks.motion import MotionNetwork, save

TOLERANCE = 1e-5


def export(network: MotionNetwork, path: str | Path, tolerance: float = TOLERANCE) -> float:
    """Write the graph alone.

    Parameters
    ----------
    network
        The network.
    path
        The ``.onnx`` file.
    tolerance
        Largest difference from torch allowed.

    Returns
    -------
    float
        The largest difference from torch on random tracks.

    Raises
    ------
    InputError
        If it is above `tolerance`, or torch's own output is not finite.
    """
    engine = network.cpu().eval().engine()
    return write_checked(engine, Path(path), _difference, tolerance)


def publish(network: MotionNetwork, path: str | Path, card: Mapping[str, Any]) -> float:
    """Write the graph, the weights and the card beside it; returns what `export` returns, which the card holds too."""
    worst = export(network, path)
    save(network, Path(path).with_suffix(".safetensors"), {**card, "onnx_against_torch": worst})
    return worst


def difference(network: MotionNetwork, path: str | Path, tracks: int = 50, seed: int = 0) -> float:
    """The largest difference between torch and the graph at `path` on random tracks, in sizes of the last box."""
    return _difference(inference.load(path), network.engine(), tracks, seed)


def _difference(engine: Engine, reference: Engine, tracks: int = 50, seed: int = 0) -> float:
    rng, worst = np.random.default_rng(seed), 0.0
    shapes = {spec.name: [int(n or 1) for n in spec.shape] for spec in engine.inputs}
    for _ in range(tracks):
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
        made = {name: value.astype(np.float32) for name, value in made.items()}
        worst = float(np.maximum(worst, furthest(engine.run(made), reference.run(made))))
    return worst
