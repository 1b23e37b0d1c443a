"""The paper's N-head modules trained by its recipe: M on annotated boxes, V and MV on recordings of a tracker.

Source: PVT++ (arXiv 2211.11629), section 4, and the configurations of the published code. A module is made for one
frame rate and one processing time: its heads predict the frames that may be asked for before the next result is
available.

Two things differ from the paper. Windows are those that our own predictors learn from: with the errors of real trackers
and skipped frames, in place of the truth at constant intervals, and asked at frames where their answer is the newest.
And V and MV learn on a frozen tracker.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor

from pvtpp.errors import InputError
from pvtpp.networks.n_head import NHeadConfig, NHeadNetwork
from pvtpp.training.draw import Draw
from pvtpp.training.fit import WindowModule, fit
from pvtpp.training.motion import overlap
from pvtpp.training.recorded_windows import RecordedWindows, RecordingPool
from pvtpp.training.recordings import Recording
from pvtpp.training.report import LOSS, QUALITY
from pvtpp.training.rules import COUNTS
from pvtpp.training.run import Run
from pvtpp.training.windows import BoxPool, WindowConfig, sample, tensors
from pvtpp.validation import above, check


@dataclass(frozen=True)
class Recipe:
    """The paper's schedule for one kind of module (with its MobileNet tracker).

    Attributes
    ----------
    epochs
        Epochs of the training.
    learning_rate
        At the start.
    decay_epochs
        After each of these epochs the learning rate falls to a tenth.
    parts
        Weights of the branches' losses, by branch.
    """

    epochs: int
    learning_rate: float
    decay_epochs: tuple[int, ...]
    parts: dict[str, float]


RECIPES = {
    "motion": Recipe(100, 0.01, (15, 30, 40, 50, 80), {"motion": 1.0}),
    "visual": Recipe(210, 0.0035, (200,), {"visual": 1.0}),
    "joint": Recipe(280, 0.01, (200,), {"motion": 0.1, "visual": 0.1, "joint": 1.0}),
}
ESTIMATOR = 0.09
"""Weight of the loss of single frames' steps, for V and MV (the published code multiplies by 0.3 twice)."""


@dataclass(frozen=True)
class PaperTraining(Run):
    """How an N-head module is trained; an epoch is the paper's 10,000 samples in batches of 128.

    Attributes
    ----------
    network
        The module to train.
    kappa
        Frames per second that heads and intervals count in.
    windows
        What windows are drawn for M.
    recorded
        What windows are drawn for V and MV.
    decay_epochs, decay
        After each of these epochs the learning rate is multiplied by `decay`.
    robust, robust_scale
        Use the robust error ``log(1 + (error / robust_scale)^2)`` in place of the absolute one; the scale is in target
        sizes.

    Raises
    ------
    InputError
        For a value out of range, and if windows and network do not fit each other.
    """

    network: NHeadConfig = field(default_factory=lambda: NHeadConfig("motion"))
    kappa: float = 30.0
    windows: WindowConfig = field(
        default_factory=lambda: WindowConfig(results=5, fps30=0.0, fps=(30.0, 30.0), carrying=0.0)
    )
    recorded: RecordedWindows = field(default_factory=RecordedWindows)
    epochs: int = 100
    epoch_batches: int = 78
    shard_windows: int = 128
    learning_rate: float = 0.01
    decay_epochs: tuple[int, ...] = (15, 30, 40, 50, 80)
    decay: float = 0.1
    clip: float = 10.0
    robust: bool = False
    robust_scale: float = 0.15
    validation_windows: int = 2048

    def __post_init__(self) -> None:
        super().__post_init__()
        positive = dict.fromkeys(("kappa", "robust_scale", "decay"), above(0))
        check(self, {**positive, "decay_epochs": COUNTS})
        looked = self.recorded.history if self.network.sees_images else self.windows.results
        if looked <= self.network.history:
            raise InputError(
                f"PaperTraining: windows have {looked} results, {self.network.history} steps of the network need one "
                f"more"
            )
        if not self.network.sees_images:
            self._require_all_heads()
        elif (self.recorded.frames, self.recorded.ahead, self.recorded.kappa) != (
            self.network.history,
            self.network.heads,
            self.kappa,
        ):
            raise InputError(
                f"PaperTraining: recorded windows have {self.recorded.frames} frames with features and the truth of "
                f"{self.recorded.ahead} frames at {self.recorded.kappa:g} per second; the network has "
                f"{self.network.history} steps and {self.network.heads} heads at {self.kappa:g}"
            )

    def _require_all_heads(self) -> None:
        """Raise InputError unless M's windows have its frame rate and reach as far ahead as its last head."""
        w, kappa, heads = self.windows, self.kappa, self.network.heads
        if (w.fps30 < 1 and w.fps != (kappa, kappa)) or (w.fps30 > 0 and kappa != 30):
            raise InputError(
                f"PaperTraining: kappa is {kappa:g}, windows have cameras of {w.fps} fps and a share {w.fps30:g} of 30 "
                f"fps; they must all be of kappa"
            )
        # heads / kappa * kappa may be a little less than heads, by rounding.
        if w.longest_horizon_s * kappa < heads - 1e-6:
            raise InputError(
                f"PaperTraining: {heads} heads at {kappa:g} per second reach {heads / kappa:.3f} s ahead, windows only "
                f"longest_horizon_s = {w.longest_horizon_s:g}"
            )


def heads_for(kappa: float, processing_s: float, camera_fps: float | None = None) -> int:
    """How many frames after its own a result may still be the newest one.

    A result is available one processing time after its capture, the next one another processing time later, and that
    next frame may have waited for the camera.

    Parameters
    ----------
    kappa
        Frames per second that heads count in.
    processing_s
        The tracker's processing time, seconds.
    camera_fps
        The camera's frame rate; None takes `kappa`.
    """
    return math.ceil(2 * processing_s * kappa + kappa / (camera_fps or kappa))


def recipe(
    kind: str,
    kappa: float,
    processing_s: float,
    camera_fps: float | None = None,
    channels: int = NHeadConfig.channels,
    **given: Any,
) -> PaperTraining:
    """The paper's training of one kind of module.

    Parameters
    ----------
    kind
        ``motion``, ``visual`` or ``joint``.
    kappa
        Frames per second of the world.
    processing_s
        The tracker's processing time, seconds; for V and MV the longest.
    camera_fps
        The camera's frame rate, at most `kappa`; None takes `kappa`.
    channels
        Of the tracker's features.
    given
        Fields of the configuration that override the recipe.

    Raises
    ------
    InputError
        For an unknown kind and for values out of range.
    """
    if kind not in RECIPES:
        raise InputError(f"N-head module {kind!r}, expected one of: {', '.join(RECIPES)}")
    if not (0 < kappa < math.inf and 0 < processing_s < math.inf):
        raise InputError(f"N-head module for {kappa} fps and {processing_s} s: both must be above 0 and finite")
    heads, schedule = heads_for(kappa, processing_s, camera_fps), RECIPES[kind]
    network = NHeadConfig(kind, heads, channels=channels)
    made: dict[str, Any] = {
        "network": network,
        "kappa": kappa,
        "windows": WindowConfig(
            results=5,
            horizons=8,
            longest_horizon_s=heads / kappa,
            fps30=0.0,
            fps=(kappa, kappa),
            processing_s=(processing_s, processing_s),
            carrying=0.0,
        ),
        "recorded": RecordedWindows(history=5, frames=network.history, ahead=heads, kappa=kappa),
        "epochs": schedule.epochs,
        "learning_rate": schedule.learning_rate,
        "decay_epochs": schedule.decay_epochs,
    }
    return PaperTraining(**{**made, **given})


def as_steps(batch: dict[str, Tensor], history: int, kappa: float) -> tuple[Tensor, Tensor, Tensor]:
    """The last steps of windows, in the units of the paper.

    Parameters
    ----------
    batch
        Windows as `pvtpp.training.windows.tensors` makes them.
    history
        Number of steps, k.
    kappa
        Frames per second.

    Returns
    -------
    motion : Tensor
        ``(B, k, 4)``, each step in sizes of the box before it.
    interval : Tensor
        ``(B, k)``, frames.
    there : Tensor
        ``(B,)``, whether there was any step. The oldest step stands in for missing ones, as in
        `pvtpp.predictors.n_head`.
    """
    step, seconds = batch["step"][..., -history:].transpose(1, 2), batch["interval"][:, -history:]
    growth = step[..., 2:].flip(1).cumsum(1).flip(1).exp()
    motion = torch.cat([step[..., :2] * growth, step[..., 2:]], 2)
    missing = (seconds <= 0).sum(1, keepdim=True)
    place = torch.arange(history).clamp(min=missing.clamp(max=history - 1))
    interval = (seconds * kappa).round().clamp(min=1).gather(1, place)
    return motion.gather(1, place[..., None].expand_as(motion)), interval, missing[:, 0] < history


def from_boxes(pool: BoxPool, config: PaperTraining, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
    """Draw windows for M.

    Returns
    -------
    dict of Tensor
        `motion` ``(B, k, 4)`` and `interval` ``(B, k)`` as the network reads them, and for each frame asked its `head`
        ``(B, H)``, `truth` ``(B, H, 4)`` and `weight` ``(B, H)``.
    """
    batch = tensors(sample(pool, config.windows, rng, count))
    motion, interval, there = as_steps(batch, config.network.history, config.kappa)
    frame = (batch["horizon"] * config.kappa).round().long()
    covered = (frame >= 1) & (frame <= config.network.heads)
    return {
        "motion": motion,
        "interval": interval,
        "head": (frame - 1).clamp(0, config.network.heads - 1),
        "truth": batch["truth"],
        "weight": batch["weight"] * covered * there[:, None],
    }


def from_recordings(
    pool: RecordingPool, config: PaperTraining, rng: np.random.Generator, count: int
) -> dict[str, Tensor]:
    """Draw windows for V and MV: as `from_boxes`, with every head asked, and the features `template` and `search`."""
    batch = pool.sample(rng, count)
    motion, interval, there = as_steps(batch, config.network.history, config.kappa)
    complete = there & (batch["seen"] > 0).all(1)
    return {
        "motion": motion,
        "interval": interval,
        "template": batch["template"],
        "search": batch["search"],
        "head": torch.arange(config.network.heads).expand(count, -1),
        "truth": batch["ahead"],
        "weight": batch["ahead_weight"] * complete[:, None],
    }


class PaperModule(WindowModule):
    """Trains an N-head module as the paper does: every branch learns the truth, in V and MV each frame its own step.

    Parameters
    ----------
    config
        How it is trained.
    learnt, apart
        Draw windows to learn from, and held-out windows.

    Attributes
    ----------
    network
        The module that learns.
    """

    config: PaperTraining

    def __init__(self, config: PaperTraining, learnt: Draw | None = None, apart: Draw | None = None):
        super().__init__(config, learnt, apart)
        self.network = NHeadNetwork(config.network)

    def for_export(self) -> dict[str, Any]:
        """For V and MV: sides of the feature maps of template and search region."""
        pool = self.learnt.pool if self.learnt else None
        if not isinstance(pool, RecordingPool):
            return {}
        return {"sides": [pool.recordings[0].template.shape[-1], pool.recordings[0].search.shape[-1]]}

    def losses(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Losses of every branch and of the ``estimator``: summed over heads and coordinates, averaged over windows."""
        found = {}
        for name, asked in self._branches(batch).items():
            each = self._distance(asked - batch["truth"]).sum(2) * batch["weight"]
            found[name] = each.sum(1).mean() * (self.config.network.heads / batch["head"].shape[1])
        if self.config.network.sees_images and self.config.network.auxiliary:
            found["estimator"] = self._estimated(batch)
        return found

    def training_step(self, batch: dict[str, Tensor], index: int) -> Tensor:
        """The weighted sum of the losses of one batch."""
        parts = {**RECIPES[self.config.network.kind].parts, "estimator": ESTIMATOR}
        losses = self.losses(batch)
        self.log_dict({f"{LOSS}{name}": value for name, value in losses.items()})
        return torch.stack([parts[name] * value for name, value in losses.items()]).sum()

    def validation_step(self, batch: dict[str, Tensor], index: int) -> None:
        """Log the mean IoU of the module's own branch on the held-out windows."""
        asked = self._branches(batch)[self.config.network.kind]
        shared = (overlap(asked, batch["truth"]) * batch["weight"]).sum() / batch["weight"].sum().clamp(min=1)
        self.log(QUALITY, shared, prog_bar=True, sync_dist=True)

    def configure_optimizers(self) -> Any:
        """AdamW with a learning rate that falls in steps."""
        c = self.config
        optimizer = torch.optim.AdamW(self.network.parameters(), lr=c.learning_rate, weight_decay=c.weight_decay)
        return [optimizer], [torch.optim.lr_scheduler.MultiStepLR(optimizer, list(c.decay_epochs), c.decay)]

    def _branches(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Predictions of each branch for the frames asked, ``(B, H, 4)``."""
        features = [batch[name] for name in ("template", "search") if name in batch]
        heads = batch["head"][..., None].expand(-1, -1, 4)
        offsets = self.network.branches(batch["motion"], batch["interval"], *features)
        return {name: offset.gather(1, heads) for name, offset in offsets.items()}

    def _distance(self, error: Tensor) -> Tensor:
        return torch.log1p((error / self.config.robust_scale) ** 2) if self.config.robust else error.abs()

    def _estimated(self, batch: dict[str, Tensor]) -> Tensor:
        steps = batch["search"].shape[1]
        template = batch["template"].repeat_interleave(steps, dim=0)
        estimated = self.network.estimate(template, batch["search"].flatten(0, 1)).unflatten(0, (-1, steps))
        error = self._distance(estimated - batch["motion"]).sum(2).mean(1)
        return (error * batch["weight"].amax(1)).mean()


def train(
    config: PaperTraining, learnt: Draw, apart: Draw | None, folder: str, resume: bool = False, progress: bool = True
) -> NHeadNetwork:
    """Train an N-head module; see `fit.fit` for the errors.

    Parameters
    ----------
    config
        How it is trained.
    learnt, apart
        Windows to learn from, and held-out ones: see `on_boxes` and `on_recordings`.
    folder
        Where checkpoints and logs go.
    resume
        Continue from the newest checkpoint in `folder`.
    progress
        Show a progress bar.

    Returns
    -------
    NHeadNetwork
        In evaluation mode.
    """
    lightning.seed_everything(config.seed, workers=True, verbose=False)
    module = PaperModule(config, learnt, apart)
    fit(module, folder, resume, progress)
    return module.network.cpu().eval()


def on_boxes(config: PaperTraining, xywh: Sequence[np.ndarray]) -> Draw:
    """Windows for M, drawn from annotated boxes as `BoxPool` takes them."""
    return Draw(from_boxes, BoxPool(xywh), config)


def on_recordings(config: PaperTraining, recordings: Sequence[Recording]) -> Draw:
    """Windows for V and MV, drawn from recordings of one tracker."""
    return Draw(from_recordings, RecordingPool(recordings, config.recorded), config)
