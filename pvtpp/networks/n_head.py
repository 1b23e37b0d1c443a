"""The modules of PVT++ with N heads: motion (M), visual (V) and joint (MV), one class and one configuration.

Source: PVT++ (arXiv 2211.11629), Fig. 4, and the published code's `lb_5`, `lbv_5` and `mv_v16`, whose arithmetic this
keeps. The code has a third linear layer beside the heads that is never run (1,056 parameters at N = 3); it is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pvtpp.errors import InputError
from pvtpp.inference.engine import TensorSpec
from pvtpp.inference.torch import TorchEngine
from pvtpp.networks.blocks import Decoder, MotionCue, StepEstimator, VisualCue, initialise, motion_factor
from pvtpp.networks.rules import count_from
from pvtpp.validation import check, holds, one_of

KINDS = ("motion", "visual", "joint")
FACTORS = ("absolute", "signed")


@dataclass(frozen=True)
class NHeadConfig:
    """Which module, and its sizes.

    Attributes
    ----------
    kind
        ``motion`` (M), ``visual`` (V) or ``joint`` (MV).
    heads
        Frames predicted, N.
    history
        Past steps read, k.
    channels
        Of the tracker's features.
    factor
        Relative motion factor: ``absolute``, the mean of absolute speeds (the published code and its weights), or
        ``signed`` (Eq. 4).
    auxiliary
        With the branches that training alone uses.
    width, narrow
        Sizes of the layers, the paper's 64 and 32.

    Raises
    ------
    InputError
        For a value out of range.
    """

    kind: str
    heads: int = 3
    history: int = 3
    channels: int = 256
    factor: str = "absolute"
    auxiliary: bool = True
    width: int = 64
    narrow: int = 32

    def __post_init__(self) -> None:
        counts = ("heads", "history", "channels", "width", "narrow")
        rules = {
            "kind": one_of(KINDS),
            "factor": one_of(FACTORS),
            **dict.fromkeys(counts, count_from(1)),
            "auxiliary": holds("True or False", lambda value: isinstance(value, bool)),
        }
        check(self, rules)

    @property
    def sees_motion(self) -> bool:
        """Whether the module reads past steps."""
        return self.kind != "visual"

    @property
    def sees_images(self) -> bool:
        """Whether the module reads the tracker's features."""
        return self.kind != "motion"

    def as_dict(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], source: str = "configuration") -> NHeadConfig:
        """The configuration with these field values; `source` stands in messages.

        Raises
        ------
        InputError
            For unknown or missing fields.
        """
        try:
            return cls(**values)
        except TypeError as error:
            raise InputError(f"{source}: {error}; known are {', '.join(cls.__dataclass_fields__)}") from None


class NHeadNetwork(nn.Module):
    """M, V or MV.

    Motions are ``[dx/w, dy/h, log w'/w, log h'/h]``: inputs between consecutive results, outputs from the newest result
    to 1..N frames later. Intervals are in frames, at least 1.
    """

    def __init__(self, config: NHeadConfig):
        super().__init__()
        self.config = config
        width = config.width
        cues: dict[str, int] = {}
        if config.sees_motion:
            self.motion = MotionCue(width)
            cues["motion"] = width
        if config.sees_images:
            self.visual = VisualCue(config.channels, width)
            cues["visual"] = width
        if config.kind == "joint":
            cues = {**cues, "joint": 2 * width} if config.auxiliary else {"joint": 2 * width}
        self.decoders = nn.ModuleDict({name: Decoder(size, config.narrow, config.heads) for name, size in cues.items()})
        if config.sees_images and config.auxiliary:
            self.estimator = StepEstimator(width)
        initialise(self)

    def forward(
        self, motion: Tensor, interval: Tensor, template: Tensor | None = None, search: Tensor | None = None
    ) -> Tensor:
        """Predict from past steps and, for V and MV, features.

        Parameters
        ----------
        motion
            Past steps, ``(B, k, 4)``.
        interval
            Frames between them, ``(B, k)``.
        template
            V and MV: features of the template, ``(B, C, h, w)``.
        search
            V and MV: features of k search regions, ``(B, k, C, H, W)``, oldest first.

        Returns
        -------
        Tensor
            ``(B, N, 4)``.
        """
        return self.decode(motion, interval, self._similarities(template, search))

    def branches(
        self, motion: Tensor, interval: Tensor, template: Tensor | None = None, search: Tensor | None = None
    ) -> dict[str, Tensor]:
        """What training compares with the truth, ``(B, N, 4)`` each: the branch called `kind`, and auxiliary ones."""
        return self._branches(motion, interval, self._similarities(template, search))

    def encode(self, template: Tensor, search: Tensor) -> Tensor:
        """All that V and MV need of one frame.

        `decode` of k of these, stacked, is `forward` in evaluation mode, without computing past frames again.

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
        return self.visual.similarity(template, search)

    def decode(self, motion: Tensor, interval: Tensor, similarities: Tensor | None = None) -> Tensor:
        """Predict from past steps and, for V and MV, encoded frames ``(B, k, width, H, W)``; returns ``(B, N, 4)``."""
        return self._branches(motion, interval, similarities, only=self.config.kind)[self.config.kind]

    def estimate(self, template: Tensor, search: Tensor) -> Tensor:
        """Used in training: one frame's own step ``(B, 4)`` from features ``(B, C, h, w)`` and ``(B, C, H, W)``.

        Raises
        ------
        InputError
            If the module has no such branch.
        """
        if not hasattr(self, "estimator"):
            raise InputError(f"a {self.config.kind} module with auxiliary={self.config.auxiliary} estimates no steps")
        return self.estimator(self.visual.correlate(self.visual.kernel(template), search))

    def _similarities(self, template: Tensor | None, search: Tensor | None) -> Tensor | None:
        if not self.config.sees_images:
            return None
        if template is None or search is None:
            raise InputError(f"a {self.config.kind} module needs the features of template and search region")
        return self.visual.similarities(template, search)

    def _branches(
        self, motion: Tensor, interval: Tensor, similarities: Tensor | None, only: str | None = None
    ) -> dict[str, Tensor]:
        cues: dict[str, Tensor] = {}
        if self.config.sees_images:
            if similarities is None:
                raise InputError(f"a {self.config.kind} module needs encoded frames")
            cues["visual"] = self.visual(similarities)
        if self.config.sees_motion:
            cues["motion"] = self.motion(motion, interval)
        if self.config.kind == "joint":
            cues["joint"] = torch.cat([cues["visual"], cues["motion"]], dim=1)
        factor = motion_factor(motion, interval, self.config.factor == "signed")
        wanted = [only] if only else list(self.decoders)
        return {name: self.decoders[name](cues[name]) * factor for name in wanted}


def as_engine(network: NHeadNetwork, template: int = 7, search: int = 31, device: str = "cpu") -> TorchEngine:
    """The whole module as an engine for one sample.

    Parameters
    ----------
    network
        The module.
    template, search
        Sides of the feature maps, for V and MV.
    device
        Where torch runs it.
    """
    config = network.config
    inputs = _steps(config)
    if config.sees_images:
        inputs += [
            _spec("template", config.channels, template, template),
            _spec("search", config.history, config.channels, search, search),
        ]
    return TorchEngine(network, inputs, [_spec("offset", config.heads, 4)], device, f"N-head {config.kind} module")


def as_engines(
    network: NHeadNetwork, template: int = 7, search: int = 31, device: str = "cpu"
) -> tuple[TorchEngine, TorchEngine]:
    """V or MV as two engines, so that each frame is encoded once; together they compute what `as_engine` does.

    Parameters
    ----------
    network
        The module.
    template, search
        Sides of the feature maps.
    device
        Where torch runs it.

    Returns
    -------
    tuple of TorchEngine
        Decoder and encoder.

    Raises
    ------
    InputError
        For M, which encodes no frames.
    """
    config = network.config
    if not config.sees_images:
        raise InputError("a motion module has no frames to encode; use as_engine")
    side = search - template + 1
    frame = (config.width, side, side)
    encoder = TorchEngine(
        _Part(network, "encode"),
        [_spec("template", config.channels, template, template), _spec("search", config.channels, search, search)],
        [_spec("similarity", *frame)],
        device,
        f"N-head {config.kind} encoder",
    )
    decoder = TorchEngine(
        _Part(network, "decode"),
        [*_steps(config), _spec("similarity", config.history, *frame)],
        [_spec("offset", config.heads, 4)],
        device,
        f"N-head {config.kind} decoder",
    )
    return decoder, encoder


class _Part(nn.Module):
    """One method of a network as a module."""

    def __init__(self, network: NHeadNetwork, method: str):
        super().__init__()
        self.network = network
        self.method = method

    def forward(self, *inputs: Tensor) -> Tensor:
        return getattr(self.network, self.method)(*inputs)


def _steps(config: NHeadConfig) -> list[TensorSpec]:
    return [_spec("motion", config.history, 4), _spec("interval", config.history)]


def _spec(name: str, *shape: int) -> TensorSpec:
    return TensorSpec(name, (1, *shape), np.dtype(np.float32))
