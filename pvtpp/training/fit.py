"""What every training here shares: numbered batches, sequences held out, and the Lightning trainer with its checkpoints.

Batches are numbered and made from ``(seed, number, shard)`` alone, so a resumed run sees what an uninterrupted one would
have seen, and ranks split the shards of a batch between them.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from pvtpp.errors import InputError

Draw = Callable[[np.random.Generator, int], dict[str, Tensor]]
"""So many windows, as float32 tensors by name; the same generator state gives the same ones."""


class Run(Protocol):
    """What a training's configuration says of the run itself: `epochs` of `epoch_batches` batches, each of `shards` x
    `shard_windows` windows; gradients are clipped to the norm `clip`."""

    @property
    def epochs(self) -> int: ...
    @property
    def epoch_batches(self) -> int: ...
    @property
    def shards(self) -> int: ...
    @property
    def shard_windows(self) -> int: ...
    @property
    def validation_windows(self) -> int: ...
    @property
    def clip(self) -> float: ...
    @property
    def workers(self) -> int: ...
    @property
    def precision(self) -> Any: ...
    @property
    def accelerator(self) -> str: ...
    @property
    def devices(self) -> int: ...
    @property
    def seed(self) -> int: ...


def require_counts(config: Any, *names: str) -> None:
    """Raises InputError unless these fields, and those that every run has, are whole numbers from 1."""
    for name in ("epochs", "epoch_batches", "shards", "shard_windows", "validation_windows", "devices", *names):
        value = getattr(config, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(f"{type(config).__name__}.{name} is {value}, allowed is any whole number from 1")


def require_positive(config: Any, *names: str) -> None:
    """Raises InputError unless these fields are finite and above 0."""
    for name in names:
        if not 0 < getattr(config, name) < math.inf:
            raise InputError(f"{type(config).__name__}.{name} is {getattr(config, name)}, allowed is any number above 0")


def held_out(names: Sequence[str]) -> list[str]:
    """The sequences that training leaves to validation: of the sorted names every twentieth, from the eighth on."""
    return sorted(names)[7::20]


class Shards(Dataset):
    """The batches of one epoch, as one rank sees them: the windows of its shards, by name."""

    def __init__(self, draw: Draw, config: Run, epoch: int, rank: int, ranks: int):
        if config.shards % ranks:
            raise InputError(f"{ranks} processes cannot share {config.shards} shards evenly; choose another number of shards")
        self.draw, self.config, self.epoch, self.mine = draw, config, epoch, range(rank, config.shards, ranks)

    def __len__(self) -> int:
        return self.config.epoch_batches

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        number = self.epoch * self.config.epoch_batches + index
        rngs = (np.random.default_rng([self.config.seed, number, shard]) for shard in self.mine)
        shards = [self.draw(rng, self.config.shard_windows) for rng in rngs]
        return {name: torch.cat([shard[name] for shard in shards]) for name in shards[0]}


class WindowModule(lightning.LightningModule):
    """A module that learns from windows which `learnt` draws and is validated on the same ones of `apart` after every epoch."""

    def __init__(self, config: Run, learnt: Draw | None = None, apart: Draw | None = None):
        super().__init__()
        self.config, self.learnt, self.apart = config, learnt, apart

    def train_dataloader(self) -> DataLoader:
        if self.learnt is None:
            raise InputError(f"{type(self).__name__}: there are no windows to learn from")
        shards = Shards(self.learnt, self.config, self.current_epoch, self.global_rank, self.trainer.world_size)
        return DataLoader(shards, batch_size=None, shuffle=False, num_workers=self.config.workers)

    def val_dataloader(self) -> list[Any] | DataLoader:
        if self.apart is None:
            return []
        rng = np.random.default_rng([self.config.seed, 1])
        windows: Any = [self.apart(rng, self.config.validation_windows)]
        return DataLoader(windows, batch_size=None)


def fit(module: WindowModule, folder: str, resume: bool = False, progress: bool = True) -> None:
    """Train as the module's configuration says. Checkpoints, one after every epoch, and TensorBoard logs go to `folder`;
    `resume` goes on from its newest checkpoint. Runs under ``torchrun``."""
    config, newest = module.config, os.path.join(folder, "last.ckpt")
    if resume and not os.path.isfile(newest):
        raise InputError(f"{newest}: no checkpoint to resume from")
    checkpoint = ModelCheckpoint(folder, filename="{epoch}", save_last=True, save_top_k=1, enable_version_counter=False)
    trainer = lightning.Trainer(
        max_epochs=config.epochs,
        accelerator=config.accelerator,
        devices=config.devices,
        precision=config.precision,
        gradient_clip_val=config.clip,
        deterministic=True,
        reload_dataloaders_every_n_epochs=1,
        use_distributed_sampler=False,
        callbacks=[checkpoint],
        logger=_logger(folder),
        enable_progress_bar=progress,
        enable_model_summary=progress,
        log_every_n_steps=50,
    )
    trainer.fit(module, ckpt_path=newest if resume else None)


def _logger(folder: str) -> Any:
    from lightning.pytorch.loggers import TensorBoardLogger

    return TensorBoardLogger(folder, name="", version="tensorboard")
