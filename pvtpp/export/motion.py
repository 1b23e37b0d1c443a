"""The motion network as an ONNX graph for one track, checked against torch before it is kept."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pvtpp import inference
from pvtpp.errors import InputError
from pvtpp.files import whole_file
from pvtpp.networks.motion import MotionNetwork, save, specs
from pvtpp.predictors.motion import OUTPUT

TOLERANCE = 1e-5
OPSET = 13


def export(network: MotionNetwork, path: str | Path, tolerance: float = TOLERANCE) -> float:
    """Write the graph to `path` and return the largest difference to torch on random tracks; InputError above `tolerance`."""
    path = Path(path)
    inputs, _ = specs(network.config)
    network = network.cpu().eval()
    example = tuple(torch.full([int(n or 1) for n in spec.shape], 0.05) for spec in inputs)
    with whole_file(path, keep_extension=True) as partial:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            names = [spec.name for spec in inputs]
            torch.onnx.export(
                network, example, partial, input_names=names, output_names=[OUTPUT], dynamo=False, opset_version=OPSET
            )
        worst = difference(network, partial)
        if not worst <= tolerance:
            raise InputError(f"{path}: the graph differs from torch by {worst:.2e}, allowed is {tolerance:.0e}")
    return worst


def publish(network: MotionNetwork, path: str | Path, card: Mapping[str, Any]) -> float:
    """Write the graph to `path`, and beside it the weights and the card that says how they were made; returns what `export`
    does, which the card holds too."""
    worst = export(network, path)
    save(network, Path(path).with_suffix(".safetensors"), {**card, "onnx_against_torch": worst})
    return worst


def difference(network: MotionNetwork, path: str | Path, tracks: int = 50, seed: int = 0) -> float:
    """The largest difference between torch and the graph at `path` over random tracks, relative units."""
    rng = np.random.default_rng(seed)
    engine, reference = inference.load(path), network.engine()
    worst = 0.0
    shapes = {spec.name: [int(n or 1) for n in spec.shape] for spec in engine.inputs}
    for _ in range(tracks):
        made = {name: np.zeros(shape) for name, shape in shapes.items()}
        past = rng.integers(0, shapes["interval"][1] + 1)
        made["interval"][:, past:] = rng.uniform(0.01, 0.2, made["interval"][:, past:].shape)
        # Of a target that moves by about half its size in a second, and a tracker that errs by a few hundredths of it.
        moved = rng.normal(0, 0.5, (1, 4, 1)) * made["interval"] + rng.normal(0, 0.03, shapes["step"])
        made["step"] = moved * (made["interval"] > 0)
        made["score"][:, past + 1 :], made["aspect"] = 1.0, rng.normal(0, 0.5, shapes["aspect"])
        if rng.random() < 0.5:
            made["innovation"] = rng.normal(0, 0.03, shapes["step"]) * (made["interval"] > 0)
            made["quality"] = rng.uniform(0.1, 1.0, shapes["quality"]) * (made["interval"] > 0)
        made = {name: value.astype(np.float32) for name, value in made.items()}
        worst = max(worst, float(np.abs(engine.run(made)[OUTPUT] - reference.run(made)[OUTPUT]).max()))
    return worst
