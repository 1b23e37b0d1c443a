"""Training of the joint network on recordings: on frozen features, or together with the last layers of the tracker.

The motion network inside it stays as it is. What learns is the encoder and the residual and, in joint training, the
part of the tracker that is passed in, with the tracker's own losses and the predictor's in one step (PVT++, arXiv
2211.11629, section 4.3).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import lightning
import numpy as np
import torch
from torch import Tensor

from pvtpp.errors import InputError
from pvtpp.networks.joint import JointConfig, JointNetwork
from pvtpp.networks.motion import MotionNetwork, mean_at, sigma_at
from pvtpp.networks.motion import load as load_motion
from pvtpp.networks.rules import BELOW_1, count_from
from pvtpp.predictors.motion import WEIGHTS as MOTION
from pvtpp.training.calibration import calibration_loss
from pvtpp.training.draw import Draw
from pvtpp.training.fit import WindowModule, fit
from pvtpp.training.motion import overlap
from pvtpp.training.projection import Projection
from pvtpp.training.recorded_windows import RecordedWindows, RecordingPool
from pvtpp.training.recordings import Recording
from pvtpp.training.report import LOSS, QUALITY
from pvtpp.training.run import Run
from pvtpp.validation import above, at_least, check, holds

AT_ONCE = 32
"""Recorded results that go through the tracker's part in one batch."""


class TrackerPart(Protocol):
    """The part of a tracker that is trained with the predictor: a torch module whose frozen parameters have no grad."""

    def see(self, template: Tensor, search: Tensor) -> tuple[Tensor, Tensor]:
        """Recorded maps to features.

        Parameters
        ----------
        template
            Maps of B templates, ``(B, ..)``.
        search
            Maps of k search regions for each of them, ``(B, k, ..)``.
        """

    def read(self, features: Tensor) -> Tensor:
        """The features that the joint network reads, out of all features ``(.., C, H, W)``."""

    def loss(
        self, template: Tensor, search: Tensor, searched: Tensor, truth: Tensor, weight: Tensor
    ) -> dict[str, Tensor]:
        """The tracker's own losses by name, for one frame of every sample.

        Parameters
        ----------
        template, search
            Features, as `see` makes them.
        searched
            The box that the search region was placed on, ``(B, 4)``, pixels.
        truth
            The true box, ``(B, 4)``, pixels.
        weight
            Weight of every sample, ``(B,)``.
        """


@dataclass(frozen=True)
class JointTraining(Run):
    """How the joint network is trained.

    The loss is ``1 - IoU`` plus the weighted terms below. Errors are in target sizes.

    Attributes
    ----------
    network
        The network to train.
    windows
        What windows are drawn.
    warmup
        Steps over which the learning rate rises.
    absolute
        Weight of the absolute error.
    robust, robust_scale
        Weight of the robust error ``log(1 + (error / robust_scale)^2)``, and its scale.
    calibration
        Weight of sigma's loss, see `calibration_loss`.
    tracker
        Weight of the tracker's own losses.
    tracker_rate
        Learning rate of the tracker's layers as a share of the predictor's.
    blind
        Share of results whose features are withheld in training.
    trust
        Share that is kept, at the end, of the change that features make to the mean: what a network learns from a few
        clips is partly true of those clips alone.

    Raises
    ------
    InputError
        For a value out of range, and if windows and network do not fit each other.
    """

    network: JointConfig = field(default_factory=lambda: JointConfig(channels=24))
    windows: RecordedWindows = field(default_factory=lambda: RecordedWindows(frames=1))
    epochs: int = 2
    epoch_batches: int = 100
    weight_decay: float = 0.05
    warmup: int = 50
    absolute: float = 0.5
    robust: float = 0.1
    robust_scale: float = 0.15
    calibration: float = 0.02
    tracker: float = 0.2
    tracker_rate: float = 0.1
    blind: float = 0.1
    trust: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        weights = ("absolute", "robust", "calibration", "tracker", "tracker_rate")
        rules = {
            "warmup": count_from(1),
            "robust_scale": above(0),
            "blind": BELOW_1,
            "trust": holds("a number above 0 and up to 1", lambda share: 0 < share <= 1),
        }
        check(self, {**dict.fromkeys(weights, at_least(0)), **rules})
        looked = (self.windows.history, self.windows.frames)
        if looked != (self.network.motion.history, self.network.frames):
            raise InputError(
                f"JointTraining: windows have {looked[0]} results, {looked[1]} with features; the network looks at "
                f"{self.network.motion.history} and {self.network.frames}"
            )


def draw(pool: RecordingPool, windows: RecordedWindows, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
    """Draw windows of these recordings; the pool has its own copy of `windows`."""
    return pool.sample(rng, count)


class JointModule(WindowModule):
    """Trains a joint network on recordings.

    Parameters
    ----------
    config
        How it is trained.
    motion
        The motion network inside it, which does not learn. It is copied.
    learnt, apart
        Recordings to learn from, and recordings for validation.
    tracker
        The part of the tracker that makes the features, and learns; None where features are recorded.
    projection
        Reduces the channels of the features made by `tracker`.

    Attributes
    ----------
    network
        The network that learns.
    to_fold
        The projection that its features went through; folded into the network after training.
    """

    config: JointTraining

    def __init__(
        self,
        config: JointTraining,
        motion: MotionNetwork,
        learnt: RecordingPool | None = None,
        apart: RecordingPool | None = None,
        tracker: TrackerPart | None = None,
        projection: Projection | None = None,
    ):
        super().__init__(config, *(Draw(draw, pool, config.windows) if pool else None for pool in (learnt, apart)))
        # A copy, since the caller may use the same network for another training.
        self.network = JointNetwork(config.network, copy.deepcopy(motion))
        self.network.motion.requires_grad_(False)
        self.tracker: Any = tracker
        self.projection = self.to_fold = projection

    def for_export(self) -> dict[str, Any]:
        """The projection to fold into the network, where there is one."""
        fold = self.to_fold
        made = fold and {"matrix": torch.from_numpy(fold.matrix), "mean": torch.from_numpy(fold.mean)}
        return {"projection": made}

    def data_digest(self) -> str:
        """As the base class, with the projection, if there is one."""
        return super().data_digest() + (self.projection.digest() if self.projection else "")

    def losses(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """The losses by name, each the sum over the batch divided by the batch size.

        So processes with equal shares of a batch average to the loss of the whole batch.
        """
        template, search, seen = batch["template"], batch["search"], batch["seen"]
        own: dict[str, Tensor] = {}
        if self.tracker is not None:
            template, search = self.tracker.see(template, search)
            weight = batch["now_weight"] * seen[:, -1]
            own = self.tracker.loss(template, search[:, -1], batch["searched"], _in_pixels(batch), weight)
            template, search = self.tracker.read(template), self.tracker.read(search)
            if self.projection is not None:
                template, search = self.projection.tensor(template), self.projection.tensor(search)
        if self.training and self.config.blind:
            seen = seen * (torch.rand_like(seen) >= self.config.blind)
        coefficient, spread, unit = self.network.motion_model(
            batch, self.network.encode_all(template, search, seen), seen
        )
        mean = mean_at(coefficient, unit, batch["horizon"])
        error = mean - batch["truth"]
        each = {
            "overlap": 1 - overlap(mean, batch["truth"]),
            "absolute": error.abs().clamp(max=2.0).mean(-1),
            "robust": torch.log1p((error / self.config.robust_scale) ** 2).mean(-1),
            "calibration": calibration_loss(error.detach(), sigma_at(spread, batch["horizon"])).mean(-1),
        }
        return {**{name: (value * batch["weight"]).mean() for name, value in each.items()}, **own}

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Seed the random draws of this step, so that they do not depend on how often the run was interrupted."""
        torch.manual_seed(hash((self.config.seed, self.global_step, self.global_rank)) % 2**32)

    def training_step(self, batch: dict[str, Tensor], index: int) -> Tensor:
        """The weighted sum of the losses of one batch."""
        c, losses = self.config, self.losses(batch)
        self.log_dict({f"{LOSS}{name}": value for name, value in losses.items()})
        weights = {"overlap": 1.0, "absolute": c.absolute, "robust": c.robust, "calibration": c.calibration}
        return torch.stack([weights.get(name, c.tracker) * value for name, value in losses.items()]).sum()

    def validation_step(self, batch: dict[str, Tensor], index: int) -> None:
        """Log the mean IoU on the held-out windows."""
        overlapped = 1 - self.losses(batch)["overlap"] / batch["weight"].mean()
        self.log(QUALITY, overlapped, prog_bar=True, sync_dist=True)

    def configure_optimizers(self) -> Any:
        """AdamW with a linear warm-up and a cosine decay; the tracker's layers have a learning rate of their own."""
        c = self.config
        groups = [{"params": [p for p in self.network.parameters() if p.requires_grad], "lr": c.learning_rate}]
        if self.tracker is not None:
            learning = [p for p in self.tracker.parameters() if p.requires_grad]
            groups.append({"params": learning, "lr": c.learning_rate * c.tracker_rate})
        optimizer = torch.optim.AdamW(groups, weight_decay=c.weight_decay)

        def rate(step: int) -> float:
            return min(1.0, (step + 1) / c.warmup) * 0.5 * (1 + math.cos(math.pi * min(step / c.steps, 1.0)))

        return [optimizer], [{"scheduler": torch.optim.lr_scheduler.LambdaLR(optimizer, rate), "interval": "step"}]


def train(
    config: JointTraining,
    motion: MotionNetwork | None,
    recordings: Sequence[Recording],
    held_out: Sequence[Recording],
    folder: str,
    part: TrackerPart | None = None,
    together: bool = False,
    start: JointNetwork | None = None,
    resume: bool = False,
    progress: bool = True,
) -> JointNetwork:
    """Train a joint network on recordings.

    Runs under ``torchrun``.

    Parameters
    ----------
    config
        How the network is trained. Without `start` the network learns on ``config.network.channels`` channels: leading
        principal components of the features, which are folded into its first layers at the end.
    motion
        The motion network inside it; None takes the committed one.
    recordings, held_out
        To learn from, and for validation. With a `part` they hold the maps that enter it, without one the features.
    folder
        Where checkpoints and logs go.
    part
        The part of the tracker behind the recorded maps.
    together
        The part learns too, in place. Otherwise it is frozen, and every recorded result goes through it once.
    start
        A trained network to continue from.
    resume
        Continue from the newest checkpoint in `folder`.
    progress
        Show a progress bar.

    Returns
    -------
    JointNetwork
        In evaluation mode; it reads the tracker's own features.

    Raises
    ------
    InputError
        If there is no part to train together, and as `fit` does.
    """
    if together and part is None:
        raise InputError(
            "joint training needs the part of the tracker that is to learn; on features alone it is frozen"
        )
    lightning.seed_everything(config.seed, workers=True, verbose=False)
    motion = motion or load_motion(MOTION.with_suffix(".safetensors"))[0]
    given: list[list[Recording]] = [list(recordings), list(held_out)]
    seen = (
        given if part is None or (together and start) else [[seen_by(part, each) for each in group] for group in given]
    )
    projection = None if start else Projection.of(seen[0], config.network.channels)
    if not together:
        given = [[projection.recording(each) if projection else each for each in group] for group in seen]
    if start:
        config = replace(config, network=start.config)
    learnt, apart = (RecordingPool(group, config.windows) if group else None for group in given)
    module = JointModule(config, motion, learnt, apart, *((part, projection) if together else ())).train()
    module.to_fold = projection
    if start:
        module.network.load_state_dict(start.state_dict())
        module.network.trust(1 / config.trust)
    fit(module, folder, resume, progress)
    return finished(module.network.cpu(), config.trust, projection)


def finished(network: JointNetwork, trust: float, projection: Projection | None) -> JointNetwork:
    """The network as it is used after training; `network` is changed.

    Parameters
    ----------
    network
        The trained network.
    trust
        See `JointTraining`.
    projection
        What its features went through in training; None where they are the tracker's own.
    """
    network = network.trust(trust).eval()
    return projection.folded(network) if projection else network


def seen_by(part: TrackerPart, recording: Recording) -> Recording:
    """The recording with features that `part`, as it is now, makes of the recorded maps; zero where there are none."""
    module: Any = part
    module.eval()
    with torch.inference_mode():
        maps, template = (torch.from_numpy(each) for each in (recording.search, recording.template))
        both = [part.see(template[None].float(), some[None].float()) for some in maps.split(AT_ONCE)]
        search = torch.cat([part.read(found[0]) for _, found in both]).half().numpy()
    search[~recording.seen] = 0
    return replace(recording, search=search, template=part.read(both[0][0][0]).half().numpy())


def _in_pixels(batch: dict[str, Tensor]) -> Tensor:
    """The true box at the time of the newest result, ``(B, 4)``, pixels."""
    newest, now = batch["newest"], batch["now"]
    return torch.cat([newest[:, :2] + now[:, :2] * newest[:, 2:], newest[:, 2:] * torch.exp(now[:, 2:])], 1)
