"""Calibration of the motion network's sigma: its loss, and a final pass in which only sigma's layers learn."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from pvtpp import validation
from pvtpp.errors import InputError
from pvtpp.networks.motion import MotionNetwork, mean_at, sigma_at
from pvtpp.predictors.motion import INPUTS, WITHIN
from pvtpp.training.draw import Draw, usable
from pvtpp.training.rules import SEED
from pvtpp.training.tracker_error import ErrorModel
from pvtpp.training.windows import BoxPool, WindowConfig, sample, tensors
from pvtpp.validation import above, holds

HALF, NINE_TENTHS = (bound for _, bound in WITHIN)
PURPOSE = "to calibrate sigma on"
REPORTED = 500
"""Steps between two lines of progress."""
LEAST_ERROR = 2e-4
"""Smaller errors, in target sizes, count as this one: annotations are rounded to pixels."""


def calibration_loss(error: Tensor, sigma: Tensor, weights: tuple[float, float] = (1.0, 2.0)) -> Tensor:
    """Loss of a predicted standard deviation, lowest where its 50 % and 90 % intervals hold.

    The pinball loss of ``log |error / sigma|`` at both quantiles: it is lowest where 50 % of the errors are within
    `HALF` sigma and 90 % within `NINE_TENTHS` sigma.

    Parameters
    ----------
    error
        Error of the predicted mean, in target sizes.
    sigma
        Predicted standard deviation, same shape and unit.
    weights
        Of the 50 % and of the 90 % quantile.

    Returns
    -------
    Tensor
        Loss of every element, same shape.
    """
    ratio = torch.log(error.abs() + LEAST_ERROR) - torch.log(sigma)
    total = torch.zeros_like(ratio)
    for quantile, bound, weight in zip((0.5, 0.9), (HALF, NINE_TENTHS), weights, strict=True):
        above = ratio - math.log(bound)
        total = total + weight * torch.maximum(quantile * above, (quantile - 1) * above)
    return total


def _online() -> WindowConfig:
    """Windows as the online benchmark has them: 30 fps cameras, and one window without error to five with 2 % noise."""
    return WindowConfig(
        fps30=1.0,
        processing_s=(0.018, 0.2),
        skips=(1, 2, 3, 4),
        skip_shares=(0.4, 0.25, 0.25, 0.1),
        jittery=0.0,
        dropping=0.0,
        carrying=0.2,
        doubting=0.0,
        absent=0.01,
        starting=0.02,
        rounded=0.3,
        interpolated=0.0,
        error=ErrorModel(shares=(1 / 6, 5 / 6, 0.0, 0.0)),
    )


@dataclass(frozen=True)
class Calibration:
    """How sigma is calibrated.

    Attributes
    ----------
    windows
        What windows are drawn.
    drawn
        Windows drawn once, at the start.
    steps, count
        Optimizer steps, and how many of the drawn windows each of them uses.
    learning_rate
        At the first step; falls to 0 with a cosine.
    weights
        Of the 50 % and the 90 % interval in the loss.
    seed
        Of every random draw.

    Raises
    ------
    InputError
        For a value out of range.
    """

    windows: WindowConfig = field(default_factory=_online)
    drawn: int = 98304
    steps: int = 3000
    count: int = 2048
    learning_rate: float = 3e-3
    weights: tuple[float, float] = (1.0, 2.0)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 1 or not 1 <= self.count <= self.drawn:
            found = f"{self.steps} steps, {self.count} of {self.drawn} drawn"
            raise InputError(f"Calibration: steps must be at least 1 and count from 1 to drawn, got {found}")
        weights = holds("numbers from 0, one of them above", lambda w: min(w) >= 0 and 0 < sum(w) < math.inf)
        validation.check(self, {"learning_rate": above(0), "seed": SEED, "weights": weights})


def check(config: Calibration, history: int, xywh: Sequence[np.ndarray]) -> float:
    """Check that a network can be calibrated on these annotations, before the time is spent to train it.

    Parameters
    ----------
    config
        How sigma is calibrated.
    history
        Results that the network reads.
    xywh
        Annotated boxes, as `BoxPool` takes them.

    Returns
    -------
    float
        The share of windows that can be used, in [0, 1].

    Raises
    ------
    InputError
        If no window can be used, or windows have another number of results than `history`.
    """
    if config.windows.results != history:
        raise InputError(f"Calibration: windows have {config.windows.results} results, the network looks at {history}")
    return usable(Draw(_windows, BoxPool(xywh), config.windows), PURPOSE, config.seed)


def calibrate(
    network: MotionNetwork,
    config: Calibration,
    xywh: Sequence[np.ndarray],
    progress: Callable[[str], None] | None = None,
) -> MotionNetwork:
    """A copy of the network whose sigma fits its errors on these annotations; the predicted means stay the same.

    Parameters
    ----------
    network
        The trained network.
    config
        How sigma is calibrated.
    xywh
        Annotated boxes as `BoxPool` takes them, preferably ones that the network has not learnt from.
    progress
        Called with a line now and then: it takes a minute or two.

    Raises
    ------
    InputError
        As `check`.
    """
    check(config, network.config.history, xywh)
    made = copy.deepcopy(network).requires_grad_(False)
    features, errors = _errors(made, config, BoxPool(xywh))
    learning = [*made.doubt.requires_grad_(True).parameters(), *made.spread.requires_grad_(True).parameters()]
    optimizer = torch.optim.Adam(learning, lr=config.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.steps)
    rng = np.random.default_rng([config.seed, 2])
    for step in range(config.steps):
        if progress and step % REPORTED == 0:
            progress(f"sigma is calibrated on held-out boxes: step {step} of {config.steps}")
        some = torch.from_numpy(rng.integers(len(features), size=config.count))
        error, horizon, weight = (each[some] for each in errors)
        sigma = sigma_at(made.spreads(*made.hidden(features[some], made.doubt)), horizon)
        loss = (calibration_loss(error, sigma, config.weights).mean(-1) * weight).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return made.eval()


def _windows(pool: BoxPool, windows: WindowConfig, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
    return tensors(sample(pool, windows, rng, count))


def _errors(network: MotionNetwork, config: Calibration, pool: BoxPool) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Features of all drawn windows, and the error, horizon and weight of the mean at every horizon asked.

    The means do not change during calibration, so all of this is computed once.
    """
    features, errors = [], []
    for number in range(-(-config.drawn // config.count)):
        batch = _windows(pool, config.windows, np.random.default_rng([config.seed, 0, number]), config.count)
        inputs = [batch[name] for name in INPUTS]
        coefficient, _, unit = network.motion_model(*inputs)
        # At all horizons but the last the trajectory is the newest: there the online benchmark asks.
        horizon, truth, weight = (batch[name][:, :-1] for name in ("horizon", "truth", "weight"))
        features.append(network.read(*inputs).features)
        errors.append((mean_at(coefficient, unit, horizon) - truth, horizon, weight))
    error, horizon, weight = (torch.cat(parts) for parts in zip(*errors, strict=True))
    return torch.cat(features), (error, horizon, weight)
