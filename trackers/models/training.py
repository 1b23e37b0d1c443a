"""Trackers that learn together with a predictor: the layers that learn, in torch, with the tracker's own losses.

Everything before those layers is frozen in joint training, so it is computed once: `pvtpp_trackers.recorder` records
the maps that enter them. A `LearningPart` is the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pvtpp.inference.engine import Engine
from pvtpp_trackers.decode import SiameseConfig
from pvtpp_trackers.models import parts
from pvtpp_trackers.models.parts import SiameseNetwork


class LearningPart(nn.Module):
    """What is trained together with a predictor: the parts of `model` that it lists in `joint`; the rest is frozen.

    Maps and features have the network's levels side by side in their channels. Weights learn, but normalisation
    statistics stay: those of a few clips would not hold elsewhere.

    Parameters
    ----------
    name
        Of the tracker that runs the network.
    model
        The network; its other parts are frozen.
    config
        The tracker's constants.

    Attributes
    ----------
    shapes
        Of the features that the predictor reads: ``(C, h, w)`` of the template, ``(C, H, W)`` of the search region.
    """

    model: SiameseNetwork

    def __init__(self, name: str, model: SiameseNetwork, config: SiameseConfig):
        super().__init__()
        model.freeze_except(*model.joint)
        self.name, self.model, self.config = name, model, config
        inputs: Sequence[Any] = model.parts()["head"].inputs
        self.shapes: tuple[tuple[int, ...], ...] = inputs[len(inputs) // 2 - 1].shape[1:], inputs[-1].shape[1:]

    def early(self, image: Tensor) -> Tensor:
        """Crops ``(B, 3, s, s)`` to the maps that enter the layers which learn."""
        raise NotImplementedError

    def late(self, maps: Tensor, template: bool) -> Tensor:
        """These maps to the features that the head compares; `template` says of which of the two crops they are."""
        raise NotImplementedError

    def loss(
        self, template: Tensor, search: Tensor, searched: Tensor, truth: Tensor, weight: Tensor
    ) -> dict[str, Tensor]:
        """The tracker's own losses by name, for one frame of every sample.

        Parameters
        ----------
        template, search
            Features, as `late` makes them.
        searched
            The box that the search crop was placed on, ``(B, 4)``, pixels of the image.
        truth
            The true box in that frame, ``(B, 4)``, pixels of the image.
        weight
            0 or 1, ``(B,)``.
        """
        raise NotImplementedError

    def see(self, template: Tensor, search: Tensor) -> tuple[Tensor, Tensor]:
        """Maps of B templates and of k search regions each, ``(B, ..)`` and ``(B, k, ..)``, to features."""
        return self.late(template, True), self.late(search.flatten(0, 1), False).unflatten(0, search.shape[:2])

    def read(self, features: Tensor) -> Tensor:
        """The level that the predictor reads, of features ``(.., C, H, W)``; by default all of them."""
        return features

    def engines(self) -> tuple[MapsEngine, MapsEngine, Engine]:
        """Torch engines for the tracker: template and search region, which keep their maps, and the head."""
        return MapsEngine(self, "template"), MapsEngine(self, "search"), parts.engines(self.model)[2]

    def train(self, mode: bool = True) -> LearningPart:
        """Set training mode, except for normalisation layers; returns the part."""
        super().train(mode)
        for module in self.model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self


class MapsEngine:
    """A graph as an engine that keeps, as `maps`, the maps which entered the layers that learn.

    Parameters
    ----------
    part
        The layers that learn.
    graph
        ``template`` or ``search``.
    """

    def __init__(self, part: LearningPart, graph: str):
        whole = part.model.parts()[graph]
        self.inputs, self.outputs = whole.inputs, whole.outputs
        self._part, self._template = part, graph == "template"

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Levels of a crop by name; see `pvtpp.inference.engine.Engine`."""
        (image,) = inputs.values()
        with torch.inference_mode():
            maps = self._part.early(torch.from_numpy(image))
            self.maps = maps.numpy()
            levels = self._part.late(maps, self._template).chunk(len(self.outputs), 1)
            return {spec.name: level.numpy() for spec, level in zip(self.outputs, levels, strict=True)}


def grid(config: SiameseConfig) -> Tensor:
    """Positions of the head's cells along one axis, pixels of the search crop from its middle, ``(n,)``."""
    return (torch.arange(config.score_size) - config.score_size // 2) * float(config.stride)


def in_crop(config: SiameseConfig, searched: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """The true box in pixels of the search crop: centre from the crop's middle, and sides, ``(B, 2)`` each.

    Parameters
    ----------
    config
        The tracker's constants.
    searched
        The box that the crop was placed on, ``(B, 4)``, pixels of the image.
    truth
        The true box, ``(B, 4)``, pixels of the image.
    """
    margin = config.context * searched[:, 2:].sum(1, keepdim=True)
    scale = config.exemplar / (searched[:, 2:] + margin).prod(1, keepdim=True).sqrt()
    return (truth[:, :2] - searched[:, :2]) * scale, truth[:, 2:] * scale


def overlap(low: Sequence[Tensor], high: Sequence[Tensor], centre: Tensor, size: Tensor) -> Tensor:
    """IoU of boxes with the truth.

    Parameters
    ----------
    low, high
        Lower and upper bounds of the boxes, along x and along y, ``(B, .., n, n)`` each.
    centre, size
        Of the truth, ``(B, 2)``.

    Returns
    -------
    Tensor
        ``(B, .., n, n)``, in [0, 1].
    """
    every = (-1, *(1,) * (low[0].ndim - 1))
    across, down = (
        (torch.minimum(high[i], middle + half) - torch.maximum(low[i], middle - half)).clamp(min=0)
        for i, middle, half in ((i, centre[:, i].view(every), size[:, i].view(every) / 2) for i in (0, 1))
    )
    shared, area = across * down, (high[0] - low[0]) * (high[1] - low[1])
    return shared / (area + size.prod(1).view(every) - shared).clamp(min=1e-6)


def mean_where(values: Tensor, weight: Tensor) -> Tensor:
    """The weighted mean of the values, 0 where all weights are."""
    return (values * weight).sum() / weight.sum().clamp(min=1)


def two_classes(logits: Tensor, on: Tensor, off: Tensor) -> Tensor:
    """Cross entropy of background and target, both with half the weight.

    Parameters
    ----------
    logits
        ``(B, 2, ..)``, background first.
    on, off
        Weights of cells on the target and off it, ``(B, ..)``; where both are 0 a cell does not count.
    """
    logs = F.log_softmax(logits, dim=1)
    return (mean_where(-logs[:, 1], on) + mean_where(-logs[:, 0], off)) / 2
