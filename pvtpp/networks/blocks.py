"""Building blocks of the N-head modules: cues from past motion and from images, and a decoder with one head per frame.

Source: PVT++ (arXiv 2211.11629), Fig. 4 and Eq. 4. In shapes B is the batch, k the number of past steps, N that of
heads, C that of feature channels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def motion_input(motion: Tensor, interval: Tensor) -> Tensor:
    """Each step and its speed: motion ``(B, k, 4)`` and interval ``(B, k)`` in frames to ``(B, k, 8)``."""
    return torch.cat([motion, motion / interval[..., None]], dim=2)


def motion_factor(motion: Tensor, interval: Tensor, signed: bool) -> Tensor:
    """The relative motion factor: mean speed per frame over the past steps.

    Parameters
    ----------
    motion
        Past steps, ``(B, k, 4)``.
    interval
        Frames between them, ``(B, k)``.
    signed
        True is Eq. 4. False averages absolute speeds, as the published code does: then the network has to give the
        direction, and motion back and forth does not cancel.

    Returns
    -------
    Tensor
        ``(B, 1, 4)``.
    """
    speed = motion / interval[..., None]
    return (speed if signed else speed.abs()).mean(dim=1, keepdim=True)


def depthwise_correlation(search: Tensor, kernel: Tensor) -> Tensor:
    """Slide each kernel channel over its search channel.

    Parameters
    ----------
    search
        ``(B, C, H, W)``.
    kernel
        ``(B, C, h, w)``.

    Returns
    -------
    Tensor
        ``(B, C, H - h + 1, W - w + 1)``.
    """
    batch, channels = search.shape[:2]
    product = F.conv2d(search.flatten(0, 1)[None], kernel.flatten(0, 1)[:, None], groups=batch * channels)
    return product[0].unflatten(0, (batch, channels))


class MotionCue(nn.Module):
    """The past steps as one vector: each step is encoded, neighbours in time are convolved, and all are averaged."""

    def __init__(self, width: int):
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(8, width), nn.LayerNorm(width), nn.ReLU())
        self.interact = nn.Sequential(nn.Conv1d(width, width, 3, padding=1), nn.BatchNorm1d(width), nn.ReLU())

    def forward(self, motion: Tensor, interval: Tensor) -> Tensor:
        """Motion ``(B, k, 4)`` and interval ``(B, k)`` to ``(B, width)``."""
        steps = self.encode(motion_input(motion, interval))
        return self.interact(steps.transpose(1, 2)).mean(dim=2)


class VisualCue(nn.Module):
    """What template and search features say about the target's motion, per frame and over time.

    `similarity` holds all that concerns a single frame, so that past frames need not be computed again.
    """

    def __init__(self, channels: int, width: int):
        super().__init__()
        self.template = _conv(channels, width, 3)
        self.search = _conv(channels, width, 3)
        self.mix = _conv(width, width, 1)
        self.interact = nn.Sequential(nn.Conv3d(width, width, 3, padding=1), nn.BatchNorm3d(width), nn.ReLU())

    def kernel(self, template: Tensor) -> Tensor:
        """The correlation kernel ``(B, width, h - 2, w - 2)`` of template features ``(B, C, h, w)``."""
        return self.template(template)

    def correlate(self, kernel: Tensor, search: Tensor) -> Tensor:
        """Correlate kernels with the search features of as many frames.

        Parameters
        ----------
        kernel
            As `kernel` returns it.
        search
            ``(B, C, H, W)``.

        Returns
        -------
        Tensor
            ``(B, width, H - h + 1, W - w + 1)``.
        """
        return depthwise_correlation(self.search(search), kernel)

    def similarity(self, template: Tensor, search: Tensor) -> Tensor:
        """The correlation map of one frame per sample.

        Parameters
        ----------
        template
            ``(B, C, h, w)``.
        search
            ``(B, C, H, W)``.

        Returns
        -------
        Tensor
            ``(B, width, H - h + 1, W - w + 1)``.
        """
        return self.mix(self.correlate(self.kernel(template), search))

    def similarities(self, template: Tensor, search: Tensor) -> Tensor:
        """As `similarity`, for one template and k search features per sample.

        Parameters
        ----------
        template
            ``(B, C, h, w)``.
        search
            ``(B, k, C, H, W)``.

        Returns
        -------
        Tensor
            ``(B, k, width, H - h + 1, W - w + 1)``.
        """
        batch, steps = search.shape[:2]
        kernel = self.kernel(template).repeat_interleave(steps, dim=0)
        return self.mix(self.correlate(kernel, search.flatten(0, 1))).unflatten(0, (batch, steps))

    def forward(self, similarities: Tensor) -> Tensor:
        """Similarities of k frames, ``(B, k, width, H, W)``, to one vector ``(B, width)``."""
        return self.interact(similarities.transpose(1, 2)).mean(dim=(2, 3, 4))


class Decoder(nn.Module):
    """A cue to N motions: head n predicts n frames ahead; the horizon enters in no other way."""

    def __init__(self, inputs: int, narrow: int, heads: int):
        super().__init__()
        self.reduce = nn.Sequential(nn.Linear(inputs, narrow), nn.BatchNorm1d(narrow), nn.ReLU())
        self.heads = nn.ModuleList(nn.Linear(narrow, narrow) for _ in range(heads))
        self.output = nn.Sequential(nn.LayerNorm(narrow), nn.ReLU(), nn.Linear(narrow, 4))

    def forward(self, cue: Tensor) -> Tensor:
        """A cue ``(B, inputs)`` to motions ``(B, N, 4)`` in units of the relative motion factor."""
        reduced = self.reduce(cue)
        return self.output(torch.stack([head(reduced) for head in self.heads], dim=1))


class StepEstimator(nn.Sequential):
    """Used in training alone: estimates a frame's own step from its correlation map."""

    def __init__(self, width: int):
        super().__init__(*_conv(width, width, 1), nn.Conv2d(width, 4, 1))

    def forward(self, correlation: Tensor) -> Tensor:
        """A correlation map ``(B, width, H, W)`` to a step ``(B, 4)``."""
        return super().forward(correlation).mean(dim=(2, 3))


def initialise(network: nn.Module) -> None:
    """He's normal weights by fan-out, as in the published code; all biases zero."""
    for module in network.modules():
        if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _conv(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())
