"""AlexNet without padding and without fully connected layers, with one output map of stride 8, as SiamRPN uses it.

Source: SiamRPN (CVPR 2018), github.com/STVIR/pysot. Input is BGR, 0 to 255, not normalised.
"""

from __future__ import annotations

from torch import Tensor, nn

# Published tensors are named in one of two ways: all layers in one list, or one list for each layer.
NAMES = (
    (r"backbone\.layer1\.([01])\.", r"backbone.features.\1."),
    (r"backbone\.layer2\.0\.", "backbone.features.4."),
    (r"backbone\.layer2\.1\.", "backbone.features.5."),
    (r"backbone\.layer3\.0\.", "backbone.features.8."),
    (r"backbone\.layer3\.1\.", "backbone.features.9."),
    (r"backbone\.layer4\.0\.", "backbone.features.11."),
    (r"backbone\.layer4\.1\.", "backbone.features.12."),
    (r"backbone\.layer5\.0\.", "backbone.features.14."),
    (r"backbone\.layer5\.1\.", "backbone.features.15."),
)


class AlexNet(nn.Module):
    """``(B, 3, 287, 287)`` to ``((B, 256, 26, 26),)``; a crop of 127 gives 6 x 6 cells."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for out, kernel, stride, pools in (
            (96, 11, 2, True),
            (256, 5, 1, True),
            (384, 3, 1, False),
            (384, 3, 1, False),
        ):
            layers += [nn.Conv2d(channels, out, kernel, stride), nn.BatchNorm2d(out)]
            layers += [nn.MaxPool2d(3, 2)] if pools else []
            layers += [nn.ReLU(inplace=True)]
            channels = out
        self.features = nn.Sequential(*layers, nn.Conv2d(channels, 256, 3), nn.BatchNorm2d(256))

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Crops to the output map, as a tuple of one level."""
        return (self.features(image),)
