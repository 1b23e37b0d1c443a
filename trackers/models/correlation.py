"""Depth-wise cross-correlation: a template's features slid over the search region's, channel by channel.

Source: SiamRPN++ (CVPR 2019), section 3.4.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def correlation(search: Tensor, kernel: Tensor, padding: int = 0) -> Tensor:
    """``(B, C, H, W)`` with ``(B, C, h, w)`` to ``(B, C, H + 2 padding - h + 1, ..)``.

    One convolution with a group per sample and channel, its weights known at run time only. TensorRT takes no such weights:
    for it `pvtpp.export.operators` unrolls the graph.
    """
    batch, channels = kernel.shape[:2]
    maps, weights = search.flatten(0, 1)[None], kernel.flatten(0, 1)[:, None]
    return F.conv2d(maps, weights, padding=padding, groups=batch * channels)[0].unflatten(0, (batch, channels))
