"""NanoTrack V3 trained together with a predictor: from the last stage of its backbone on, with its own losses."""

from __future__ import annotations

from torch import Tensor

from pvtpp_trackers.models.nanotrack import NanoTrackV3
from pvtpp_trackers.models.training import LearningPart, grid, in_crop, mean_where, overlap, two_classes
from pvtpp_trackers.siamese_configs import CONFIGS

POSITIVE, NEGATIVE = 0.25, 0.5
"""Points nearer to the centre than `POSITIVE` target sides are on the target, those farther than `NEGATIVE` are off it.

Points between do not count.
"""
NAME = "nanotrack-v3"
"""The tracker that runs the network."""
_GRID = grid(CONFIGS[NAME])


class LastStage(LearningPart):
    """The last stage of the backbone and the head (`pvtpp_trackers.models.nanotrack.JOINT`).

    Maps are 48 x 8 x 8 and 48 x 16 x 16, features 96 x 8 x 8 and 96 x 16 x 16.
    """

    model: NanoTrackV3

    def __init__(self, model: NanoTrackV3):
        super().__init__(NAME, model, CONFIGS[NAME])

    def early(self, image: Tensor) -> Tensor:
        """See `LearningPart`."""
        return self.model.backbone.features[:-1](image)

    def late(self, maps: Tensor, template: bool) -> Tensor:
        """See `LearningPart`."""
        return self.model.backbone.features[-1](maps)

    def loss(
        self, template: Tensor, search: Tensor, searched: Tensor, truth: Tensor, weight: Tensor
    ) -> dict[str, Tensor]:
        """See `LearningPart`; the losses are those of SiamBAN, whose head this is.

        ``class`` is the cross entropy of target and background, ``box`` the mean of 1 - IoU at points on the target.
        """
        classes, distances = self.model.head(template, search)
        centre, size = in_crop(self.config, searched, truth)
        points = _GRID.to(centre)
        x, y = ((points - centre[:, i : i + 1]) / size[:, i : i + 1] for i in (0, 1))
        away = (x[:, None, :] ** 2 + y[:, :, None] ** 2).sqrt()
        on, off = (away <= POSITIVE) * weight[:, None, None], (away > NEGATIVE) * weight[:, None, None]
        axes = points[None, None, :], points[None, :, None]
        low, high = ([axes[i] + sign * distances[:, i + side] for i in (0, 1)] for sign, side in ((-1, 0), (1, 2)))
        return {"class": two_classes(classes, on, off), "box": mean_where(1 - overlap(low, high, centre, size), on)}
