"""ResNet-50 whose last two stages use dilation in place of stride, as in SiamRPN++ and SiamMask.

Source: SiamRPN++ (CVPR 2019), github.com/STVIR/pysot. Input is BGR, 0 to 255, not normalised.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from pvtpp_trackers.models.blocks import conv_bn

# Of each stage: channels inside, blocks, stride and dilation.
STAGES = ((64, 3, 1, 1), (128, 4, 2, 1), (256, 6, 1, 2), (512, 3, 1, 4))
EXPANSION = 4

# Start of the published name of a tensor, and what replaces it here.
NAMES = (
    (r"backbone\.conv1\.", "backbone.stem.0."),
    (r"backbone\.bn1\.", "backbone.stem.1."),
    (r"backbone\.layer(\d)\.(\d)\.conv1\.", r"backbone.stage\1.\2.reduce.0."),
    (r"backbone\.layer(\d)\.(\d)\.bn1\.", r"backbone.stage\1.\2.reduce.1."),
    (r"backbone\.layer(\d)\.(\d)\.conv2\.", r"backbone.stage\1.\2.spatial.0."),
    (r"backbone\.layer(\d)\.(\d)\.bn2\.", r"backbone.stage\1.\2.spatial.1."),
    (r"backbone\.layer(\d)\.(\d)\.conv3\.", r"backbone.stage\1.\2.restore.0."),
    (r"backbone\.layer(\d)\.(\d)\.bn3\.", r"backbone.stage\1.\2.restore.1."),
    (r"backbone\.layer(\d)\.(\d)\.downsample\.", r"backbone.stage\1.\2.shortcut."),
)


class Bottleneck(nn.Module):
    """Reduce, 3 x 3, restore, added to the shortcut: the input itself or, in the first block of a stage, a convolution.

    With a stride there is no padding, and a first block has half the dilation of the rest of its stage.
    """

    def __init__(self, channels: int, inside: int, stride: int, dilation: int, first: bool):
        super().__init__()
        out = inside * EXPANSION
        spread = max(dilation // 2, 1) if first else dilation
        padding = 0 if stride > 1 else spread
        self.reduce = conv_bn(channels, inside, activation=nn.ReLU(inplace=True))
        self.spatial = conv_bn(inside, inside, 3, stride, padding, spread, activation=nn.ReLU(inplace=True))
        self.restore = conv_bn(inside, out)
        self.shortcut: nn.Module = nn.Identity()
        if first:
            plain = stride == 1 and dilation == 1
            self.shortcut = conv_bn(channels, out) if plain else conv_bn(channels, out, 3, stride, padding, spread)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, channels, h, w)`` to ``(B, 4 inside, h', w')``."""
        return self.activation(self.restore(self.spatial(self.reduce(x))) + self.shortcut(x))


class ResNet50(nn.Module):
    """``(B, 3, 255, 255)`` to the maps `used`; stages beyond the last one used are not built.

    Map 0 is the stem's ``(B, 64, 125, 125)``, 1 that of the first stage ``(B, 256, 63, 63)``, 2 to 4 are ``(B, 512 ..
    2048, 31, 31)``. There a crop of 127 gives 15 x 15 cells.
    """

    def __init__(self, used: Sequence[int] = (2, 3, 4)):
        super().__init__()
        self.used = tuple(used)
        self.stem = conv_bn(3, 64, 7, 2, activation=nn.ReLU(inplace=True))
        self.pool = nn.MaxPool2d(3, 2, 1)
        channels = 64
        for number, (inside, count, stride, dilation) in enumerate(STAGES[: max(self.used)], start=1):
            blocks = []
            for index in range(count):
                blocks.append(Bottleneck(channels, inside, stride if index == 0 else 1, dilation, index == 0))
                channels = inside * EXPANSION
            self.add_module(f"stage{number}", nn.Sequential(*blocks))

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Crops to the maps `used`."""
        maps = [self.stem(image)]
        x = self.pool(maps[0])
        for number in range(1, max(self.used) + 1):
            x = self.get_submodule(f"stage{number}")(x)
            maps.append(x)
        return tuple(maps[index] for index in self.used)
