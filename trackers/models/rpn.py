"""Neck and head of SiamRPN++: bring every level to one width, correlate, and average the levels' answers.

Source: SiamRPN++ (CVPR 2019), sections 3.3 and 3.4; github.com/STVIR/pysot.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pvtpp_trackers.models.blocks import conv_bn
from pvtpp_trackers.models.correlation import correlation

ANCHORS = 5
"""Per cell: five shapes of one size."""
CHANNELS = 256
"""Of every level after the neck, and inside the head."""
EDGE = 4
"""Cells cut off on all sides of the template's map, so that the target remains without its surroundings."""

_BRANCH = (
    (r"conv_kernel\.", "template."),
    (r"conv_search\.", "search."),
    (r"head\.", "output."),
)
# Start of the published name of a tensor, and what replaces it here. Published levels count from two.
NAMES = (
    *((rf"neck\.downsample{level + 2}\.downsample\.", f"neck.levels.{level}.") for level in range(3)),
    (r"neck\.downsample\.downsample\.", "neck.levels.0."),
    *(
        (rf"rpn_head\.rpn{level + 2}\.(cls|loc)\.{theirs}", rf"head.levels.{level}.\1.{ours}")
        for level in range(3)
        for theirs, ours in _BRANCH
    ),
    *((rf"rpn_head\.(cls|loc)\.{theirs}", rf"head.levels.0.\1.{ours}") for theirs, ours in _BRANCH),
    (r"rpn_head\.(cls|loc)_weight", r"head.\1_weight"),
)


class Neck(nn.Module):
    """A 1 x 1 convolution for each level."""

    def __init__(self, channels: Sequence[int]):
        super().__init__()
        self.levels = nn.ModuleList(conv_bn(count, CHANNELS) for count in channels)

    def forward(self, maps: Sequence[Tensor], template: bool = False) -> tuple[Tensor, ...]:
        """Maps ``(B, channels, n, n)`` to ``(B, 256, n, n)`` each, a template's without its edge."""
        adjusted = tuple(level(map_) for level, map_ in zip(self.levels, maps, strict=True))
        return tuple(map_[:, :, EDGE:-EDGE, EDGE:-EDGE] for map_ in adjusted) if template else adjusted


class Branch(nn.Module):
    """One output of one level."""

    def __init__(self, answers: int):
        super().__init__()
        self.template = conv_bn(CHANNELS, CHANNELS, 3, activation=nn.ReLU(inplace=True))
        self.search = conv_bn(CHANNELS, CHANNELS, 3, activation=nn.ReLU(inplace=True))
        mix = conv_bn(CHANNELS, CHANNELS, activation=nn.ReLU(inplace=True))
        self.output = nn.Sequential(*mix, nn.Conv2d(CHANNELS, answers, 1))

    def correlate(self, template: Tensor, search: Tensor) -> Tensor:
        """``(B, 256, h, w)`` and ``(B, 256, H, W)`` to ``(B, 256, H - h + 1, W - w + 1)``."""
        return correlation(self.search(search), self.template(template))

    def forward(self, template: Tensor, search: Tensor) -> Tensor:
        """``(B, 256, h, w)`` and ``(B, 256, H, W)`` to ``(B, answers, H - h + 1, W - w + 1)``."""
        return self.output(self.correlate(template, search))


class Level(nn.Module):
    """Both outputs of one level: is the target here, and where exactly."""

    def __init__(self) -> None:
        super().__init__()
        self.cls = Branch(2 * ANCHORS)
        self.loc = Branch(4 * ANCHORS)

    def forward(self, template: Tensor, search: Tensor) -> tuple[Tensor, Tensor]:
        """Template and search level to ``(cls, loc)``, see `Head`."""
        return self.cls(template, search), self.loc(template, search)


class Head(nn.Module):
    """Template and search levels to ``(cls, loc)``.

    Parameters
    ----------
    levels
        Number of levels; their answers are averaged.
    weighted
        With learned weights.
    """

    def __init__(self, levels: int, weighted: bool = False):
        super().__init__()
        self.levels = nn.ModuleList(Level() for _ in range(levels))
        self.weighted = weighted
        if weighted:
            self.cls_weight = nn.Parameter(torch.ones(levels))
            self.loc_weight = nn.Parameter(torch.ones(levels))

    def forward(self, template: Sequence[Tensor], search: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """The averaged answers of all levels.

        Returns
        -------
        cls : Tensor
            ``(B, 10, n, n)``, logits of background and then of target for the five anchors.
        loc : Tensor
            ``(B, 20, n, n)``, for x, y, width and height in turn the offsets of the five anchors.
        """
        answers = [level(z, x) for level, z, x in zip(self.levels, template, search, strict=True)]
        cls, loc = zip(*answers, strict=True)
        if not self.weighted:
            return _mean(cls), _mean(loc)
        return _weighted(cls, self.cls_weight), _weighted(loc, self.loc_weight)


def _mean(maps: Sequence[Tensor]) -> Tensor:
    return sum(maps[1:], maps[0]) / len(maps) if len(maps) > 1 else maps[0]


def _weighted(maps: Sequence[Tensor], weight: Tensor) -> Tensor:
    share = weight.softmax(0)
    return sum((map_ * share[index] for index, map_ in enumerate(maps[1:], start=1)), maps[0] * share[0])
