"""Depthwise cross-correlation: a template's features slide over the search region's, channel by channel.

Source: SiamRPN++ (CVPR 2019), section 3.4.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def correlation(search: Tensor, kernel: Tensor, padding: int = 0) -> Tensor:
    """Correlate search features with the template's, channel by channel.

    It is one convolution with a group per sample and channel, whose weights are known at run time only. TensorRT
    8.4 does not take such weights: for it `pvtpp.export.operators` unrolls the graph.

    Parameters
    ----------
    search
        ``(B, C, H, W)``.
    kernel
        ``(B, C, h, w)``.
    padding
        Zeros around the search features, cells.

    Returns
    -------
    Tensor
        ``(B, C, H + 2 padding - h + 1, W + 2 padding - w + 1)``.
    """
    batch, channels = kernel.shape[:2]
    maps, weights = search.flatten(0, 1)[None], kernel.flatten(0, 1)[:, None]
    return F.conv2d(maps, weights, padding=padding, groups=batch * channels)[0].unflatten(0, (batch, channels))
