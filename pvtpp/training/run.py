"""What every training's configuration says of the run itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pvtpp.networks.rules import count_from
from pvtpp.training.rules import SEED
from pvtpp.validation import above, at_least, check


@dataclass(frozen=True)
class Run:
    """`epochs` of `epoch_batches` batches, each of `shards` x `shard_windows` windows; a checkpoint after each epoch. Gradients
    are clipped to the norm `clip`; after each epoch `validation_windows` are looked at. The rest is Lightning's.

    Each training has defaults of its own. Raises InputError for a value out of range.
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
        return self.epochs * self.epoch_batches
