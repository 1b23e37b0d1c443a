"""The motion network: the last results of any tracker in, a motion model in the horizon out.

The motion model of each coordinate is a short polynomial in the horizon. Its coefficients are weighted sums of the past
steps, and the network computes the weights from how the target has moved: a linear filter chosen anew at every result,
of which constant velocity and every Kalman gain are special cases. So the output is always in proportion to the
observed relative motion. With all learned outputs at zero what remains is the robust constant-velocity model: a fixed
weighted mean of the newest velocities.

By construction the output is equivariant to shifts and scalings of the image, to mirroring, and to swapping the axes:
everything is relative to the last box, both axes go through the same weights, and each axis is read in the direction in
which the target moves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn

from pvtpp.errors import InputError
from pvtpp.inference.engine import TensorSpec
from pvtpp.inference.torch import TorchEngine
from pvtpp.networks.rules import count_from
from pvtpp.predictors.motion import HORIZONS_S, OUTPUT, input_shapes
from pvtpp.validation import check
from pvtpp.weights.checkpoint import card_of, read_network, restored, write_network

FORMAT = "pvtpp motion 2"
DEGREE = 3
"""Coefficients of the polynomial in the horizon: correction of the present state, velocity, acceleration."""
NEWEST = (0.1, 0.3, 0.6)
"""Weights of the newest velocities in the robust constant-velocity model, the newest last."""
LEAST_UNIT_S, FRESH_UNIT_S = 0.02, 0.07
"""Seconds added to the recent interval, to keep coefficients of a fast camera moderate; the unit without any past."""
LONGEST = 6.0
"""Intervals are cut off here, in units of time."""
ROWS = 6
"""Facts of each step besides its motion."""
RECENT = 4
"""Newest changes of velocity, which show how restless the target is now."""
LEAST_POWER = 1e-6
STANDSTILL = 0.05
"""Below this share of a target's typical step its velocity says little about its direction."""
TIGHT, WIDE = -9.0, 4.0
LARGEST_CHANGE = 2.0
"""Limit of the logarithm of a side's change: no prediction makes a side more than 7.4 times as long or as short."""
START_SIGMA = ((-4.0, -1.5, -4.0), (-5.0, -2.0, -5.0))
"""Initial logarithms of sigma's terms, for centre and size: now, its growth per second, per (0.3 s)^2."""
# Rows combine the logarithms of five powers: motion, innovation, changes of velocity, recent ones, the largest one.
_RATIOS = (
    (1.0, 0.0, 0.0, 0.0, 0.0),
    (-1.0, 1.0, 0.0, 0.0, 0.0),
    (-1.0, 0.0, 1.0, 0.0, 0.0),
    (-1.0, 0.0, 0.0, 1.0, 0.0),
    (0.0, 0.0, -1.0, 0.0, 1.0),
)


@dataclass(frozen=True)
class MotionConfig:
    """Sizes of the motion network.

    Attributes
    ----------
    history
        Results read, at least 6.
    width, depth
        Of the body, which makes the mean.
    doubt
        Width of the layer behind sigma.

    Raises
    ------
    InputError
        For a value out of range.
    """

    history: int = 16
    width: int = 96
    depth: int = 2
    doubt: int = 32

    def __post_init__(self) -> None:
        check(self, {"history": count_from(6), **dict.fromkeys(("width", "depth", "doubt"), count_from(1))})

    def as_dict(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


class Reading(NamedTuple):
    """The network's inputs, normalised, before any weight. n is the number of steps.

    Attributes
    ----------
    features
        As the x axis reads them, ``(B, F)``.
    motion
        For x, y, w, h: how far each step goes in a unit of time, then its innovation, ``(B, 4, 2 n)``.
    straight
        How far the robust constant-velocity model goes in a unit of time, ``(B, 4, 1)``.
    unit
        The unit of time, seconds, ``(B, 1, 1)``.
    """

    features: Tensor
    motion: Tensor
    straight: Tensor
    unit: Tensor


class MotionNetwork(nn.Module):
    """`body` and `filter` make the mean, `doubt` and `spread` make sigma; neither learns from the other's loss.

    Inputs are those that `pvtpp.predictors.motion` makes, for B tracks.
    """

    newest: Tensor
    sums: Tensor
    least: Tensor
    difference: Tensor
    recent: Tensor
    halves: Tensor
    ratios: Tensor
    swapped: Tensor
    mirrored: Tensor
    sided: Tensor
    velocity: Tensor
    powers: Tensor
    basis: Tensor
    horizons: Tensor

    def __init__(self, config: MotionConfig = MotionConfig()):
        super().__init__()
        self.config = config
        n, width = config.history - 1, config.width
        swapped, mirrored = _other_axis(n)
        self.body = nn.ModuleList(
            [nn.Linear(len(swapped), width)] + [nn.Linear(width, width) for _ in range(config.depth - 1)]
        )
        self.doubt = nn.Linear(len(swapped), config.doubt)
        self.filter = nn.Linear(width, 2 * DEGREE * 2 * n)
        self.spread = nn.Linear(config.doubt, 2 * DEGREE)
        for layer in (self.filter, self.spread):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        with torch.no_grad():
            self.spread.bias.copy_(torch.tensor(START_SIGMA).flatten())
        newest, difference, recent = torch.zeros(n), torch.zeros(n, n - 1), torch.zeros(n - 1, 2)
        newest[-len(NEWEST) :] = torch.tensor(NEWEST)
        difference[range(1, n), range(n - 1)], difference[range(n - 1), range(n - 1)] = 1.0, -1.0
        recent[:, 0], recent[-RECENT:, 1] = 1.0, 1.0
        # Sums over the steps that exist: of their weights in the newest velocities, and of the counts that the powers
        # below are divided by.
        all_of, turns = torch.ones(n, 1), torch.cat([recent, torch.zeros(1, 2)])
        sums = torch.cat([newest[:, None], all_of, all_of, turns, torch.zeros(n, 1)], 1)
        h = torch.tensor(HORIZONS_S)
        one, zero = torch.ones_like(h), torch.zeros_like(h)
        # Constants, not weights, so they are not in the state dict.
        for name, value in (
            ("newest", newest),
            ("sums", sums),
            ("least", torch.tensor([1e-9, 0.01, 0.01, 0.01, 0.01, 1.0])),
            ("difference", difference),
            ("recent", recent),
            ("halves", torch.eye(2).repeat_interleave(n, 0)),
            ("ratios", 0.5 * torch.tensor(_RATIOS).T),
            ("swapped", swapped),
            ("mirrored", mirrored),
            ("sided", torch.tensor([[0.0], [0.0], [1.0], [1.0]])),
            ("velocity", torch.tensor([0.0, 1.0, 0.0])),
            ("powers", -torch.arange(float(DEGREE))[:, None]),
            ("basis", torch.cat([torch.stack([one, h, h * h], 1), torch.stack([zero, one, 2 * h], 1)])),
            ("horizons", h[None]),
        ):
            self.register_buffer(name, value, persistent=False)

    def read(
        self,
        step: Tensor,
        innovation: Tensor,
        interval: Tensor,
        score: Tensor,
        propagated: Tensor,
        quality: Tensor,
        aspect: Tensor,
    ) -> Reading:
        """Normalise the inputs.

        The arithmetic is written for a graph of few operations: for one track every operation costs the same, whatever
        its size.

        Parameters
        ----------
        step
            Motion between consecutive results, relative to the last box, ``(B, 4, n)``.
        innovation
            What the tracker's result adds to a measured displacement, ``(B, 4, n)``.
        interval
            Seconds between results, 0 where there was none, ``(B, n)``.
        score
            Scores of the results, ``(B, n + 1)``.
        propagated
            1 for propagated boxes, ``(B, n + 1)``.
        quality
            Of the measured displacements, 0 where there is none, ``(B, n)``.
        aspect
            Logarithm of the last box's width over its height, ``(B, 1)``.
        """
        times = interval[:, None]
        present = (times > 0).to(step.dtype)
        recently, counted = (torch.cat([times, present], 1) @ self.sums).split(1, 1)
        counted = counted + self.least
        weight, counts = counted.split([1, len(_RATIOS)], 2)
        # Without any step this is FRESH_UNIT_S.
        unit = (recently[..., :1] + 1e-9 * (FRESH_UNIT_S - LEAST_UNIT_S)) / weight + LEAST_UNIT_S
        newest, paces = present * self.newest / weight, times / unit
        moved = step / (paces + 1e-9)
        motion = torch.cat([moved, innovation], 2)
        straight = (moved * newest).sum(2, keepdim=True)

        turns = (moved @ self.difference) * present[..., :-1]
        turns = turns * turns
        totals = torch.cat([(motion * motion) @ self.halves, turns @ self.recent, turns.amax(2, keepdim=True)], 2)
        powers = totals / counts + LEAST_POWER
        scale = torch.rsqrt(powers[..., :2])
        # The direction in which each axis is read, continuous where the target stands still; sides have one direction.
        facing = torch.tanh(straight * scale[..., :1] / STANDSTILL) * (1 - self.sided) + self.sided
        shape = motion * ((scale * facing) @ self.halves.T)
        logs = torch.log(powers) @ self.ratios
        rows = torch.cat([paces.clamp(max=LONGEST), present, newest], 2)
        facts = [score[:, 1:], propagated[:, 1:], quality, torch.log(unit).flatten(1), aspect]
        features = torch.cat([shape.flatten(1), logs.flatten(1), rows.flatten(1), *facts], 1)
        return Reading(features, motion, straight, unit)

    def motion_model(self, *inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The motion model of each track.

        Parameters
        ----------
        inputs
            In the order of `INPUTS`, see `read`.

        Returns
        -------
        coefficient : Tensor
            Of the polynomial in the horizon, for x, y, w, h: ``(B, 3, 4)``.
        spread : Tensor
            Logarithms of sigma's terms, ``(B, 3, 4)``.
        unit : Tensor
            Seconds in which the polynomial counts the horizon, ``(B, 1)``.
        """
        features, motion, straight, unit = self.read(*inputs)
        hidden, doubt = self.hidden(features, cast(nn.Linear, self.body[0]), self.doubt)
        for layer in list(self.body)[1:]:
            hidden = nn.functional.silu(layer(hidden))
        # From position and size of both axes to x, y, w, h.
        weights = self.filter(hidden).reshape(-1, 2, 2, DEGREE, motion.shape[2]).transpose(1, 2).flatten(1, 2)
        coefficient = (weights @ motion[..., None])[..., 0] + straight * self.velocity
        return coefficient.transpose(1, 2), self.spreads(doubt), unit.flatten(1)

    def hidden(self, features: Tensor, *layers: nn.Linear) -> tuple[Tensor, ...]:
        """Outputs of these layers, ``(2 B, width)`` each, the two axes of a track one after the other.

        The y axis reads the features with x and y exchanged. That exchanges columns of the weights, so one product does
        both.
        """
        weight, bias = torch.cat([layer.weight for layer in layers]), torch.cat([layer.bias for layer in layers])
        weight = torch.cat([weight, weight[:, self.swapped] * self.mirrored])
        made = nn.functional.silu(nn.functional.linear(features, weight, torch.cat([bias, bias])))
        return made.reshape(-1, len(bias)).split([len(layer.bias) for layer in layers], 1)

    def spreads(self, doubt: Tensor) -> Tensor:
        """Logarithms of sigma's terms, ``(B, 3, 4)``, from the output of `hidden` for the layer `doubt`."""
        return self.spread(doubt).reshape(-1, 2, 2, DEGREE).permute(0, 3, 2, 1).flatten(2)

    def forward(self, *inputs: Tensor) -> Tensor:
        """The trajectory's knots, ``(B, 3, knots, 4)``, relative to the newest box.

        Along the second axis: mean ``[dx/w, dy/h, w'/w, h'/h]``, its derivative per second, and sigma.
        """
        return self.knots(*self.motion_model(*inputs))

    def knots(self, coefficient: Tensor, spread: Tensor, unit: Tensor) -> Tensor:
        """What `forward` returns, from what `motion_model` returns."""
        per_second = coefficient * unit[..., None] ** self.powers
        mean, derivative = (self.basis @ per_second).chunk(2, 1)
        change = torch.exp(torch.clamp(mean * self.sided[:, 0], -LARGEST_CHANGE, LARGEST_CHANGE))
        mean = torch.where(self.sided[:, 0] > 0, change, mean)
        answer = torch.cat([mean, derivative * change, sigma_at(spread, self.horizons)], 1)
        return answer.reshape(-1, 3, len(HORIZONS_S), 4)

    def engine(self, device: str = "cpu") -> TorchEngine:
        """The network as an engine for one track, as the committed graph is."""
        return TorchEngine(self, *specs(self.config), device=device, source="MotionNetwork")


def _other_axis(n: int) -> tuple[Tensor, Tensor]:
    """Where the y axis finds in the features what the x axis reads, and the signs to apply.

    x and y change places, so do w and h, and the aspect changes its sign.
    """
    shape, logs = 4 * 2 * n, 4 * len(_RATIOS)
    columns = torch.arange(shape + logs + ROWS * n + 2)
    parts = [part.reshape(4, -1)[[1, 0, 3, 2]].flatten() for part in (columns[:shape], columns[shape : shape + logs])]
    swapped = torch.cat([*parts, columns[shape + logs :]])
    signs = torch.ones(len(swapped))
    signs[-1] = -1.0
    return swapped, signs


def mean_at(coefficient: Tensor, unit: Tensor, horizon: Tensor) -> Tensor:
    """The relative mean at horizons ``(B, H)`` seconds: ``(B, H, 4)``."""
    u = horizon / unit
    return torch.stack([torch.ones_like(u), u, u * u], 2) @ coefficient


def sigma_at(spread: Tensor, horizon: Tensor) -> Tensor:
    """Relative standard deviations at horizons ``(B or 1, H)`` seconds: ``(B, H, 4)``; three variances add up."""
    powers = torch.stack([torch.ones_like(horizon), horizon**2, (horizon / 0.3) ** 4], 2)
    return torch.sqrt(powers @ torch.exp(2 * torch.clamp(spread, TIGHT, WIDE)) + 1e-8)


def specs(config: MotionConfig) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Inputs and outputs for one track."""
    dtype = np.dtype(np.float32)
    inputs = tuple(TensorSpec(name, shape, dtype) for name, shape in input_shapes(config.history).items())
    return inputs, (TensorSpec(OUTPUT, (1, 3, len(HORIZONS_S), 4), dtype),)


def save(network: MotionNetwork, path: str | Path, notes: Mapping[str, Any] | None = None) -> None:
    """Write the weights and, beside them, the card; parameters as of `write_network`."""
    write_network(path, network, FORMAT, notes)


def load(path: str | Path) -> tuple[MotionNetwork, dict[str, Any]]:
    """Read a network, in evaluation mode, and its card.

    Raises
    ------
    InputError
        Where files are missing, damaged or of another kind.
    """
    tensors, card = read_network(path, FORMAT)
    try:
        network = MotionNetwork(MotionConfig(**card["config"]))
    except TypeError as error:
        raise InputError(
            f"{card_of(path)}: {error}; known are {', '.join(MotionConfig.__dataclass_fields__)}"
        ) from None
    return restored(network, tensors, path, "a motion network"), card
