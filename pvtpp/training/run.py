"""What every training's configuration says of the run itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pvtpp.training.checks import require_counts, require_least, require_positive, require_seed


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
        require_counts(self, "epochs", "epoch_batches", "shards", "shard_windows", "validation_windows", "devices")
        require_counts(self, "workers", least=0)
        require_positive(self, "learning_rate", "clip")
        require_least(self, "weight_decay")
        require_seed(self)

    @property
    def steps(self) -> int:
        return self.epochs * self.epoch_batches
