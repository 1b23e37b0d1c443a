"""Training of the motion network on annotated boxes: losses, the Lightning module, and `train`."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor

from pvtpp.errors import InputError
from pvtpp.networks.motion import LARGEST_CHANGE, MotionConfig, MotionNetwork, mean_at, sigma_at
from pvtpp.networks.rules import BELOW_1, count_from
from pvtpp.predictors.motion import INPUTS
from pvtpp.training import resume
from pvtpp.training.calibration import calibration_loss
from pvtpp.training.draw import Draw
from pvtpp.training.fit import WindowModule, fit
from pvtpp.training.logged_windows import LoggedPool
from pvtpp.training.report import LOSS, QUALITY
from pvtpp.training.run import Run
from pvtpp.training.windows import BoxPool, WindowConfig, sample, tensors
from pvtpp.validation import above, at_least, between, check, holds
from pvtpp.weights.checkpoint import restored


@dataclass(frozen=True)
class MotionTraining(Run):
    """How the motion network is trained.

    The loss is ``(1 - IoU) + robust * Cauchy loss + calibration * calibration loss`` of sigma.

    Attributes
    ----------
    network
        The network to train.
    windows
        What windows are drawn.
    warmup
        Steps over which the learning rate rises.
    robust, robust_scale
        Weight of the robust error ``log(1 + (error / robust_scale)^2)`` and its scale in target sizes.
    calibration
        Weight of sigma's loss, see `calibration_loss`.
    average
        Decay of the moving average of the weights, in [0, 1); the averaged weights are the result.
    logged
        Share of windows from logged runs of real trackers, in [0, 1], where there are any.
    trust
        Share that is kept, at the end, of the change to a network that the training started from: what it learns from a
        few clips is partly true of those clips alone. In (0, 1]; a training from nothing keeps all.

    Raises
    ------
    InputError
        For a value out of range, and if windows and network differ in their number of results.
    """

    network: MotionConfig = field(default_factory=MotionConfig)
    windows: WindowConfig = field(default_factory=WindowConfig)
    epochs: int = 25
    epoch_batches: int = 800
    shards: int = 4
    shard_windows: int = 256
    learning_rate: float = 2e-3
    warmup: int = 200
    robust: float = 0.1
    robust_scale: float = 0.15
    calibration: float = 0.02
    average: float = 0.999
    logged: float = 0.3
    trust: float = 1.0
    validation_windows: int = 16384
    workers: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        rules = {
            "warmup": count_from(1),
            "robust": at_least(0),
            "robust_scale": above(0),
            "calibration": at_least(0),
            "average": BELOW_1,
            "logged": between(0, 1),
            "trust": holds("a number above 0 and up to 1", lambda share: 0 < share <= 1),
        }
        check(self, rules)
        if self.windows.results != self.network.history:
            raise InputError(
                f"MotionTraining: windows have {self.windows.results} results, "
                f"the network looks at {self.network.history}"
            )


def draw(pool: BoxPool, windows: WindowConfig, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
    """Draw windows of these boxes, as the network reads them: float32 tensors by name, see `tensors`."""
    return tensors(sample(pool, windows, rng, count))


@dataclass(frozen=True)
class Pools:
    """Annotated boxes, and logged runs of real trackers."""

    boxes: BoxPool
    logged: LoggedPool

    def digest(self) -> str:
        """A text that differs for any other data."""
        return f"{self.boxes.digest()} {self.logged.digest()}"

    def describe(self) -> str:
        """In words how many data there are."""
        return f"{self.boxes.describe()}; {self.logged.describe()}"


def draw_from_both(pools: Pools, config: MotionTraining, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
    """Draw windows of annotated boxes and of logged runs, in the shares of the configuration, as `draw`."""
    real = round(config.logged * count)
    parts = []
    if real < count:
        parts.append(draw(pools.boxes, config.windows, rng, count - real))
    if real:
        asked = config.windows.horizons, config.windows.longest_horizon_s
        parts.append(pools.logged.sample(rng, real, *asked))
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def overlap(a: Tensor, b: Tensor) -> Tensor:
    """IoU of boxes ``[dx/w, dy/h, log w'/w, log h'/h]``, which are relative to one and the same last box.

    Parameters
    ----------
    a, b
        Shape ``(.., 4)``.

    Returns
    -------
    Tensor
        Shape ``(..)``, in [0, 1]; scaling both axes by the last box's size does not change it.
    """
    size_a, size_b = (torch.exp(x[..., 2:].clamp(-LARGEST_CHANGE, LARGEST_CHANGE)) for x in (a, b))
    low = torch.maximum(a[..., :2] - size_a / 2, b[..., :2] - size_b / 2)
    high = torch.minimum(a[..., :2] + size_a / 2, b[..., :2] + size_b / 2)
    shared = (high - low).clamp(min=0).prod(-1)
    return shared / (size_a.prod(-1) + size_b.prod(-1) - shared)


class MotionModule(WindowModule):
    """Trains a motion network on annotated boxes.

    Parameters
    ----------
    config
        How it is trained.
    pool, held_out
        Boxes to learn from, and boxes for validation.
    start
        A network to continue from; None starts anew.
    logged
        Runs of real trackers to learn from besides; None for none.

    Attributes
    ----------
    network
        The network that learns.
    average
        The moving average of its weights: it is validated, kept and exported.
    """

    config: MotionTraining

    def __init__(
        self,
        config: MotionTraining,
        pool: BoxPool | None = None,
        held_out: BoxPool | None = None,
        start: MotionNetwork | None = None,
        logged: LoggedPool | None = None,
    ):
        learnt, apart = (Draw(draw, each, config.windows) if each else None for each in (pool, held_out))
        if pool and logged:
            learnt = Draw(draw_from_both, Pools(pool, logged), config)
        super().__init__(config, learnt, apart)
        self.network = copy.deepcopy(start).train().requires_grad_(True) if start else MotionNetwork(config.network)
        self.average = copy.deepcopy(self.network).requires_grad_(False)

    def losses(self, network: MotionNetwork, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """The losses by name, each the sum over the batch divided by the batch size.

        So processes with equal shares of a batch average to the loss of the whole batch.
        """
        coefficient, spread, unit = network.motion_model(*(batch[name] for name in INPUTS))
        mean = mean_at(coefficient, unit, batch["horizon"])
        error = mean - batch["truth"]
        each = {
            "overlap": 1 - overlap(mean, batch["truth"]),
            "robust": torch.log1p((error / self.config.robust_scale) ** 2).mean(-1),
            "calibration": calibration_loss(error.detach(), sigma_at(spread, batch["horizon"])).mean(-1),
        }
        return {name: (value * batch["weight"]).mean() for name, value in each.items()}

    def training_step(self, batch: dict[str, Tensor], index: int) -> Tensor:
        """The weighted sum of the losses of one batch."""
        losses = self.losses(self.network, batch)
        self.log_dict({f"{LOSS}{name}": value for name, value in losses.items()})
        return (
            losses["overlap"] + self.config.robust * losses["robust"] + self.config.calibration * losses["calibration"]
        )

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Update the averaged weights; the average is short at the start of training."""
        keep = min(self.config.average, (1 + self.global_step) / (10 + self.global_step))
        with torch.no_grad():
            for kept, new in zip(self.average.parameters(), self.network.parameters(), strict=True):
                kept.lerp_(new, 1 - keep)

    def validation_step(self, batch: dict[str, Tensor], index: int) -> None:
        """Log the mean IoU of the averaged network on the held-out windows."""
        losses = self.losses(self.average, batch)
        self.log(QUALITY, 1 - losses["overlap"] / batch["weight"].mean(), prog_bar=True, sync_dist=True)

    def configure_optimizers(self) -> Any:
        """AdamW with a linear warm-up and a cosine decay."""
        c = self.config
        optimizer = torch.optim.AdamW(self.network.parameters(), lr=c.learning_rate, weight_decay=c.weight_decay)

        def rate(step: int) -> float:
            return min(1.0, (step + 1) / c.warmup) * (0.5 + 0.5 * math.cos(math.pi * min(step / c.steps, 1.0)) + 0.005)

        return [optimizer], [{"scheduler": torch.optim.lr_scheduler.LambdaLR(optimizer, rate), "interval": "step"}]


def train(
    config: MotionTraining,
    xywh: Sequence[np.ndarray],
    held_out: Sequence[np.ndarray],
    folder: str,
    resume: bool = False,
    progress: bool = True,
    start: MotionNetwork | None = None,
    logged: LoggedPool | None = None,
) -> MotionNetwork:
    """Train on annotated boxes.

    Runs under ``torchrun``.

    Parameters
    ----------
    config
        How the network is trained.
    xywh, held_out
        Annotated boxes to learn from and for validation, as `BoxPool` takes them.
    folder
        Where checkpoints and TensorBoard logs go.
    resume
        Continue from the newest checkpoint in `folder`.
    progress
        Show a progress bar.
    start
        A network to continue from, such as the committed one on your own videos; None starts anew.
    logged
        Runs of real trackers to learn from besides, in the share that `config.logged` says; None for none.

    Returns
    -------
    MotionNetwork
        The averaged network, in evaluation mode.

    Raises
    ------
    InputError
        If `start` has another configuration, and as `fit` does.
    """
    if start is not None and start.config != config.network:
        raise InputError(f"the network to start from is a {start.config}, the configuration says {config.network}")
    lightning.seed_everything(config.seed, workers=True, verbose=False)
    module = MotionModule(config, BoxPool(xywh), BoxPool(held_out) if len(held_out) else None, start, logged)
    fit(module, folder, resume, progress)
    return finished(module.average.cpu(), config.trust, start)


def finished(network: MotionNetwork, trust: float, start: MotionNetwork | None) -> MotionNetwork:
    """The network as it is used after training.

    Parameters
    ----------
    network
        The trained network; it is changed.
    trust
        See `MotionTraining`.
    start
        The network that the training started from; None where it started from nothing.
    """
    if start is not None:
        with torch.no_grad():
            for made, before in zip(network.parameters(), start.parameters(), strict=True):
                made.copy_(before.lerp(made, trust))
    return network.eval()


def averaged(config: MotionTraining, path: str) -> MotionNetwork:
    """The averaged network of a checkpoint that `train` wrote; InputError where it is missing or does not fit.

    It is not `finished`: the checkpoint does not hold the network that the training started from.
    """
    state = resume.read(path)["state_dict"]
    what = "a motion network of this configuration"
    return restored(MotionNetwork(config.network), state, path, what, "average.")
