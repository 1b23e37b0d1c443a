"""Teaching a motion network how wrong it is: sigma's own loss, and a last pass in which only sigma learns."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
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
LEAST_ERROR = 2e-4
"""Errors below this share of the target's size are as good as none: annotations are in pixels."""


def calibration_loss(error: Tensor, sigma: Tensor, weights: tuple[float, float] = (1.0, 2.0)) -> Tensor:
    """Pinball losses of log |error| at the two quantiles that sigma has to hold: lowest where 50 % lie within `HALF` sigma and
    90 % within `NINE_TENTHS` sigma."""
    ratio = torch.log(error.abs() + LEAST_ERROR) - torch.log(sigma)
    total = torch.zeros_like(ratio)
    for quantile, bound, weight in zip((0.5, 0.9), (HALF, NINE_TENTHS), weights, strict=True):
        above = ratio - math.log(bound)
        total = total + weight * torch.maximum(quantile * above, (quantile - 1) * above)
    return total


def _online() -> WindowConfig:
    """Cameras at 30 fps and results as the online benchmark has them: one truth to five draws of 2 % noise."""
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
    """`drawn` windows, of which each of `steps` takes `count`. `weights` of the 50 % and the 90 % interval."""

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
    """The share of windows of these annotations that calibration can use; InputError where there is none, or a network that
    looks at `history` results is none to calibrate so. For those who train first: sooner is better."""
    if config.windows.results != history:
        raise InputError(f"Calibration: windows have {config.windows.results} results, the network looks at {history}")
    return usable(Draw(_windows, BoxPool(xywh), config.windows), PURPOSE, config.seed)


def calibrate(network: MotionNetwork, config: Calibration, xywh: Sequence[np.ndarray]) -> MotionNetwork:
    """A copy of the network whose sigma holds on these annotations (arrays as `BoxPool` takes them), best ones that the
    network has not learnt from. Its means are what they were. Raises InputError as `check` does."""
    check(config, network.config.history, xywh)
    made = copy.deepcopy(network).requires_grad_(False)
    features, errors = _errors(made, config, BoxPool(xywh))
    learning = [*made.doubt.requires_grad_(True).parameters(), *made.spread.requires_grad_(True).parameters()]
    optimizer = torch.optim.Adam(learning, lr=config.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.steps)
    rng = np.random.default_rng([config.seed, 2])
    for _ in range(config.steps):
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
    """What the network reads of each window, and the error of its mean, the horizon and the weight of what is asked there: the
    means stay as they are, so all this is computed once."""
    features, errors = [], []
    for number in range(-(-config.drawn // config.count)):
        batch = _windows(pool, config.windows, np.random.default_rng([config.seed, 0, number]), config.count)
        inputs = [batch[name] for name in INPUTS]
        coefficient, _, unit = network.motion_model(*inputs)
        # All but the last horizon are those at which the online benchmark asks.
        horizon, truth, weight = (batch[name][:, :-1] for name in ("horizon", "truth", "weight"))
        features.append(network.read(*inputs).features)
        errors.append((mean_at(coefficient, unit, horizon) - truth, horizon, weight))
    error, horizon, weight = (torch.cat(parts) for parts in zip(*errors, strict=True))
    return torch.cat(features), (error, horizon, weight)
