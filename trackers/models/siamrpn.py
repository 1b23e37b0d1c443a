"""SiamRPN++ in torch with its three published backbones; `pvtpp_trackers.models.zoo` loads published checkpoints.

Source: SiamRPN++ (CVPR 2019), SiamRPN (CVPR 2018; the AlexNet one has a depthwise head here, as published), and
github.com/STVIR/pysot. Crops are BGR, 0 to 255, not normalised. Joint training uses two parts, ``neck`` and ``head``;
with AlexNet there is no neck.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from pvtpp.errors import InputError
from pvtpp.inference.engine import TensorSpec
from pvtpp_trackers.models import alexnet, mobilenetv2, resnet, rpn
from pvtpp_trackers.models.parts import Features, FlatHead, Names, Part, SiameseNetwork, spec
from pvtpp_trackers.models.rpn import ANCHORS, CHANNELS, Head, Neck

TEMPLATE = 127
"""Side of the template's crop, pixels."""


@dataclass(frozen=True)
class Architecture:
    """One published network.

    Attributes
    ----------
    title
        Name in messages.
    backbone
        Makes the backbone.
    names
        Renames the backbone's published tensors.
    levels
        Channels of the backbone's maps; empty without a neck.
    search
        Side of the search crop, pixels.
    cells
        Sides of the maps of template, search region and answer.
    weighted
        Levels are averaged with learned weights.
    """

    title: str
    backbone: Callable[[], nn.Module]
    names: Names
    levels: tuple[int, ...]
    search: int = 255
    cells: tuple[int, int, int] = (7, 31, 25)
    weighted: bool = False


ARCHITECTURES = {
    "siamrpn-mobilenetv2": Architecture(
        "SiamRPN++ (MobileNetV2)", mobilenetv2.MobileNetV2, mobilenetv2.NAMES, levels=(44, 134, 448)
    ),
    "siamrpn-resnet50": Architecture(
        "SiamRPN++ (ResNet-50)", resnet.ResNet50, resnet.NAMES, levels=(512, 1024, 2048), weighted=True
    ),
    "siamrpn-alexnet": Architecture(
        "SiamRPN (AlexNet)", alexnet.AlexNet, alexnet.NAMES, levels=(), search=287, cells=(6, 26, 21)
    ),
}


class NoNeck(nn.Module):
    """For a backbone whose only map is what the head takes."""

    def forward(self, maps: Sequence[Tensor], template: bool = False) -> Sequence[Tensor]:
        """The maps unchanged."""
        return maps


class SiamRPN(SiameseNetwork):
    """Backbone, neck and head of one of `ARCHITECTURES`, with random weights; InputError for an unknown name."""

    # Only the ResNet-50 checkpoint tuned for VOT has weights of its levels; the others average, which is equal weights.
    optional = (*SiameseNetwork.optional, "_weight")

    def __init__(self, name: str):
        if name not in ARCHITECTURES:
            raise InputError(f"no SiamRPN called {name!r}; there are {', '.join(ARCHITECTURES)}")
        super().__init__()
        architecture = ARCHITECTURES[name]
        self.name, self.architecture, self.title = name, architecture, architecture.title
        self.names = (*architecture.names, *rpn.NAMES)
        self.joint = ("neck", "head") if architecture.levels else ("head",)
        self.backbone = architecture.backbone()
        self.neck: nn.Module = Neck(architecture.levels) if architecture.levels else NoNeck()
        self.head = Head(len(architecture.levels) or 1, architecture.weighted)

    def forward(self, template: Tensor, search: Tensor) -> tuple[Tensor, Tensor]:
        """Crops ``(B, 3, 127, 127)`` and ``(B, 3, 255, 255)`` (AlexNet: 287) to the head's ``(cls, loc)``."""
        return self.head(self.neck(self.backbone(template), True), self.neck(self.backbone(search)))

    def parts(self) -> dict[str, Part]:
        """The graphs, see `SiameseNetwork`."""
        side, (small, large, answer) = self.architecture.search, self.architecture.cells
        levels = len(self.head.levels)
        template, search = level_specs("template", levels, small), level_specs("search", levels, large)
        return {
            "template": Part(
                Features(self.backbone, self.neck, True), (spec("image", 3, TEMPLATE, TEMPLATE),), template
            ),
            "search": Part(Features(self.backbone, self.neck, False), (spec("image", 3, side, side),), search),
            "head": Part(
                FlatHead(self.head),
                (*template, *search),
                (spec("cls", 2 * ANCHORS, answer, answer), spec("loc", 4 * ANCHORS, answer, answer)),
            ),
        }


def level_specs(name: str, levels: int, cells: int) -> tuple[TensorSpec, ...]:
    """Inputs or outputs ``name1`` to ``nameN``, one for each level."""
    return tuple(spec(f"{name}{level + 1}", CHANNELS, cells, cells) for level in range(levels))
