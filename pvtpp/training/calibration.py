"""Teaching a motion network how wrong it is: sigma's own loss, and a last pass in which only sigma learns."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from pvtpp.errors import InputError
from pvtpp.networks.motion import DEGREE, MotionNetwork, mean_at, sigma_at
from pvtpp.predictors.motion import INPUTS
from pvtpp.training.tracker_error import ErrorModel
from pvtpp.training.windows import BoxPool, WindowConfig, sample, tensors

HALF, NINE_TENTHS = 0.67449, 1.64485
"""Half of a Gaussian's values lie within .674 standard deviations, 90 % within 1.645."""
STRETCHES = (1.0, 1.1, 1.2, 1.3, 1.4, 1.5)
SHIFTS = tuple(0.04 * step for step in range(-10, 6))
TEMPER_WINDOWS = 6000
LEAST_ERROR = 2e-4
"""Errors below this share of the target's size are as good as none: annotations are in pixels."""


def calibration_loss(error: Tensor, sigma: Tensor, weights: tuple[float, float] = (1.0, 2.0)) -> Tensor:
    """Pinball losses of log |error| at the two quantiles that sigma has to hold: lowest where 50 % lie within .674 sigma and
    90 % within 1.645 sigma, whatever the tails."""
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
        carrying=0.0,
        doubting=0.0,
        absent=0.01,
        starting=0.02,
        rounded=0.3,
        interpolated=0.0,
        error=ErrorModel(shares=(1 / 6, 5 / 6, 0.0, 0.0)),
    )


@dataclass(frozen=True)
class Calibration:
    """`steps` of `count` windows. `weights` of the 50 % and the 90 % interval."""

    windows: WindowConfig = field(default_factory=_online)
    steps: int = 1000
    count: int = 2048
    learning_rate: float = 3e-3
    weights: tuple[float, float] = (1.0, 2.0)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 1 or self.count < 1:
            raise InputError(f"Calibration: steps and count must be at least 1, got {self.steps} and {self.count}")


def calibrate(network: MotionNetwork, config: Calibration, xywh: Sequence[np.ndarray]) -> MotionNetwork:
    """A copy of the network whose sigma holds on these annotations (arrays as `BoxPool` takes them), best ones that the
    network has not learnt from. Its means are what they were."""
    if config.windows.results != network.config.history:
        raise InputError(
            f"Calibration: windows have {config.windows.results} results, the network looks at {network.config.history}"
        )
    made, pool = copy.deepcopy(network).requires_grad_(False), BoxPool(xywh)
    optimizer = torch.optim.Adam(made.spread.requires_grad_(True).parameters(), lr=config.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.steps)
    for step in range(config.steps):
        batch = tensors(sample(pool, config.windows, np.random.default_rng([config.seed, step]), config.count))
        coefficient, spread, unit = made.law(*(batch[name] for name in INPUTS))
        # All but the last horizon are those at which the online benchmark asks.
        horizon, truth, weight = (batch[name][:, :-1] for name in ("horizon", "truth", "weight"))
        error = (mean_at(coefficient, unit, horizon) - truth).detach()
        loss = (calibration_loss(error, sigma_at(spread, horizon), config.weights).mean(-1) * weight).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return made.eval()


def temper(
    network: MotionNetwork, config: Calibration, groups: Sequence[Sequence[np.ndarray]], skips: Sequence[int]
) -> MotionNetwork:
    """A copy whose log sigma is stretched and shifted, for centre and size apart, so that coverage comes nearest to 50 %
    and 90 % on every group of annotations at every skip.

    No loss over all windows does this: where targets are calm most errors are none at all, where they are not the tails
    are heavy, and one sigma is the compromise of both. Stretching moves calm and lively windows in opposite directions.
    """
    made, parts = copy.deepcopy(network).requires_grad_(False), []
    for number, (group, skip) in enumerate((group, skip) for group in groups for skip in skips):
        windows = replace(config.windows, skips=(skip,), skip_shares=(1.0,), rounded=0.0, starting=0.0)
        batch = tensors(sample(BoxPool(group), windows, np.random.default_rng([config.seed, 1, number]), TEMPER_WINDOWS))
        coefficient, spread, unit = made.law(*(batch[name] for name in INPUTS))
        horizon = batch["horizon"][:, :-1]
        error = (mean_at(coefficient, unit, horizon) - batch["truth"][:, :-1]).abs()
        parts.append((error, spread, horizon, batch["weight"][:, :-1] > 0))
    for pair in (slice(0, 2), slice(2, 4)):
        centre = torch.cat([spread[:, :2, pair].flatten() for _, spread, _, _ in parts]).mean().item()
        best = (math.inf, 1.0, 0.0)
        for stretch, shift in itertools.product(STRETCHES, SHIFTS):
            misses = []
            for error, spread, horizon, counts in parts:
                sigma = sigma_at(centre + shift + stretch * (spread - centre), horizon)
                ratio = (error / sigma)[..., pair][counts]
                misses += [
                    ((ratio <= bound).float().mean().item() - share) / allowed
                    for bound, share, allowed in ((HALF, 0.5, 0.05), (NINE_TENTHS, 0.9, 0.04))
                ]
            best = min(best, (float(np.mean(np.square(misses))), stretch, shift))
        _, stretch, shift = best
        # Rows of the layer: position and size, each with its three kinds of variance.
        rows = slice(0, DEGREE) if pair.start == 0 else slice(DEGREE, 2 * DEGREE)
        made.spread.weight[rows] *= stretch
        made.spread.bias[rows] = made.spread.bias[rows] * stretch + centre * (1 - stretch) + shift
    return made.eval()
