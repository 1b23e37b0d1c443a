"""SiamRPN++ trained together with a predictor: from its neck on, with its own losses.

Source: github.com/STVIR/pysot, its anchor targets and losses. There 16 anchors on the target and 48 off it are drawn in
each frame. Here all of them count, which is the same in the mean and leaves nothing to chance.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pvtpp_trackers.decode import anchor_sizes
from pvtpp_trackers.models.rpn import CHANNELS
from pvtpp_trackers.models.siamrpn import SiamRPN
from pvtpp_trackers.models.training import LearningPart, grid, in_crop, mean_where, overlap, two_classes
from pvtpp_trackers.siamese_configs import CONFIGS

POSITIVE, NEGATIVE = 0.6, 0.3
"""Anchors with an IoU above `POSITIVE` are on the target, those below `NEGATIVE` are off it; others do not count."""
BOX_WEIGHT = 1.2
"""Weight of the boxes' loss, beside 1 for the classes'."""


class NeckAndHead(LearningPart):
    """Neck and head; of AlexNet, which has no neck, the head alone.

    Maps are the levels of the backbone, with MobileNetV2 (44 + 134 + 448) x 15 x 15 and x 31 x 31. Features are those
    of the neck; the predictor reads 256 x 7 x 7 and 256 x 31 x 31 of them.
    """

    model: SiamRPN

    def __init__(self, model: SiamRPN):
        super().__init__(model.name, model, CONFIGS[model.name])
        self._widths = list(model.architecture.levels or (CHANNELS,))

    def early(self, image: Tensor) -> Tensor:
        """See `LearningPart`."""
        return torch.cat(tuple(self.model.backbone(image)), 1)

    def late(self, maps: Tensor, template: bool) -> Tensor:
        """See `LearningPart`."""
        return torch.cat(tuple(self.model.neck(maps.split(self._widths, 1), template)), 1)

    def read(self, features: Tensor) -> Tensor:
        """See `LearningPart`."""
        return features[..., -CHANNELS:, :, :]

    def loss(
        self, template: Tensor, search: Tensor, searched: Tensor, truth: Tensor, weight: Tensor
    ) -> dict[str, Tensor]:
        """See `LearningPart`.

        ``class`` is the cross entropy of target and background over the anchors that are one of them, ``box`` the L1
        distance of the four offsets, summed, over the anchors on the target.
        """
        cls, loc = self.model.head(*(each.chunk(len(self._widths), 1) for each in (template, search)))
        centre, size = in_crop(self.config, searched, truth)
        points, sides = grid(self.config).to(centre), torch.from_numpy(anchor_sizes(self.config.stride)).to(centre)
        axes, reach = (points[None, None, None, :], points[None, None, :, None]), sides.T[:, None, :, None, None]
        low, high = ([axes[i] + sign * reach[i] / 2 for i in (0, 1)] for sign in (-1, 1))
        shared = overlap(low, high, centre, size)
        on, off = (each * weight[:, None, None, None] for each in (shared > POSITIVE, shared < NEGATIVE))
        away = [(centre[:, i, None, None, None] - axes[i]) / reach[i] for i in (0, 1)]
        growth = [torch.log(size[:, i, None, None, None] / reach[i]) for i in (0, 1)]
        offsets = torch.stack([each.expand_as(shared) for each in (*away, *growth)], 1)
        error = (loc.unflatten(1, (4, -1)) - offsets).abs().sum(1)
        return {"class": two_classes(cls.unflatten(1, (2, -1)), on, off), "box": BOX_WEIGHT * mean_where(error, on)}
