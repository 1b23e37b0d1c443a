"""The any-time motion network: the last results of any tracker in, a motion law in the horizon out.

The law of each coordinate is a short polynomial in the horizon whose coefficients are sums over the past steps: the net
reads how the target has moved and gives each step its weight (a linear filter chosen anew at every result, of which
constant velocity and every Kalman gain are cases), so what it says is always in proportion to the observed relative motion.
With all learned outputs at zero what is left is the robust constant-velocity law: a fixed mean of the newest velocities.

By construction the answer follows shifts and scalings of the image, mirroring, and swapping the axes: everything is
relative to the last box, both axes go through the same weights, and each is read in the direction it moves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pvtpp.errors import InputError
from pvtpp.inference.engine import TensorSpec
from pvtpp.inference.torch import TorchEngine
from pvtpp.predictors.motion import HORIZONS_S, INPUTS, OUTPUT
from pvtpp.weights.checkpoint import card_of, match, read_weights, write_weights

FORMAT = "pvtpp motion 1"
DEGREE = 3
"""Coefficients in the horizon: the present state's correction, velocity, acceleration."""
NEWEST = (0.1, 0.3, 0.6)
"""Weights of the newest velocities in the robust constant-velocity law, the newest last."""
STANDSTILL = 0.05
"""The share of its typical step below which a target's velocity says little of where it goes."""
TIGHT, WIDE = -9.0, 4.0
LARGEST_CHANGE = 2.0
"""Of a side, as a logarithm: no answer makes a side more than 7.4 times as long or as short."""
START_SIGMA = ((-4.0, -1.5, -4.0), (-5.0, -2.0, -5.0))
"""Where the logarithms of sigma start, for centre and size: now, its growth per second, per (0.3 s)^2."""
# Coordinates of `step` are x, y, w, h (relative); each axis reads its own position and size first, then the other's.
_OWN_FIRST = ((0, 2, 1, 3), (1, 3, 0, 2))


@dataclass(frozen=True)
class MotionConfig:
    """`history`: results looked at. `width` and `depth` of the body."""

    history: int = 16
    width: int = 96
    depth: int = 2

    def __post_init__(self) -> None:
        for name, least in (("history", 5), ("width", 1), ("depth", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise InputError(f"MotionConfig.{name} is {value!r}, allowed is any whole number from {least}")

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class MotionNetwork(nn.Module):
    """`body` and `filter` make the mean, `body` and `spread` sigma.

    Inputs as `pvtpp.predictors.motion` makes them (B: batch, n: steps, one fewer than results, the newest last).

    `step`: ``(B, 4, n)``, ``[dx/w, dy/h, d log w, d log h]`` from result to result, w and h of the newest one; zero where
    there is none. `interval`: ``(B, n)`` seconds, zero where there is none. `score`, `carried`: ``(B, n + 1)``.
    `aspect`: ``(B, 1)``, log w/h of the newest box.
    """

    newest: Tensor
    difference: Tensor
    recent: Tensor
    own_first: Tensor
    horizons: Tensor
    axis: Tensor

    def __init__(self, config: MotionConfig = MotionConfig()):
        super().__init__()
        self.config = config
        steps = config.history - 1
        features = 4 * steps + 2 * steps + 2 * config.history + 12 + 2
        layers: list[nn.Module] = []
        for size in [features] + [config.width] * (config.depth - 1):
            layers += [nn.Linear(size, config.width), nn.SiLU()]
        self.body = nn.Sequential(*layers)
        self.filter = nn.Linear(config.width, 2 * DEGREE * steps)
        self.spread = nn.Linear(config.width, 2 * DEGREE)
        for layer in (self.filter, self.spread):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        with torch.no_grad():
            self.spread.bias.copy_(torch.tensor(START_SIGMA).flatten())
        newest = torch.zeros(steps)
        newest[-len(NEWEST) :] = torch.tensor(NEWEST)
        difference = torch.zeros(steps, steps - 1)
        difference[range(1, steps), range(steps - 1)] = 1.0
        difference[range(steps - 1), range(steps - 1)] = -1.0
        recent = torch.zeros(steps - 1, 2)
        recent[:, 0], recent[-4:, 1] = 1.0, 1.0
        # Constants, not weights: they are made anew and never stored.
        for name, value in (
            ("newest", newest),
            ("difference", difference),
            ("recent", recent),
            ("own_first", torch.tensor(_OWN_FIRST)),
            ("horizons", torch.tensor(HORIZONS_S)[None]),
            ("axis", torch.tensor([[[1.0], [-1.0]]])),
        ):
            self.register_buffer(name, value, persistent=False)

    def law(self, step: Tensor, interval: Tensor, score: Tensor, carried: Tensor, aspect: Tensor) -> tuple[Tensor, ...]:
        """``(coefficient, spread, unit)``: ``(B, 3, 4)``, ``(B, 3, 4)``, and the time ``(B, 1)`` horizons are counted in."""
        present = (interval > 0).to(step.dtype)
        newest = (self.newest + 1e-6) * present
        newest = newest / (newest.sum(1, keepdim=True) + 1e-9)
        # The recent interval, and no less than what keeps the coefficients of a fast camera moderate.
        unit = (interval * newest).sum(1, keepdim=True) + 0.02 + 0.05 * (1 - present[:, -1:])
        moved = step * (unit * present / (interval + (1 - present)))[:, None]
        straight = (moved * newest[:, None]).sum(2)

        count = present.sum(1, keepdim=True) + 0.01
        power = (moved * moved).sum(2) / count + 1e-6
        turns = (moved @ self.difference) * present[:, None, :-1]
        turning = (turns * turns) @ self.recent / (present[:, :-1] @ self.recent + 0.01)[:, None] + 1e-6
        logs = torch.log(torch.cat([power[..., None], turning], 2))
        scale = 0.5 * torch.cat([logs[..., :1], logs[..., 1:] - logs[..., :1]], 2)
        # Which way each axis is read, without a jump where the target stands still.
        facing = torch.tanh(straight[:, :2] * torch.rsqrt(power[:, :2]) / STANDSTILL)
        facing = torch.cat([facing, torch.ones_like(facing)], 1)
        shape = moved * (facing * torch.rsqrt(power))[..., None]
        shared = torch.cat([torch.clamp(interval / unit, max=6.0), present, score, carried, torch.log(unit)], 1)
        features = torch.cat(
            [
                shape[:, self.own_first].flatten(2),
                scale[:, self.own_first].flatten(2),
                torch.stack([shared, shared], 1),
                aspect[:, None] * self.axis,
            ],
            2,
        )
        hidden = self.body(features)
        steps = self.config.history - 1
        weights = self.filter(hidden).reshape(-1, 4, DEGREE, steps)
        # x, w, y, h: as the axes come out of the body.
        order = [0, 2, 1, 3]
        coefficient = (weights @ moved[:, order][..., None])[..., 0]
        base = torch.stack([torch.zeros_like(straight), straight, torch.zeros_like(straight)], 1)
        coefficient = coefficient[:, order].transpose(1, 2) + base
        spread = self.spread(hidden).reshape(-1, 4, DEGREE)[:, order].transpose(1, 2)
        return coefficient, spread, unit

    def forward(self, step: Tensor, interval: Tensor, score: Tensor, carried: Tensor, aspect: Tensor) -> Tensor:
        """``(B, 3, knots, 4)``: mean ``[dx/w, dy/h, w'/w, h'/h]``, its derivative per second, and sigma, all in sizes of the
        newest box."""
        return self.knots(*self.law(step, interval, score, carried, aspect))

    def knots(self, coefficient: Tensor, spread: Tensor, unit: Tensor) -> Tensor:
        """What `forward` gives, of a law as `law` gives it."""
        u = self.horizons / unit
        one = torch.ones_like(u)
        slope = torch.stack([torch.zeros_like(u), one, 2 * u], 2) / unit[..., None]
        mean, derivative = torch.stack([one, u, u * u], 2) @ coefficient, slope @ coefficient
        sides = torch.exp(torch.clamp(mean[..., 2:], -LARGEST_CHANGE, LARGEST_CHANGE))
        mean = torch.cat([mean[..., :2], sides], 2)
        derivative = torch.cat([derivative[..., :2], derivative[..., 2:] * sides], 2)
        return torch.stack([mean, derivative, sigma_at(spread, self.horizons)], 1)

    def engine(self, device: str = "cpu") -> TorchEngine:
        """The network as an `Engine`, one track at a time, as the committed graph is."""
        return TorchEngine(self, *specs(self.config), device=device, source="MotionNetwork")


def mean_at(coefficient: Tensor, unit: Tensor, horizon: Tensor) -> Tensor:
    """The relative mean at horizons ``(B, H)`` seconds: ``(B, H, 4)``."""
    u = horizon / unit
    return torch.stack([torch.ones_like(u), u, u * u], 2) @ coefficient


def sigma_at(spread: Tensor, horizon: Tensor) -> Tensor:
    """Relative standard deviations at horizons ``(B or 1, H)`` seconds: ``(B, H, 4)``; variances of three kinds add up."""
    powers = torch.stack([torch.ones_like(horizon), horizon**2, (horizon / 0.3) ** 4], 2)
    return torch.sqrt(powers @ torch.exp(2 * torch.clamp(spread, TIGHT, WIDE)) + 1e-8)


def specs(config: MotionConfig) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Inputs and outputs for one track."""
    n, knots, dtype = config.history - 1, len(HORIZONS_S), np.dtype(np.float32)
    shapes = ((1, 4, n), (1, n), (1, n + 1), (1, n + 1), (1, 1))
    inputs = tuple(TensorSpec(name, shape, dtype) for name, shape in zip(INPUTS, shapes, strict=True))
    return inputs, (TensorSpec(OUTPUT, (1, 3, knots, 4), dtype),)


def save(network: MotionNetwork, path: str | Path, notes: Mapping[str, Any] | None = None) -> None:
    """Write `path` (``.safetensors``) and the card beside it: format, configuration and `notes` (anything JSON takes)."""
    write_weights(path, network.state_dict(), {**(notes or {}), "format": FORMAT, "config": network.config.as_dict()})


def load(path: str | Path) -> tuple[MotionNetwork, dict[str, Any]]:
    """The network in evaluation mode, and its card. Raises InputError where files are missing, damaged or of another kind."""
    tensors, card = read_weights(path)
    if not isinstance(card, dict) or card.get("format") != FORMAT or not isinstance(card.get("config"), dict):
        found = card.get("format") if isinstance(card, dict) else type(card).__name__
        raise InputError(f"{card_of(path)}: format is {found!r}, expected {FORMAT!r} with a config")
    try:
        network = MotionNetwork(MotionConfig(**card["config"]))
    except TypeError as error:
        raise InputError(f"{card_of(path)}: {error}; known are {', '.join(MotionConfig.__dataclass_fields__)}") from None
    network.load_state_dict(match(network.state_dict(), tensors, str(path), "a motion network"))
    return network.eval(), card
