"""Trackers that learn together with a predictor: recorded up to the layers that learn, and from there on in torch.

All that comes before those layers is frozen in joint training, so it is computed once: the `Recorder` is the tracker itself
with the maps that enter them as features, a `LearningPart` the rest, with the losses that the tracker itself is trained for.
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
    """What is trained together with a predictor: the parts of `model` that it calls `joint`, the rest frozen.

    `name` and `config` are those of the tracker that runs the network. Maps and features have the network's levels side by
    side in their channels; the predictor reads the last one, which has the `shapes` ``(C, h, w)``, the template's, and
    ``(C, H, W)``. Weights learn, statistics of normalisation stay: those of a few clips are not those of the world.
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
        """These maps to the features that the head compares."""
        raise NotImplementedError

    def loss(
        self, template: Tensor, search: Tensor, before: Tensor, truth: Tensor, weight: Tensor
    ) -> dict[str, Tensor]:
        """What the tracker itself is trained for, from features of one frame, by name.

        `before`: the result round which the search crop was cut, `truth`: the target in that frame, ``(B, 4)`` pixels; `weight`
        ``(B,)``, 0 or 1.
        """
        raise NotImplementedError

    def see(self, template: Tensor, search: Tensor) -> tuple[Tensor, Tensor]:
        """Maps of B templates and of k search regions each, ``(B, ..)`` and ``(B, k, ..)``, to features."""
        return self.late(template, True), self.late(search.flatten(0, 1), False).unflatten(0, search.shape[:2])

    def read(self, features: Tensor) -> Tensor:
        """Of features ``(.., C, H, W)`` the level that the predictor reads; where there is but one, all of them."""
        return features

    def engines(self) -> tuple[MapsEngine, MapsEngine, Engine]:
        """What the tracker runs on, in torch: engines of template and search region, which keep their maps, and the head."""
        return MapsEngine(self, "template"), MapsEngine(self, "search"), parts.engines(self.model)[2]

    def train(self, mode: bool = True) -> LearningPart:
        super().train(mode)
        for module in self.model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self


class MapsEngine:
    """A graph as an engine that remembers the maps which entered the layers that learn."""

    def __init__(self, part: LearningPart, graph: str):
        whole = part.model.parts()[graph]
        self.inputs, self.outputs = whole.inputs, whole.outputs
        self._part, self._template = part, graph == "template"

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        (image,) = inputs.values()
        with torch.inference_mode():
            maps = self._part.early(torch.from_numpy(image))
            self.maps = maps.numpy()
            levels = self._part.late(maps, self._template).chunk(len(self.outputs), 1)
            return {spec.name: level.numpy() for spec, level in zip(self.outputs, levels, strict=True)}


def grid(config: SiameseConfig) -> Tensor:
    """Of the head's cells along one axis, in pixels of the search crop from its middle, ``(n,)``."""
    return (torch.arange(config.score_size) - config.score_size // 2) * float(config.stride)


def in_crop(config: SiameseConfig, before: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Centre (from the crop's middle) and sides of the truth in pixels of the search crop, each ``(B, 2)``."""
    margin = config.context * before[:, 2:].sum(1, keepdim=True)
    scale = config.exemplar / (before[:, 2:] + margin).prod(1, keepdim=True).sqrt()
    return (truth[:, :2] - before[:, :2]) * scale, truth[:, 2:] * scale


def overlap(low: Sequence[Tensor], high: Sequence[Tensor], centre: Tensor, size: Tensor) -> Tensor:
    """IoU with the truth, ``(B, 2)`` and ``(B, 2)``, of boxes from `low` to `high`, along x and along y ``(B, .., n, n)``."""
    every = (-1, *(1,) * (low[0].ndim - 1))
    across, down = (
        (torch.minimum(high[i], middle + half) - torch.maximum(low[i], middle - half)).clamp(min=0)
        for i, middle, half in ((i, centre[:, i].view(every), size[:, i].view(every) / 2) for i in (0, 1))
    )
    shared, area = across * down, (high[0] - low[0]) * (high[1] - low[1])
    return shared / (area + size.prod(1).view(every) - shared).clamp(min=1e-6)


def mean_where(values: Tensor, weight: Tensor) -> Tensor:
    """The mean of the values that have a weight, 0 where none has."""
    return (values * weight).sum() / weight.sum().clamp(min=1)


def two_classes(logits: Tensor, on: Tensor, off: Tensor) -> Tensor:
    """Cross entropy of background and target, ``(B, 2, ..)``, each worth half; `on` and `off` ``(B, ..)`` say which is which,
    and where both are 0 nobody asks."""
    logs = F.log_softmax(logits, dim=1)
    return (mean_where(-logs[:, 1], on) + mean_where(-logs[:, 0], off)) / 2
