"""NanoTrack V3 in torch: the same computation as the published ONNX graphs, in modules that can be trained.

Source: github.com/HonglinChu/SiamTrackers (NanoTrack); the published checkpoint loads into it tensor by tensor.

Joint training uses two parts: ``backbone.features.9``, the backbone's last stage, and ``head`` (`LAST_STAGE`, `HEAD`;
see `NanoTrackV3.freeze_except` and `parameter_groups`). There is no neck: the checkpoint contains one, but the
published tracker never runs it, so its tensors are not read.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pvtpp.inference.torch import TorchEngine
from pvtpp_trackers.models import parts
from pvtpp_trackers.models.blocks import conv_bn
from pvtpp_trackers.models.correlation import correlation
from pvtpp_trackers.models.parts import Part, SiameseNetwork, parameter_groups, spec

__all__ = ["CHANNELS", "HEAD", "JOINT", "LAST_STAGE", "NanoTrackV3", "engines", "load", "parameter_groups"]

CHANNELS = 96
"""Of the features that the head and visual predictors read."""
TEMPLATE_CELLS = 64
LAST_STAGE = "backbone.features.9"
HEAD = "head"
JOINT = (LAST_STAGE, HEAD)
"""The parts that learn when the tracker is trained together with a predictor."""

# Of each block: kernel, channels inside, channels out, cells of its attention (0: none), hard swish or ReLU, stride.
BLOCKS = (
    (3, 16, 16, 8, False, 2),
    (3, 72, 24, 0, False, 2),
    (3, 88, 24, 0, False, 1),
    (5, 96, 40, 24, True, 2),
    (5, 240, 40, 64, True, 1),
    (5, 240, 40, 64, True, 1),
    (5, 120, 48, 32, True, 1),
    (5, 144, 48, 40, True, 1),
    (5, 288, 96, 72, True, 1),
)

# Start of the published name of a tensor, and what replaces it here; the first pattern that matches is applied.
NAMES = (
    (r"backbone\.features\.0\.", "backbone.features.0."),
    # The first block does not expand, so its layers have lower numbers, and its attention follows the activation.
    (r"backbone\.features\.1\.conv\.([01])\.", r"backbone.features.1.depthwise.\1."),
    (r"backbone\.features\.1\.conv\.3\.fc\.0\.", "backbone.features.1.attention.reduce."),
    (r"backbone\.features\.1\.conv\.3\.fc\.2\.", "backbone.features.1.attention.restore."),
    (r"backbone\.features\.1\.conv\.4\.", "backbone.features.1.project.0."),
    (r"backbone\.features\.1\.conv\.5\.", "backbone.features.1.project.1."),
    (r"backbone\.features\.(\d)\.conv\.([01])\.", r"backbone.features.\1.expand.\2."),
    (r"backbone\.features\.(\d)\.conv\.3\.", r"backbone.features.\1.depthwise.0."),
    (r"backbone\.features\.(\d)\.conv\.4\.", r"backbone.features.\1.depthwise.1."),
    (r"backbone\.features\.(\d)\.conv\.5\.fc\.0\.", r"backbone.features.\1.attention.reduce."),
    (r"backbone\.features\.(\d)\.conv\.5\.fc\.2\.", r"backbone.features.\1.attention.restore."),
    (r"backbone\.features\.(\d)\.conv\.7\.", r"backbone.features.\1.project.0."),
    (r"backbone\.features\.(\d)\.conv\.8\.", r"backbone.features.\1.project.1."),
    (r"ban_head\.corr_pw_(cls|reg)\.conv_kernel\.", r"head.\1.pixelwise.template."),
    (r"ban_head\.corr_pw_(cls|reg)\.conv_search\.", r"head.\1.pixelwise.search."),
    (r"ban_head\.corr_pw_(cls|reg)\.CA_layer\.fc1\.", r"head.\1.pixelwise.attention.reduce."),
    (r"ban_head\.corr_pw_(cls|reg)\.CA_layer\.fc2\.", r"head.\1.pixelwise.attention.restore."),
    (r"ban_head\.corr_pw_(cls|reg)\.conv\.", r"head.\1.pixelwise.mix."),
    (r"ban_head\.corr_dw_(cls|reg)\.conv_kernel\.", r"head.\1.depthwise.template."),
    (r"ban_head\.corr_dw_(cls|reg)\.conv_search\.", r"head.\1.depthwise.search."),
    (r"ban_head\.down_(cls|reg)\.0\.", r"head.\1.join."),
    (r"ban_head\.cls_tower\.", "head.cls.tower."),
    (r"ban_head\.bbox_tower\.", "head.reg.tower."),
    (r"ban_head\.cls_logits\.0\.", "head.cls.output."),
    (r"ban_head\.bbox_pred\.0\.", "head.reg.output."),
)
UNREAD = ("neck.",)


def _conv_bn(
    inside: int, out: int, kernel: int = 1, stride: int = 1, groups: int = 1, bias: bool = False
) -> nn.Sequential:
    return conv_bn(inside, out, kernel, stride, kernel // 2, groups=groups, bias=bias)


class SqueezeExcite(nn.Module):
    """Scale each channel by a factor computed from the averages of all channels."""

    def __init__(self, channels: int, cells: int):
        super().__init__()
        self.reduce = nn.Linear(channels, cells)
        self.restore = nn.Linear(cells, channels)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, h, w)`` to the same shape."""
        scale = F.hardsigmoid(self.restore(F.relu(self.reduce(x.mean(dim=(2, 3))))))
        return x * scale[:, :, None, None]


class InvertedResidual(nn.Module):
    """MobileNetV3 block: expand, depthwise, attention, project; added to the input where both have the same shape."""

    def __init__(self, channels: int, kernel: int, inside: int, out: int, cells: int, swish: bool, stride: int):
        super().__init__()
        self.expands = inside != channels
        if self.expands:
            self.expand = _conv_bn(channels, inside)
        self.depthwise = _conv_bn(inside, inside, kernel, stride, groups=inside)
        self.attention = SqueezeExcite(inside, cells) if cells else nn.Identity()
        self.project = _conv_bn(inside, out)
        self.activation = nn.Hardswish() if swish else nn.ReLU()
        self.adds = stride == 1 and channels == out

    def forward(self, x: Tensor) -> Tensor:
        """``(B, channels, h, w)`` to ``(B, out, h', w')``."""
        if self.expands:
            y = self.activation(self.attention(self.depthwise(self.activation(self.expand(x)))))
        else:
            y = self.attention(self.activation(self.depthwise(x)))
        y = self.project(y)
        return x + y if self.adds else y


class Backbone(nn.Module):
    """MobileNetV3-small up to stride 16.

    ``(B, 3, 127, 127)`` to ``(B, 96, 8, 8)``; a crop of 255 gives 16 x 16 cells. Input is BGR, 0 to 255.
    """

    def __init__(self) -> None:
        super().__init__()
        stages: list[nn.Module] = [nn.Sequential(*_conv_bn(3, 16, 3, 2), nn.Hardswish())]
        channels = 16
        for kernel, inside, out, cells, swish, stride in BLOCKS:
            stages.append(InvertedResidual(channels, kernel, inside, out, cells, swish, stride))
            channels = out
        self.features = nn.Sequential(*stages)

    def forward(self, image: Tensor) -> Tensor:
        """Crops to features."""
        return self.features(image)


class ChannelAttention(nn.Module):
    """Scale each channel by a gate computed from the averages of all channels."""

    def __init__(self, channels: int):
        super().__init__()
        self.reduce = nn.Conv2d(channels, channels, 1)
        self.restore = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, h, w)`` to the same shape."""
        return x * torch.sigmoid(self.restore(F.relu(self.reduce(x.mean(dim=(2, 3), keepdim=True)))))


class PixelwiseCorrelation(nn.Module):
    """Every cell of the template (8 x 8 = 64) against every cell of the search region: ``(B, 64, 15, 15)``."""

    def __init__(self) -> None:
        super().__init__()
        self.template = _conv_bn(CHANNELS, CHANNELS, bias=True)
        self.search = _conv_bn(CHANNELS, CHANNELS, bias=True)
        self.attention = ChannelAttention(TEMPLATE_CELLS)
        self.mix = nn.Sequential(
            nn.Conv2d(TEMPLATE_CELLS, TEMPLATE_CELLS, 2, groups=TEMPLATE_CELLS, bias=False),
            nn.BatchNorm2d(TEMPLATE_CELLS),
            nn.ReLU6(),
            nn.Conv2d(TEMPLATE_CELLS, TEMPLATE_CELLS, 1),
            nn.BatchNorm2d(TEMPLATE_CELLS),
        )

    def forward(self, template: Tensor, search: Tensor) -> Tensor:
        """Template ``(B, 96, 8, 8)`` and search features ``(B, 96, 16, 16)`` to ``(B, 64, 15, 15)``."""
        kernel, image = self.template(template), self.search(search)
        product = kernel.flatten(2).transpose(1, 2) @ image.flatten(2)
        return self.mix(self.attention(product.unflatten(2, image.shape[2:])))


class DepthwiseCorrelation(nn.Module):
    """The middle of the template (4 x 4) slides over the search region, channel by channel: ``(B, 96, 15, 15)``."""

    def __init__(self) -> None:
        super().__init__()
        self.template = _conv_bn(CHANNELS, CHANNELS, bias=True)
        self.search = _conv_bn(CHANNELS, CHANNELS, bias=True)

    def forward(self, template: Tensor, search: Tensor) -> Tensor:
        """Template ``(B, 96, 8, 8)`` and search features ``(B, 96, 16, 16)`` to ``(B, 96, 15, 15)``."""
        return correlation(self.search(search), self.template(template[:, :, 2:6, 2:6]), padding=1)


class Branch(nn.Module):
    """Both correlations joined, six depthwise separable layers, and one map per answer: ``(B, answers, 15, 15)``."""

    def __init__(self, answers: int):
        super().__init__()
        self.pixelwise = PixelwiseCorrelation()
        self.depthwise = DepthwiseCorrelation()
        self.join = nn.Conv2d(TEMPLATE_CELLS + CHANNELS, CHANNELS, 1)
        layers: list[nn.Module] = []
        for _ in range(6):
            layers += [*_conv_bn(CHANNELS, CHANNELS, 3, groups=CHANNELS), nn.ReLU6(), *_conv_bn(CHANNELS, CHANNELS)]
        self.tower = nn.Sequential(*layers)
        self.output = nn.Conv2d(CHANNELS, answers, 1)

    def forward(self, template: Tensor, search: Tensor) -> Tensor:
        """Template and search features to ``(B, answers, 15, 15)``."""
        both = torch.cat([self.pixelwise(template, search), self.depthwise(template, search)], dim=1)
        return self.output(self.tower(self.join(both)))


class Head(nn.Module):
    """The head: one box per cell, as distances to its sides."""

    def __init__(self) -> None:
        super().__init__()
        self.cls = Branch(2)
        self.reg = Branch(4)

    def forward(self, template: Tensor, search: Tensor) -> tuple[Tensor, Tensor]:
        """Template and search features to classes and boxes.

        Returns
        -------
        classes : Tensor
            Logits of background and target, ``(B, 2, 15, 15)``.
        boxes : Tensor
            Distances to left, top, right and bottom, pixels of the search crop, ``(B, 4, 15, 15)``.
        """
        return self.cls(template, search), self.reg(template, search).exp()


class NanoTrackV3(SiameseNetwork):
    """Backbone and head, with random weights; `forward` is the pass of a training step over pairs of crops."""

    title = "NanoTrack V3"
    names = NAMES
    unread = UNREAD
    joint = JOINT

    def __init__(self) -> None:
        super().__init__()
        self.backbone = Backbone()
        self.head = Head()

    def forward(self, template: Tensor, search: Tensor) -> tuple[Tensor, Tensor]:
        """Crops ``(B, 3, 127, 127)`` and ``(B, 3, 255, 255)`` to the head's two maps."""
        return self.head(self.backbone(template), self.backbone(search))

    def parts(self) -> dict[str, Part]:
        """The graphs, with the names and shapes of the published ones."""
        template, search = spec("input1", CHANNELS, 8, 8), spec("input2", CHANNELS, 16, 16)
        return {
            "template": Part(self.backbone, (spec("input", 3, 127, 127),), (spec("output", CHANNELS, 8, 8),)),
            "search": Part(self.backbone, (spec("input", 3, 255, 255),), (spec("output", CHANNELS, 16, 16),)),
            "head": Part(self.head, (template, search), (spec("output1", 2, 15, 15), spec("output2", 4, 15, 15))),
        }


def load(path: str | Path) -> NanoTrackV3:
    """The published checkpoint (``nanotrackv3.pth``) as a network in evaluation mode.

    Raises
    ------
    InputError
        Where a tensor outside `UNREAD` has no place, or a place has no tensor.
    """
    model = NanoTrackV3()
    parts.load_into(model, path)
    return model


def engines(model: NanoTrackV3, device: str = "cpu") -> tuple[TorchEngine, ...]:
    """``(template backbone, search backbone, head)``, with the names and shapes of the published graphs."""
    return parts.engines(model, device)
