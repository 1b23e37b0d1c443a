"""The convolution block that all networks here are made of."""

from __future__ import annotations

from torch import nn


def conv_bn(
    inside: int,
    out: int,
    kernel: int = 1,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    groups: int = 1,
    bias: bool = False,
    activation: nn.Module | None = None,
) -> nn.Sequential:
    """Convolution, batch normalisation and, if given, `activation`; by default nothing is padded."""
    layers: list[nn.Module] = [
        nn.Conv2d(inside, out, kernel, stride, padding, dilation, groups, bias),
        nn.BatchNorm2d(out),
    ]
    return nn.Sequential(*layers, *([] if activation is None else [activation]))
