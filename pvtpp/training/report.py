"""Lines about a training under way, for trainings without a progress bar: step, losses, overlap and the time left."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities.rank_zero import rank_zero_info

LOSS = "loss/"
"""What the names of losses begin with in the logs."""
QUALITY = "score/held_out_overlap"
"""Name of the mean overlap (IoU) on held-out windows in the logs."""
EVERY_S = 10.0


class Report(Callback):
    """Lines in Lightning's log: within an epoch one every few seconds at most, and one at its end.

    Parameters
    ----------
    every
        Report all along; False reports the last epoch alone.
    every_s
        Shortest time between two lines within an epoch, seconds.
    clock
        Seconds that only grow.

    Attributes
    ----------
    training
        Whether batches are being trained on.
    """

    def __init__(self, every: bool, every_s: float = EVERY_S, clock: Callable[[], float] = time.monotonic):
        self.training = False
        self._every, self._every_s, self._clock = every, every_s, clock
        self._begun = self._epoch = self._last = 0.0
        self._first = 0

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """The first batch comes next."""
        self.training = True
        self._begun, self._first = self._clock(), trainer.global_step

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        """Note the time."""
        self._epoch = self._last = self._clock()

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Log step, losses and the time left, where the last line is old enough."""
        now = self._clock()
        if self._every and now - self._last >= self._every_s and batch_idx + 1 < trainer.num_training_batches:
            self._last = now
            step = f"step {trainer.global_step} of {_steps(trainer)}"
            rank_zero_info(f"{step}: {_losses(trainer)}; {self._left(trainer)}")

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Log epoch, losses, overlap and times."""
        epoch, epochs = trainer.current_epoch + 1, trainer.max_epochs
        if self._every or epoch == epochs:
            quality = trainer.callback_metrics.get(QUALITY)
            found = "nothing is held out" if quality is None else f"overlap {float(quality):.3f} on held-out windows"
            seconds = self._clock() - self._epoch
            rest = "" if epoch == epochs else f", {self._left(trainer)}"
            rank_zero_info(f"epoch {epoch} of {epochs}: {_losses(trainer)}; {found}; {seconds:.1f} s{rest}")

    def _left(self, trainer: Any) -> str:
        done = max(trainer.global_step - self._first, 1)
        seconds = (self._clock() - self._begun) / done * (_steps(trainer) - trainer.global_step)
        return f"{timedelta(seconds=round(seconds))} left"


def _steps(trainer: Any) -> int:
    return int(trainer.max_epochs * trainer.num_training_batches)


def _losses(trainer: Any) -> str:
    """The losses of the last batch by their names."""
    found = {name: value for name, value in trainer.callback_metrics.items() if name.startswith(LOSS)}
    return ", ".join(f"{name[len(LOSS) :].replace('_', ' ')} loss {float(value):.4f}" for name, value in found.items())
