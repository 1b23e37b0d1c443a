"""NanoTrack V3 as something to train: recorded up to its last stage, and from there on in torch, with its losses.

All but the last stage of the backbone and the head is frozen in joint training, so what comes before is computed once: the
`Recorder` is the tracker itself with the maps that enter the last stage as features, `LastStage` the rest.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pvtpp.inference.engine import TensorSpec
from pvtpp.tracker import Frame, TrackerOutput
from trackers.models.nanotrack import JOINT, NanoTrackV3, engines
from trackers.nanotrack import V3, NanoTrack, NanoTrackFeatures

POSITIVE, NEGATIVE = 0.25, 0.5
"""Points this near to the centre, in sides of the target, are on it; those farther than this are not; between nobody asks."""
_GRID = (torch.arange(V3.score_size) - V3.score_size // 2) * float(V3.stride)


class _Parted:
    """A backbone as an engine that remembers the maps which entered its last stage."""

    def __init__(self, model: NanoTrackV3, size: int, cells: int):
        self.inputs: tuple[TensorSpec, ...] = (TensorSpec("input", (1, 3, size, size), np.dtype(np.float32)),)
        self.outputs: tuple[TensorSpec, ...] = (TensorSpec("output", (1, 96, cells, cells), np.dtype(np.float32)),)
        self._early, self._last = model.backbone.features[:-1], model.backbone.features[-1]

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        with torch.inference_mode():
            maps = self._early(torch.from_numpy(inputs["input"]))
            self.maps = maps.numpy()
            return {"output": self._last(maps).numpy()}


class Recorder:
    """The tracker in torch; its features are the maps that enter the last stage: 48 x 8 x 8 and 48 x 16 x 16."""

    def __init__(self, model: NanoTrackV3):
        model.eval()
        self._template, self._search = _Parted(model, V3.exemplar, 8), _Parted(model, V3.instance, 16)
        self._tracker = NanoTrack(engines=(self._template, self._search, engines(model)[2]))

    def init(self, frame: Frame, box: np.ndarray) -> None:
        self._tracker.init(frame, box)

    def track(self, frame: Frame, search_box: np.ndarray | None = None) -> TrackerOutput:
        output = self._tracker.track(frame, search_box)
        return TrackerOutput(output.box, output.score, NanoTrackFeatures(self._template.maps, self._search.maps))


class LastStage(nn.Module):
    """What is trained together with a predictor: `JOINT`, the rest frozen. Takes maps as `Recorder` leaves them.

    Weights learn, statistics of normalisation stay: those of a few clips are not those of the world.
    """

    def __init__(self, model: NanoTrackV3):
        super().__init__()
        model.freeze_except(*JOINT)
        self.model = model

    def train(self, mode: bool = True) -> LastStage:
        super().train(mode)
        for module in self.model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def see(self, template: Tensor, search: Tensor) -> tuple[Tensor, Tensor]:
        """Maps ``(B, 48, 8, 8)`` and ``(B, k, 48, 16, 16)`` to features ``(B, 96, 8, 8)`` and ``(B, k, 96, 16, 16)``."""
        last = self.model.backbone.features[-1]
        return last(template), last(search.flatten(0, 1)).unflatten(0, search.shape[:2])

    def loss(self, template: Tensor, search: Tensor, before: Tensor, truth: Tensor, weight: Tensor) -> dict[str, Tensor]:
        """What the tracker itself is trained for, from features of one frame: ``(B, 96, 8, 8)``, ``(B, 96, 16, 16)``.

        `before`: the result round which the search crop was cut, `truth`: the target in that frame, ``(B, 4)`` pixels; `weight`
        ``(B,)``. Cross entropy of target and background, each worth half, and 1 - IoU of the boxes at points on the target, as
        in SiamBAN, whose head this is.
        """
        classes, distances = self.model.head(template, search)
        centre, size = _in_crop(before, truth)
        x, y = ((_GRID.to(centre) - centre[:, i : i + 1]) / size[:, i : i + 1] for i in (0, 1))
        away = (x[:, None, :] ** 2 + y[:, :, None] ** 2).sqrt()
        on, off = (away <= POSITIVE) * weight[:, None, None], (away > NEGATIVE) * weight[:, None, None]
        logs = F.log_softmax(classes, dim=1)
        target = -(logs[:, 1] * on).sum() / on.sum().clamp(min=1)
        ground = -(logs[:, 0] * off).sum() / off.sum().clamp(min=1)
        return {
            "class": (target + ground) / 2,
            "box": ((1 - _overlap(distances, centre, size)) * on).sum() / on.sum().clamp(min=1),
        }


def _in_crop(before: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Centre (from the crop's middle) and sides of the truth in pixels of the search crop, each ``(B, 2)``."""
    margin = V3.context * before[:, 2:].sum(1, keepdim=True)
    scale = V3.exemplar / (before[:, 2:] + margin).prod(1, keepdim=True).sqrt()
    return (truth[:, :2] - before[:, :2]) * scale, truth[:, 2:] * scale


def _overlap(distances: Tensor, centre: Tensor, size: Tensor) -> Tensor:
    """IoU of every point's box ``(B, 4, n, n)`` (left, top, right, bottom) with the truth: ``(B, n, n)``."""
    grid = _GRID.to(centre)
    shared, area = torch.ones_like(distances[:, 0]), torch.ones_like(distances[:, 0])
    for i, points in enumerate((grid[None, None, :], grid[None, :, None])):
        low, high = points - distances[:, i], points + distances[:, i + 2]
        middle, half = centre[:, i, None, None], size[:, i, None, None] / 2
        shared = shared * (torch.minimum(high, middle + half) - torch.maximum(low, middle - half)).clamp(min=0)
        area = area * (high - low)
    return shared / (area + size.prod(1)[:, None, None] - shared).clamp(min=1e-6)
