"""What the modules of PVT++ are made of: cues from the past (motion, visual), and the decoder with one head per frame.

Source: PVT++ (arXiv 2211.11629), Fig. 4 and Eq. 4. B: batch, k: past steps, N: heads, C: feature channels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def motion_input(motion: Tensor, interval: Tensor) -> Tensor:
    """Each step and its speed: ``(B, k, 4)`` motion and ``(B, k)`` interval in frames to ``(B, k, 8)``."""
    return torch.cat([motion, motion / interval[..., None]], dim=2)


def motion_factor(motion: Tensor, interval: Tensor, signed: bool) -> Tensor:
    """The relative motion factor ``(B, 1, 4)``: mean speed per frame over the past steps.

    `signed` is Eq. 4; otherwise the mean of absolute speeds, as in the published code: the network then has to say the
    direction itself, and motion back and forth does not cancel.
    """
    speed = motion / interval[..., None]
    return (speed if signed else speed.abs()).mean(dim=1, keepdim=True)


def depthwise_correlation(search: Tensor, kernel: Tensor) -> Tensor:
    """Slides each kernel channel over its search channel: ``(B, C, H, W)`` and ``(B, C, h, w)`` to ``(B, C, H-h+1, W-w+1)``."""
    batch, channels = search.shape[:2]
    product = F.conv2d(search.flatten(0, 1)[None], kernel.flatten(0, 1)[:, None], groups=batch * channels)
    return product[0].unflatten(0, (batch, channels))


class MotionCue(nn.Module):
    """The past steps as one vector: each encoded, neighbours in time convolved, averaged over time."""

    def __init__(self, width: int):
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(8, width), nn.LayerNorm(width), nn.ReLU())
        self.interact = nn.Sequential(nn.Conv1d(width, width, 3, padding=1), nn.BatchNorm1d(width), nn.ReLU())

    def forward(self, motion: Tensor, interval: Tensor) -> Tensor:
        """``(B, k, 4)`` and ``(B, k)`` to ``(B, width)``."""
        steps = self.encode(motion_input(motion, interval))
        return self.interact(steps.transpose(1, 2)).mean(dim=2)


class VisualCue(nn.Module):
    """What template and search features say of the target's motion, per frame and over time.

    All that concerns one frame alone is `similarity`, so that past frames need not be computed again.
    """

    def __init__(self, channels: int, width: int):
        super().__init__()
        self.template = _conv(channels, width, 3)
        self.search = _conv(channels, width, 3)
        self.mix = _conv(width, width, 1)
        self.interact = nn.Sequential(nn.Conv3d(width, width, 3, padding=1), nn.BatchNorm3d(width), nn.ReLU())

    def kernel(self, template: Tensor) -> Tensor:
        """``(B, C, h, w)`` to the correlation kernel ``(B, width, h-2, w-2)``."""
        return self.template(template)

    def correlate(self, kernel: Tensor, search: Tensor) -> Tensor:
        """Kernel and search features ``(B, C, H, W)`` of as many frames, correlated: ``(B, width, H-h+1, W-w+1)``."""
        return depthwise_correlation(self.search(search), kernel)

    def similarity(self, template: Tensor, search: Tensor) -> Tensor:
        """Features of one frame per sample, ``(B, C, h, w)`` and ``(B, C, H, W)``, to ``(B, width, H-h+1, W-w+1)``."""
        return self.mix(self.correlate(self.kernel(template), search))

    def similarities(self, template: Tensor, search: Tensor) -> Tensor:
        """One template and k search features per sample, ``(B, k, C, H, W)``, to ``(B, k, width, H-h+1, W-w+1)``."""
        batch, steps = search.shape[:2]
        kernel = self.kernel(template).repeat_interleave(steps, dim=0)
        return self.mix(self.correlate(kernel, search.flatten(0, 1))).unflatten(0, (batch, steps))

    def forward(self, similarities: Tensor) -> Tensor:
        """``(B, k, width, H, W)`` to ``(B, width)``."""
        return self.interact(similarities.transpose(1, 2)).mean(dim=(2, 3, 4))


class Decoder(nn.Module):
    """A cue to N motions: head n speaks for n frames ahead, and the time ahead enters in no other way."""

    def __init__(self, inputs: int, narrow: int, heads: int):
        super().__init__()
        self.reduce = nn.Sequential(nn.Linear(inputs, narrow), nn.BatchNorm1d(narrow), nn.ReLU())
        self.heads = nn.ModuleList(nn.Linear(narrow, narrow) for _ in range(heads))
        self.output = nn.Sequential(nn.LayerNorm(narrow), nn.ReLU(), nn.Linear(narrow, 4))

    def forward(self, cue: Tensor) -> Tensor:
        """``(B, inputs)`` to ``(B, N, 4)``, in units of the relative motion factor."""
        reduced = self.reduce(cue)
        return self.output(torch.stack([head(reduced) for head in self.heads], dim=1))


class StepEstimator(nn.Sequential):
    """Auxiliary, for training alone: the correlation map of one frame to that frame's own step, ``(B, 4)``."""

    def __init__(self, width: int):
        super().__init__(*_conv(width, width, 1), nn.Conv2d(width, 4, 1))

    def forward(self, correlation: Tensor) -> Tensor:
        return super().forward(correlation).mean(dim=(2, 3))


def initialise(network: nn.Module) -> None:
    """He's normal weights by fan-out, as in the published code; every bias at zero."""
    for module in network.modules():
        if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _conv(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())
