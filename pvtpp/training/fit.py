"""What every training shares: numbered batches, held-out sequences, and the Lightning trainer with its checkpoints.

Batches are numbered and made from ``(seed, number, shard)`` alone. So a resumed run learns from the same batches as an
uninterrupted one, and several processes can share the shards of a batch.
"""

from __future__ import annotations

import errno
import hashlib
import io
import logging
import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import lightning
import numpy as np
import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.utilities.exceptions import MisconfigurationException, SIGTERMException
from lightning.pytorch.utilities.rank_zero import rank_zero_info
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from pvtpp.errors import InputError
from pvtpp.files import create_folder, whole_file
from pvtpp.training import ranks, resume
from pvtpp.training.disk import require_space
from pvtpp.training.draw import Draw, few, usable
from pvtpp.training.report import Report
from pvtpp.training.run import Run

SIGTERM_STATUS = 128 + 15
"""Exit status of a process that was asked to end, by the convention of shells."""
COPIES, LOGS = 4, 1 << 20
"""Checkpoints that lie in the folder at once, at most, while one is replaced; bytes of logs, about."""
UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
"""Errors of a disk that is full or cannot be written."""
LIGHTNING_LOG = "lightning.pytorch.utilities.rank_zero"
"""Where Lightning logs what it has to say."""
HARMLESS = (
    r"Checkpoint directory .* exists and is not empty",
    r".*LeafSpec.* is deprecated",
    r"Total length of .* across ranks is zero",
    r"Found \d+ module\(s\) in eval mode",
)
"""Warnings of what is meant, a folder in use, nothing held out, layers that do not learn, and of its own calls."""
Windows = Callable[[np.random.Generator, int], dict[str, Tensor]]
"""Draws windows: a `Draw`, or anything that is called like one."""


def held_out(names: Sequence[str]) -> list[str]:
    """The sequences kept for validation: every twentieth of the sorted names, from the eighth on."""
    return sorted(names)[7::20]


class Shards(Dataset):
    """The batches of one epoch as one process gets them: its shards of every batch, float32 tensors by name.

    Parameters
    ----------
    draw
        Draws the windows.
    config
        Sizes of batches and epochs, and the seed.
    epoch
        Number of the epoch, from 0.
    rank, ranks
        Number of this process, and how many there are.

    Raises
    ------
    InputError
        If the processes cannot share the shards evenly.
    """

    def __init__(self, draw: Windows, config: Run, epoch: int, rank: int, ranks: int):
        if config.shards % ranks:
            raise InputError(
                f"{ranks} processes cannot share {config.shards} shards evenly; choose another number of shards"
            )
        self.draw, self.config, self.epoch, self.mine = draw, config, epoch, range(rank, config.shards, ranks)

    def __len__(self) -> int:
        return self.config.epoch_batches

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        number = self.epoch * self.config.epoch_batches + index
        rngs = (np.random.default_rng([self.config.seed, number, shard]) for shard in self.mine)
        shards = [self.draw(rng, self.config.shard_windows) for rng in rngs]
        return {name: torch.cat([shard[name] for shard in shards]) for name in shards[0]}


class WindowModule(lightning.LightningModule):
    """Base of the training modules: learns from windows and is validated after every epoch on held-out windows.

    Parameters
    ----------
    config
        The training's configuration.
    learnt, apart
        Draw windows to learn from, and held-out windows, which are the same after every epoch.

    Attributes
    ----------
    facts
        Which training this is (see `resume.facts`); written to every checkpoint.
    """

    facts: dict[str, Any]

    def __init__(self, config: Run, learnt: Draw | None = None, apart: Draw | None = None):
        super().__init__()
        self.config, self.learnt, self.apart = config, learnt, apart

    def data_digest(self) -> str:
        """A text that differs for any other data to learn from or to validate on."""
        digests = [draw.pool.digest() if draw else "" for draw in (self.learnt, self.apart)]
        return hashlib.blake2b(repr(digests).encode(), digest_size=16).hexdigest()

    def train_dataloader(self) -> DataLoader:
        """The batches of the current epoch, as this process gets them."""
        if self.learnt is None:
            raise InputError(f"{type(self).__name__}: there are no windows to learn from")
        shards = Shards(self.learnt, self.config, self.current_epoch, self.global_rank, self.trainer.world_size)
        return DataLoader(shards, batch_size=None, shuffle=False, num_workers=self.config.workers)

    def val_dataloader(self) -> list[Any] | DataLoader:
        """One batch with all held-out windows; empty where nothing is held out."""
        if self.apart is None:
            return []
        rng = np.random.default_rng([self.config.seed, 1])
        windows: Any = [self.apart(rng, self.config.validation_windows)]
        return DataLoader(windows, batch_size=None)

    def on_train_epoch_end(self) -> None:
        """Stop the training once a weight is not finite."""
        # Called before the checkpoint is written: the newest checkpoint always has finite weights.
        wrong = next((name for name, tensor in self.named_parameters() if not torch.isfinite(tensor).all()), None)
        if wrong is not None:
            raise InputError(
                f"training diverged in epoch {self.current_epoch + 1}: {wrong} is not finite; a lower learning_rate "
                f"than {getattr(self.config, 'learning_rate', None)} may help"
            )

    def for_export(self) -> dict[str, Any]:
        """What the export needs besides weights and configuration: tensors and plain values."""
        return {}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Write to the checkpoint which training it is of, and what its export needs."""
        checkpoint[resume.KEY] = self.facts
        checkpoint[resume.EXPORT] = self.for_export()


class Checkpoints(TorchCheckpointIO):
    """Writes each checkpoint whole or not at all, beside the one that it replaces.

    Lightning's own way goes through the system's folder for temporary files. On another disk the last step is a copy,
    which leaves half a checkpoint in place of the newest one where it is interrupted or the disk is full.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write a checkpoint; InputError where that fails, and then the one before is still there."""
        content = io.BytesIO()
        torch.save(checkpoint, content)
        try:
            with whole_file(path) as part, open(part, "wb") as file:
                file.write(content.getbuffer())
                file.flush()
                os.fsync(file.fileno())
        except InputError as error:
            raise InputError(f"{error}; earlier checkpoints are kept, so --resume goes on once it can write") from None


def fit(module: WindowModule, folder: str, resumed: bool = False, progress: bool = True) -> None:
    """Train as the module's configuration says.

    Runs under ``torchrun``, in each of its processes.

    Parameters
    ----------
    module
        What learns.
    folder
        Where checkpoints (one after every epoch) and TensorBoard logs go.
    resumed
        Continue from the newest checkpoint in `folder`; otherwise that checkpoint is removed.
    progress
        Show a progress bar; otherwise lines are logged, see `pvtpp.training.report`.

    Raises
    ------
    InputError
        Where no window can be used, for a checkpoint of another training, where weights are no longer finite, and where
        `folder` cannot take the checkpoints; this is found before the first step.
    KeyboardInterrupt
        On SIGINT.
    SystemExit
        On SIGTERM, with `SIGTERM_STATUS`.
    """
    for draw, purpose in ((module.learnt, "to learn from"), (module.apart, "held out")):
        warning = few(usable(draw, purpose, module.config.seed), purpose) if draw else ""
        if warning:
            rank_zero_info(warning)
    newest = os.path.join(folder, "last.ckpt")
    module.facts = resume.facts(module, module.config, module.data_digest())
    if resumed:
        resume.check(newest, module, module.facts)
    report = Report(not progress)
    with _without_alarm():
        trainer = _trainer(module.config, folder, progress, report)
    if ranks.is_first():
        _make_space(module, folder)
    if not resumed and ranks.is_first():
        # Else a training that is killed in its first epoch leaves the checkpoint of an earlier one behind.
        with suppress(FileNotFoundError):
            os.remove(newest)
    try:
        with _terminable(report), _without_alarm():
            trainer.fit(module, ckpt_path=newest if resumed else None)
    except SIGTERMException:
        raise SystemExit(SIGTERM_STATUS) from None
    except SystemExit as ended:
        # Lightning from 2.3 on ends with SystemExit on SIGINT.
        if isinstance(ended.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        where = error.filename or folder
        raise InputError(f"{where}: cannot write ({error.strerror}); checkpoints are kept, --resume goes on") from None
    if trainer.interrupted:
        raise KeyboardInterrupt


@contextmanager
def _without_alarm() -> Iterator[None]:
    """Keep back what Lightning says of its own calls and of other products, and warnings that read like errors."""
    logger = logging.getLogger(LIGHTNING_LOG)
    logger.addFilter(_no_advice)
    try:
        with warnings.catch_warnings():
            for message in HARMLESS:
                warnings.filterwarnings("ignore", message=message)
            yield
    finally:
        logger.removeFilter(_no_advice)


def _no_advice(record: logging.LogRecord) -> bool:
    return "litlogger" not in record.getMessage()


def _make_space(module: WindowModule, folder: str) -> None:
    """Create the folder; InputError where it cannot take the checkpoints."""
    create_folder(folder)
    weights = sum(tensor.numel() * tensor.element_size() for tensor in module.state_dict().values())
    # Adam keeps two numbers for each that learns.
    moments = 2 * sum(each.numel() * each.element_size() for each in module.parameters() if each.requires_grad)
    require_space(folder, COPIES * (weights + moments) + LOGS, "checkpoints")


@contextmanager
def _terminable(report: Report) -> Iterator[None]:
    """SIGTERM ends the block with SystemExit: while batches are trained on after the current one, otherwise at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []

    def end(number: int, frame: Any) -> None:
        received.append(number)
        # Lightning calls this handler besides its own, which ends the training after the batch.
        if not report.training:
            raise SystemExit(SIGTERM_STATUS)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
        if received:
            # It came after the last batch.
            raise SystemExit(SIGTERM_STATUS)
    finally:
        signal.signal(signal.SIGTERM, before)


def _trainer(config: Run, folder: str, progress: bool, report: Report) -> lightning.Trainer:
    devices, nodes = ranks.layout(config.devices)
    checkpoint = ModelCheckpoint(folder, filename="{epoch}", save_last=True, save_top_k=1, enable_version_counter=False)
    try:
        return lightning.Trainer(
            max_epochs=config.epochs,
            accelerator=config.accelerator,
            devices=devices,
            num_nodes=nodes,
            precision=config.precision,
            gradient_clip_val=config.clip,
            deterministic=True,
            reload_dataloaders_every_n_epochs=1,
            use_distributed_sampler=False,
            callbacks=[checkpoint, report],
            plugins=[Checkpoints()],
            logger=_logger(folder),
            enable_progress_bar=progress,
            enable_model_summary=progress,
            log_every_n_steps=min(50, config.epoch_batches),
        )
    except (MisconfigurationException, ValueError, RuntimeError) as error:
        asked = f"accelerator {config.accelerator!r}, precision {config.precision!r}, devices {devices}"
        raise InputError(f"{type(config).__name__}: {asked}: {' '.join(str(error).split())}") from None


def _logger(folder: str) -> Any:
    from lightning.pytorch.loggers import TensorBoardLogger

    return TensorBoardLogger(folder, name="", version="tensorboard")
