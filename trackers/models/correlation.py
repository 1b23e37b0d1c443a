"""Depth-wise cross-correlation: a template's features slid over the search region's, channel by channel.

Source: SiamRPN++ (CVPR 2019), section 3.4.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from pvtpp.errors import InputError


def grouped(search: Tensor, kernel: Tensor) -> Tensor:
    """One convolution with a group per sample and channel, its weights known at run time only."""
    batch, channels = kernel.shape[:2]
    product = F.conv2d(search.flatten(0, 1)[None], kernel.flatten(0, 1)[:, None], groups=batch * channels)
    return product[0].unflatten(0, (batch, channels))


def unrolled(search: Tensor, kernel: Tensor) -> Tensor:
    """One shifted product per cell of the template, summed: slices, products and sums, which every runtime has."""
    rows, columns = kernel.shape[2:]
    height, width = search.shape[2] - rows + 1, search.shape[3] - columns + 1
    # Written out, not stacked: a stack of 25 shifted copies would not fit a small device's cache.
    total = search[:, :, :height, :width] * kernel[:, :, :1, :1]
    for cell in range(1, rows * columns):
        y, x = divmod(cell, columns)
        total = total + search[:, :, y : y + height, x : x + width] * kernel[:, :, y : y + 1, x : x + 1]
    return total


FORMS = {"grouped": grouped, "unrolled": unrolled}
"""``grouped`` is the fast one on a CPU and in training; TensorRT takes no weights known at run time only, so ``unrolled``."""


def correlation(search: Tensor, kernel: Tensor, form: str = "grouped", padding: int = 0) -> Tensor:
    """``(B, C, H, W)`` with ``(B, C, h, w)`` to ``(B, C, H + 2 padding - h + 1, ..)``; both `FORMS` agree to rounding.

    Raises InputError for an unknown form.
    """
    if form not in FORMS:
        raise InputError(f"no form of correlation called {form!r}; there are {', '.join(FORMS)}")
    return FORMS[form](F.pad(search, [padding] * 4) if padding else search, kernel)


class Correlation(nn.Module):
    """`correlation` as a layer without weights, so that `set_form` finds it."""

    def __init__(self, padding: int = 0):
        super().__init__()
        self.padding, self.form = padding, "grouped"

    def forward(self, search: Tensor, kernel: Tensor) -> Tensor:
        return correlation(search, kernel, self.form, self.padding)


def set_form(model: nn.Module, form: str) -> None:
    """Let every correlation in `model` be computed in this one of `FORMS`. Unknown: InputError."""
    if form not in FORMS:
        raise InputError(f"no form of correlation called {form!r}; there are {', '.join(FORMS)}")
    for module in model.modules():
        if isinstance(module, Correlation):
            module.form = form
