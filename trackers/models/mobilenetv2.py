"""MobileNetV2 of width 1.4 whose later stages use dilation in place of stride, as in SiamRPN++.

Source: MobileNetV2 (CVPR 2018), SiamRPN++ (CVPR 2019), github.com/STVIR/pysot. Input is BGR, 0 to 255, not normalised.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from pvtpp_trackers.models.blocks import conv_bn

WIDTH = 1.4
# Of each stage: expansion, channels at width 1, blocks, stride and dilation.
STAGES = (
    (1, 16, 1, 1, 1),
    (6, 24, 2, 2, 1),
    (6, 32, 3, 2, 1),
    (6, 64, 4, 1, 2),
    (6, 96, 3, 1, 2),
    (6, 160, 3, 1, 4),
    (6, 320, 1, 1, 4),
)

# Start of the published name of a tensor, and what replaces it here.
NAMES = (
    (r"backbone\.layer0\.", "backbone.stages.0."),
    (r"backbone\.layer(\d)\.(\d)\.conv\.([01])\.", r"backbone.stages.\1.\2.expand.\3."),
    (r"backbone\.layer(\d)\.(\d)\.conv\.3\.", r"backbone.stages.\1.\2.depthwise.0."),
    (r"backbone\.layer(\d)\.(\d)\.conv\.4\.", r"backbone.stages.\1.\2.depthwise.1."),
    (r"backbone\.layer(\d)\.(\d)\.conv\.6\.", r"backbone.stages.\1.\2.project.0."),
    (r"backbone\.layer(\d)\.(\d)\.conv\.7\.", r"backbone.stages.\1.\2.project.1."),
)


class InvertedResidual(nn.Module):
    """Expand, depthwise, project; added to the input where both have the same shape. A stride goes without padding."""

    def __init__(self, channels: int, out: int, expansion: int, stride: int, dilation: int):
        super().__init__()
        inside = channels * expansion
        padding = dilation if dilation > 1 else 2 - stride
        self.expand = conv_bn(channels, inside, activation=nn.ReLU6(inplace=True))
        self.depthwise = conv_bn(
            inside, inside, 3, stride, padding, dilation, groups=inside, activation=nn.ReLU6(inplace=True)
        )
        self.project = conv_bn(inside, out)
        self.adds = stride == 1 and channels == out

    def forward(self, x: Tensor) -> Tensor:
        """``(B, channels, h, w)`` to ``(B, out, h', w')``."""
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.adds else y


class MobileNetV2(nn.Module):
    """``(B, 3, 255, 255)`` to the maps of the stages `used`.

    From stage 3 on these are ``(B, C, 31, 31)``; a crop of 127 gives 15 x 15 cells.
    """

    def __init__(self, used: Sequence[int] = (3, 5, 7)):
        super().__init__()
        self.used = tuple(used)
        channels, before = int(32 * WIDTH), 1
        stages: list[nn.Module] = [conv_bn(3, channels, 3, 2, activation=nn.ReLU6(inplace=True))]
        for expansion, width, count, stride, dilation in STAGES:
            blocks = []
            for index in range(count):
                # The first block of a stage with more dilation than the stage before has half of it.
                first = index == 0 and dilation != before
                spread = max(dilation // 2, 1) if first else dilation
                out = int(width * WIDTH)
                blocks.append(InvertedResidual(channels, out, expansion, stride if index == 0 else 1, spread))
                channels = out
            stages.append(nn.Sequential(*blocks))
            before = dilation
        self.stages = nn.ModuleList(stages)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Crops to the maps of the stages `used`."""
        maps = []
        for stage in self.stages:
            image = stage(image)
            maps.append(image)
        return tuple(maps[index] for index in self.used)
