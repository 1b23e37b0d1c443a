"""SiamMask in torch: SiamRPN++ on one level of ResNet-50, a coarse mask at every cell, and a fine one at the best cell.

Source: SiamMask (CVPR 2019), github.com/STVIR/pysot; `pvtpp_trackers.models.zoo` loads the published checkpoint. Crops
are BGR, 0 to 255, not normalised. Joint training uses ``neck`` and ``head``, as for SiamRPN++; masks need masks as
truth.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from pvtpp_trackers.models import resnet, rpn
from pvtpp_trackers.models.parts import Features, Part, SiameseNetwork, spec
from pvtpp_trackers.models.rpn import ANCHORS, CHANNELS, Branch, Head, Neck
from pvtpp_trackers.models.siamrpn import TEMPLATE, level_specs

COARSE, FINE = 63, 127
"""Sides of the two masks of a template-sized window, cells."""
WINDOWS = ((64, 61), (256, 31), (512, 15))
"""Channels and side of each map's window around the best cell, the finest first; they move by 4, 2 and 1 cells."""

NAMES = (
    *resnet.NAMES,
    *rpn.NAMES,
    (r"mask_head\.conv_kernel\.", "mask.template."),
    (r"mask_head\.conv_search\.", "mask.search."),
    (r"mask_head\.head\.", "mask.output."),
    (r"refine_head\.v(\d)\.", r"refine.maps.\1."),
    (r"refine_head\.h(\d)\.", r"refine.joins.\1."),
    (r"refine_head\.deconv\.", "refine.start."),
    (r"refine_head\.post(\d)\.", r"refine.steps.\1."),
)


class Refine(nn.Module):
    """Enlarge what the mask branch found at one cell, with the backbone's `WINDOWS` around that cell."""

    def __init__(self) -> None:
        super().__init__()
        # The finest map first, as published; they are used in reverse order.
        self.maps = nn.ModuleList(
            _two(channels, inside, out) for channels, inside, out in ((64, 16, 4), (256, 64, 16), (512, 128, 32))
        )
        self.joins = nn.ModuleList(_two(out, out, out) for out in (4, 16, 32))
        self.start = nn.ConvTranspose2d(CHANNELS, 32, 15, 15)
        self.steps = nn.ModuleList(nn.Conv2d(inside, out, 3, padding=1) for inside, out in ((32, 16), (16, 4), (4, 1)))

    def forward(self, fine: Tensor, middle: Tensor, coarse: Tensor, cell: Tensor) -> Tensor:
        """Three windows and the mask branch's cell ``(B, 256, 1, 1)`` to the mask's logits ``(B, 127, 127)``."""
        mask = self.start(cell)
        windows = (fine, middle, coarse)
        for level, step, side in zip((2, 1, 0), self.steps, (31, 61, FINE), strict=True):
            mask = self.joins[level](mask) + self.maps[level](windows[level])
            mask = step(F.interpolate(mask, size=(side, side)))
        return mask[:, 0]


class SiamMask(SiameseNetwork):
    """Backbone, neck, box head, mask branch and refinement, with random weights."""

    title = "SiamMask (ResNet-50)"
    names = NAMES
    joint = ("neck", "head")

    def __init__(self) -> None:
        super().__init__()
        self.backbone = resnet.ResNet50(used=(0, 1, 2, 3))
        self.neck = Neck((1024,))
        self.head = Head(1)
        self.mask = Branch(COARSE * COARSE)
        self.refine = Refine()

    def forward(self, template: Tensor, search: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Crops to the output maps.

        Parameters
        ----------
        template
            ``(B, 3, 127, 127)``.
        search
            ``(B, 3, 255, 255)``.

        Returns
        -------
        tuple of Tensor
            The head's ``cls`` and ``loc``, and logits of the coarse masks ``(B, 63 * 63, 25, 25)``.
        """
        z, x = self.neck(self.backbone(template)[-1:], True), self.neck(self.backbone(search)[-1:])
        return (*self.head(z, x), self.mask(z[0], x[0]))

    def parts(self) -> dict[str, Part]:
        """The graphs.

        ``search`` also returns the backbone's finer maps, ``head`` what the mask branch found at every cell, and
        ``refine`` takes both around one cell.
        """
        template, search = level_specs("template", 1, 7), level_specs("search", 1, 31)
        cells = spec("cells", CHANNELS, 25, 25)
        maps = (spec("map1", 64, 125, 125), spec("map2", 256, 63, 63), spec("map3", 512, 31, 31))
        answers = (spec("cls", 2 * ANCHORS, 25, 25), spec("loc", 4 * ANCHORS, 25, 25))
        windows = tuple(
            spec(f"window{level + 1}", channels, side, side) for level, (channels, side) in enumerate(WINDOWS)
        )
        return {
            "template": Part(
                Features(LastMap(self.backbone), self.neck, True), (spec("image", 3, TEMPLATE, TEMPLATE),), template
            ),
            "search": Part(SearchMaps(self.backbone, self.neck), (spec("image", 3, 255, 255),), (*search, *maps)),
            "head": Part(MaskHead(self.head, self.mask), (*template, *search), (*answers, cells)),
            "refine": Part(self.refine, (*windows, spec("cell", CHANNELS, 1, 1)), (spec("mask", FINE, FINE),)),
        }


class LastMap(nn.Module):
    """The backbone without its finer maps."""

    def __init__(self, backbone: nn.Module):
        super().__init__()
        self.backbone = backbone

    def forward(self, image: Tensor) -> Sequence[Tensor]:
        """A crop to the last map, as a list of one level."""
        return self.backbone(image)[-1:]


class SearchMaps(nn.Module):
    """The level that the head takes, and the backbone's finer maps."""

    def __init__(self, backbone: nn.Module, neck: nn.Module):
        super().__init__()
        self.backbone, self.neck = backbone, neck

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """A crop to its level and the finer maps."""
        *finer, last = self.backbone(image)
        return (*self.neck((last,)), *finer)


class MaskHead(nn.Module):
    """Box maps, and what the mask branch found before a mask is drawn from it."""

    def __init__(self, head: nn.Module, mask: Branch):
        super().__init__()
        self.head, self.mask = head, mask

    def forward(self, template: Tensor, search: Tensor) -> tuple[Tensor, ...]:
        """Template and search level to ``cls``, ``loc`` and the mask branch's correlation."""
        return (*self.head((template,), (search,)), self.mask.correlate(template, search))


def _two(inside: int, middle: int, out: int) -> nn.Sequential:
    layers = [nn.Conv2d(inside, middle, 3, padding=1), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.Conv2d(middle, out, 3, padding=1), nn.ReLU(inplace=True))
