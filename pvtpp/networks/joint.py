"""The joint network: a motion network, and what the tracker's own features add to its motion model.

It has two parts, run at different rates. `encode` reads the features of one tracker result once and keeps a short
vector for each axis. `forward` computes the motion network's motion model and adds a residual that reads the vectors of
the newest results: a correction of the present state, a change of the motion model in units of the relative motion
factor (PVT++, arXiv 2211.11629, Eq. 4), and a change of sigma. The residual's last layer starts at zero, so an
untrained joint network is the motion network it was made from.

For results without features (of another tracker, propagated boxes, the first box) vectors and `seen` are zero. With no
features at all the residual is switched off, and the motion network alone decides.

The output is equivariant to shifts and scalings of the image: features are those of a crop that scales with the target,
and everything else is relative to the last box. It is not equivariant to mirroring and to swapping the axes, since the
tracker's features are not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pvtpp.errors import InputError
from pvtpp.inference.engine import TensorSpec
from pvtpp.inference.torch import TorchEngine
from pvtpp.networks.blocks import depthwise_correlation
from pvtpp.networks.motion import DEGREE, MotionConfig, MotionNetwork
from pvtpp.networks.motion import specs as motion_specs
from pvtpp.networks.rules import BELOW_1, count_from
from pvtpp.predictors.motion import INPUTS
from pvtpp.validation import check
from pvtpp.weights.checkpoint import card_of, read_network, restored, write_network

FORMAT = "pvtpp joint 1"
RECENT = 3
"""Newest steps that the residual reads; the motion network reads all of them."""
PRESENT = 0.1
"""The residual's correction of the present state is in tenths of the target's size."""


@dataclass(frozen=True)
class JointConfig:
    """Sizes of the joint network.

    Attributes
    ----------
    motion
        The motion network that this one adds to.
    channels, template, search
        Features are `channels` x `template` x `template` and `channels` x `search` x `search`.
    frames
        Newest results whose features are read.
    compared
        Channels that are correlated.
    kept
        Channels of the correlation that go into the vectors.
    vector
        Numbers in the vector of each axis.
    width
        Of the residual's hidden layer.
    dropped
        Dropout rate of that layer in training.

    Raises
    ------
    InputError
        For a value out of range.
    """

    motion: MotionConfig = field(default_factory=MotionConfig)
    channels: int = 96
    template: int = 8
    search: int = 16
    frames: int = 1
    compared: int = 24
    kept: int = 8
    vector: int = 16
    width: int = 32
    dropped: float = 0.1

    def __post_init__(self) -> None:
        counts = ("channels", "search", "frames", "compared", "kept", "vector", "width")
        check(self, {**dict.fromkeys(counts, count_from(1)), "template": count_from(4), "dropped": BELOW_1})
        if self.search < self.template:
            raise InputError(
                f"JointConfig.search is {self.search!r}, allowed is a whole number from template, {self.template}"
            )

    @property
    def cells(self) -> int:
        """Side of the correlation map."""
        return self.search - self.template // 2 + 1

    def as_dict(self) -> dict[str, Any]:
        """The fields as plain values, nested ones too."""
        return asdict(self)


class Encoder(nn.Module):
    """Features of one result to one vector for each axis.

    Template and search features are correlated channel by channel, weighted by where the target seems to be, and summed
    along both axes; both profiles are read by the same weights.
    """

    def __init__(self, config: JointConfig):
        super().__init__()
        self.config = config
        self.template = nn.Conv2d(config.channels, config.compared, 1)
        self.search = nn.Conv2d(config.channels, config.compared, 1)
        self.keep = nn.Conv2d(config.compared, config.kept + 1, 1)
        self.read = nn.Linear((config.kept + 1) * config.cells, config.vector)

    def forward(self, template: Tensor, search: Tensor) -> Tensor:
        """Features ``(B, C, h, w)`` and ``(B, C, H, W)`` to vectors ``(B, 2, vector)``: along x, along y."""
        # Only the middle of the template: its margin shows the background.
        low = self.config.template // 4
        high = low + self.config.template // 2
        kernel = _level(self.template(template[:, :, low:high, low:high]))
        similar = depthwise_correlation(_level(self.search(search)), kernel) / (high - low) ** 2
        maps = self.keep(similar)
        where = torch.softmax(maps[:, :1].flatten(2), 2).unflatten(2, maps.shape[2:])
        seen = torch.cat([torch.relu(maps[:, 1:]), torch.ones_like(where)], 1) * where
        profiles = torch.stack([seen.sum(2), seen.sum(3)], 1).flatten(2)
        return torch.tanh(self.read(profiles))


class JointNetwork(nn.Module):
    """`motion` gives the motion model, `encoder` and `residual` what features add to it.

    Inputs are those of the motion network, `vectors` ``(B, frames, 2, vector)``, oldest first, and `seen` ``(B,
    frames)``.

    Parameters
    ----------
    config
        Sizes.
    motion
        The motion network to add to, which is not copied; None makes an untrained one.

    Raises
    ------
    InputError
        If `motion` has another configuration than ``config.motion``.
    """

    axis: Tensor

    def __init__(self, config: JointConfig = JointConfig(), motion: MotionNetwork | None = None):
        super().__init__()
        if motion is not None and motion.config != config.motion:
            raise InputError(
                f"JointNetwork: the motion network is {motion.config}, the configuration says {config.motion}"
            )
        self.config = config
        self.motion = motion or MotionNetwork(config.motion)
        self.encoder = Encoder(config)
        features = config.frames * (config.vector + 1) + 3 * RECENT + (RECENT + 1) + 2
        last = nn.Linear(config.width, 4 * DEGREE)
        self.residual = nn.Sequential(nn.Linear(features, config.width), nn.SiLU(), nn.Dropout(config.dropped), last)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.register_buffer("axis", torch.tensor([1.0, -1.0])[None, :, None], persistent=False)

    def encode(self, template: Tensor, search: Tensor) -> Tensor:
        """Features of one result each, ``(B, C, h, w)`` and ``(B, C, H, W)``, to ``(B, 2, vector)``."""
        return self.encoder(template, search)

    def encode_all(self, template: Tensor, search: Tensor, seen: Tensor) -> Tensor:
        """Features of one template and several results each to their vectors.

        Parameters
        ----------
        template
            ``(B, C, h, w)``.
        search
            ``(B, frames, C, H, W)``.
        seen
            ``(B, frames)``, 0 for results without features.

        Returns
        -------
        Tensor
            ``(B, frames, 2, vector)``, zero where `seen` is.
        """
        frames = search.shape[1]
        vectors = self.encode(template.repeat_interleave(frames, dim=0), search.flatten(0, 1))
        return vectors.unflatten(0, (-1, frames)) * seen[..., None, None]

    def motion_model(
        self, inputs: Mapping[str, Tensor], vectors: Tensor, seen: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """``(coefficient, spread, unit)`` as `MotionNetwork.motion_model` returns them.

        Parameters
        ----------
        inputs
            Inputs of the motion network by name.
        vectors
            ``(B, frames, 2, vector)``, oldest first.
        seen
            ``(B, frames)``, 0 for results without features.
        """
        coefficient, spread, unit = self.motion.motion_model(*(inputs[name] for name in INPUTS))
        # The residual has learnt from steps between results; steps to propagated boxes are for the motion network.
        of_results = 1 - inputs["propagated"][:, None, -RECENT:]
        step, interval = inputs["step"][..., -RECENT:] * of_results, inputs["interval"][:, -RECENT:]
        present = (interval > 0).to(step.dtype)
        moved = step * (unit * present / (interval + (1 - present)))[:, None]
        # The relative motion factor of x, y, w, h.
        factor = moved.abs().sum(2) / (present.sum(1, keepdim=True) + 0.01)
        shared = torch.cat([inputs["score"][:, -RECENT - 1 :], seen, interval / unit, torch.log(unit)], 1)
        features = torch.cat(
            [
                vectors.transpose(1, 2).flatten(2),
                step.unflatten(1, (2, 2)).transpose(1, 2).flatten(2) * 4,
                shared[:, None].expand(-1, 2, -1),
                inputs["aspect"][:, None] * self.axis,
            ],
            2,
        )
        # For each axis: position and size, of each the coefficients of the motion model, then those of sigma. Reordered
        # to (B, mean or sigma, coefficient, [x, y, w, h]).
        residual = self.residual(features).unflatten(2, (2, 2, DEGREE)).permute(0, 3, 4, 2, 1).flatten(3)
        residual = residual * (seen.sum(1) > 0).to(residual.dtype)[:, None, None, None]
        change = torch.cat([residual[:, 0, :1] * PRESENT, residual[:, 0, 1:] * factor[:, None]], 1)
        return coefficient + change, spread + residual[:, 1], unit

    def forward(self, *tensors: Tensor) -> Tensor:
        """``(B, 3, knots, 4)``, as `MotionNetwork.forward`; inputs in the order of `specs`."""
        *inputs, vectors, seen = tensors
        return self.motion.knots(*self.motion_model(dict(zip(INPUTS, inputs, strict=True)), vectors, seen))

    def trust(self, share: float) -> JointNetwork:
        """Scale the change that features make to the mean by `share`, in place; sigma stays. Returns the network."""
        last = self.residual[-1]
        assert isinstance(last, nn.Linear)
        with torch.no_grad():
            for rows in (last.weight, last.bias):
                # Rows: for each axis position and size, of each the coefficients of the mean, then those of sigma.
                rows.view(2, 2, DEGREE, -1)[:, 0] *= share
        return self

    def engines(self, device: str = "cpu") -> tuple[TorchEngine, TorchEngine]:
        """``(predictor, encoder)`` as engines for one track and one result, as the committed graphs are."""
        (encoder_in, encoder_out), (inputs, outputs) = specs(self.config)
        encoder = TorchEngine(self.encoder, encoder_in, encoder_out, device, "JointNetwork's encoder")
        return TorchEngine(self, inputs, outputs, device, "JointNetwork"), encoder


def _level(maps: Tensor) -> Tensor:
    """Scale every cell's channels to unit power, so that their pattern counts and not their size."""
    return maps * torch.rsqrt((maps * maps).mean(1, keepdim=True) + 1e-4)


Specs = tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]


def specs(config: JointConfig) -> tuple[Specs, Specs]:
    """Inputs and outputs of the encoder, then of the predictor."""
    c, dtype = config, np.dtype(np.float32)
    template = TensorSpec("template", (1, c.channels, c.template, c.template), dtype)
    search = TensorSpec("search", (1, c.channels, c.search, c.search), dtype)
    vector = TensorSpec("vector", (1, 2, c.vector), dtype)
    inputs, outputs = motion_specs(c.motion)
    vectors = TensorSpec("vectors", (1, c.frames, 2, c.vector), dtype)
    return ((template, search), (vector,)), ((*inputs, vectors, TensorSpec("seen", (1, c.frames), dtype)), outputs)


def save(network: JointNetwork, path: str | Path, notes: Mapping[str, Any] | None = None) -> None:
    """Write the weights and, beside them, the card; parameters as of `write_network`."""
    write_network(path, network, FORMAT, notes)


def load(path: str | Path) -> tuple[JointNetwork, dict[str, Any]]:
    """Read a network, in evaluation mode, and its card.

    Raises
    ------
    InputError
        Where files are missing, damaged or of another kind.
    """
    tensors, card = read_network(path, FORMAT)
    values = dict(card["config"])
    try:
        network = JointNetwork(JointConfig(**{**values, "motion": MotionConfig(**values["motion"])}))
    except (TypeError, KeyError) as error:
        raise InputError(f"{card_of(path)}: {error}; known are {', '.join(JointConfig.__dataclass_fields__)}") from None
    return restored(network, tensors, path, "a joint network"), card
