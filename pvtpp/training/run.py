"""What the configurations of all trainings have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pvtpp.networks.rules import count_from
from pvtpp.training.rules import SEED
from pvtpp.validation import above, at_least, check


@dataclass(frozen=True)
class Run:
    """How long, on what and with which optimizer settings a training runs.

    Each training has its own defaults.

    Attributes
    ----------
    epochs, epoch_batches
        Epochs, and batches in each of them. A checkpoint is written after every epoch.
    shards, shard_windows
        A batch has `shards` times `shard_windows` windows. Processes share the shards of a batch evenly.
    learning_rate, weight_decay
        Of the optimizer.
    clip
        Gradients are clipped to this norm.
    validation_windows
        Windows of the held-out data that are scored after every epoch.
    workers
        Processes that load data, besides the training process.
    precision, accelerator, devices
        As `lightning.Trainer` takes them.
    seed
        Of every random draw.

    Raises
    ------
    InputError
        For a value out of range.
    """

    epochs: int = 1
    epoch_batches: int = 1
    shards: int = 1
    shard_windows: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    clip: float = 1.0
    validation_windows: int = 1024
    workers: int = 0
    precision: Any = "32-true"
    accelerator: str = "auto"
    devices: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        counts = ("epochs", "epoch_batches", "shards", "shard_windows", "validation_windows", "devices")
        rules = {
            "workers": count_from(0),
            "learning_rate": above(0),
            "clip": above(0),
            "weight_decay": at_least(0),
            "seed": SEED,
        }
        check(self, {**dict.fromkeys(counts, count_from(1)), **rules})

    @property
    def steps(self) -> int:
        """Batches of the whole run."""
        return self.epochs * self.epoch_batches
