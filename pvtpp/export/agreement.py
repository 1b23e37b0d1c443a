"""How much a trained predictor's graph may differ from torch; NaN agrees with nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pvtpp.errors import InputError
from pvtpp.inference.engine import Engine

TOLERANCE = 1e-4
"""Largest difference from torch that is allowed, relative to the scale of each output (see `furthest`).

Graph and torch add float32 numbers in a different order. The rounding grows with the numbers: the committed motion
network differs by 1.2e-6 of the scale, networks trained on a few short clips by up to 5e-6, though by 7e-5 in absolute
terms where their sigma is large. 1e-4 of a target of 100 pixels is a hundredth of a pixel. An operator that was
exported wrongly differs by far more.
"""


def furthest(found: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]) -> float:
    """The largest difference between the outputs of a graph and of torch, relative to the scale of each output.

    The scale of an output is torch's largest absolute value, at least 1: predictors answer in target sizes, so smaller
    values are compared in target sizes.

    Parameters
    ----------
    found, expected
        Outputs of the graph and of torch, by name.

    Returns
    -------
    float
        NaN where the graph alone gives NaN.

    Raises
    ------
    InputError
        Where torch's own output is not finite: such a network must not be published.
    """
    worst = 0.0
    for name, answer in expected.items():
        if not np.isfinite(answer).all():
            raise InputError(
                f"the network answers NaN or infinity ({name}): training diverged, there is nothing to export"
            )
        scale = max(1.0, float(np.abs(answer).max()))
        # np.maximum and not max(), which would drop a NaN.
        worst = float(np.maximum(worst, np.abs(found[name] - answer).max() / scale))
    return worst


def quantities(outputs: Mapping[str, np.ndarray], knots: str) -> dict[str, np.ndarray]:
    """The outputs, with that of the name `knots` split into its quantities, which have scales of their own.

    Parameters
    ----------
    outputs
        Arrays by name.
    knots
        Name of a trajectory's knots, ``(1, 3, knots, 4)``: mean, its derivative, and sigma. A name that `outputs` does
        not have is no error.
    """
    names = ("mean", "derivative", "sigma")
    split = {f"{knots}, {name}": outputs[knots][:, i] for i, name in enumerate(names)} if knots in outputs else {}
    return {**{name: array for name, array in outputs.items() if name != knots}, **split}


def largest_difference(
    engine: Engine,
    reference: Engine,
    draw: Callable[[np.random.Generator], Mapping[str, Any]],
    samples: int,
    seed: int = 0,
    knots: str = "",
) -> float:
    """The largest difference of two engines on random inputs, relative to the scale of their outputs (see `furthest`).

    Parameters
    ----------
    engine, reference
        The graph and torch.
    draw
        Makes the inputs of one sample.
    samples
        How many are drawn.
    seed
        Of the inputs.
    knots
        As in `quantities`.
    """
    rng, worst = np.random.default_rng(seed), 0.0
    for _ in range(samples):
        made = {name: np.asarray(value, np.float32) for name, value in draw(rng).items()}
        found, expected = (quantities(each.run(made), knots) for each in (engine, reference))
        worst = float(np.maximum(worst, furthest(found, expected)))
    return worst
