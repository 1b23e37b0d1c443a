"""What every training shares: which windows a process gets, and which sequences are held out."""

from __future__ import annotations

import errno
import os
import resource
import signal
from dataclasses import replace

import numpy as np
import pytest

from pvtpp.errors import InputError

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
from pvtpp.networks.motion import MotionConfig  # noqa: E402
from pvtpp.training import fit as fitting  # noqa: E402
from pvtpp.training.disk import require_space  # noqa: E402
from pvtpp.training.draw import Draw  # noqa: E402
from pvtpp.training.fit import Checkpoints, Report, Shards, fit, held_out  # noqa: E402
from pvtpp.training.motion import MotionModule, MotionTraining, draw  # noqa: E402
from pvtpp.training.windows import BoxPool, WindowConfig  # noqa: E402

CONFIG = MotionTraining(
    network=MotionConfig(history=6, width=8), windows=WindowConfig(results=6), epoch_batches=3, shard_windows=16
)


def windows():
    steps = np.random.default_rng(0).normal(0, 0.2, (600, 2))
    path = np.cumsum(np.cumsum(steps, axis=0), axis=0) + 300
    return Draw(draw, BoxPool([np.concatenate([path, np.full((600, 2), 40.0)], axis=1)]), CONFIG.windows)


def test_two_processes_together_get_the_windows_of_one():
    whole = Shards(windows(), CONFIG, 1, 0, 1)[2]
    parts = [Shards(windows(), CONFIG, 1, rank, 2)[2] for rank in range(2)]
    size = CONFIG.shard_windows
    for name, value in whole.items():
        merged = torch.cat([parts[shard % 2][name][shard // 2 * size :][:size] for shard in range(4)])
        assert torch.equal(merged, value), name


def test_no_batch_is_seen_twice():
    first, again, later = (Shards(windows(), CONFIG, epoch, 0, 1) for epoch in (0, 0, 1))
    assert torch.equal(first[0]["step"], again[0]["step"])
    assert not torch.equal(first[0]["step"], first[1]["step"]) and not torch.equal(first[0]["step"], later[0]["step"])


def test_ranks_that_cannot_share_are_refused():
    with pytest.raises(InputError, match="3 processes cannot share 4 shards"):
        Shards(windows(), CONFIG, 0, 0, 3)


def test_every_twentieth_sequence_is_held_out():
    names = [f"v-{i:03}" for i in range(60)]
    assert held_out(names[::-1]) == ["v-007", "v-027", "v-047"]


def test_a_module_without_windows_says_so():
    with pytest.raises(InputError, match="no windows to learn from"):
        MotionModule(CONFIG).train_dataloader()


@pytest.mark.parametrize("count", [0, 1.5, True])
def test_counts_are_whole_numbers(count):
    with pytest.raises(InputError, match="MotionTraining.epochs is .*, allowed is a whole number from 1"):
        MotionTraining(epochs=count)


SMALL = replace(CONFIG, epochs=2, epoch_batches=2, shards=1, validation_windows=8, workers=0, accelerator="cpu")


def module(config=SMALL):
    return MotionModule(config, windows().pool)


def test_a_training_says_nothing_of_what_is_meant_and_advertises_nothing(tmp_path, recwarn, caplog):
    """Nothing is held out, and a part of the network does not learn: both are as they were asked for."""
    caplog.set_level("INFO")
    learning = module()
    learning.frozen = torch.nn.Linear(1, 1).requires_grad_(False).eval()
    fit(learning, str(tmp_path), progress=False)
    assert not [each for each in recwarn if "lightning" in each.filename]
    assert "Tip" not in caplog.text


@pytest.fixture
def limited():
    """Files of this process may have 64 KiB, as with a quota or a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_checkpoint_is_whole_or_the_one_before(tmp_path, limited):
    path = tmp_path / "last.ckpt"
    Checkpoints().save_checkpoint({"epoch": 1}, path)
    with pytest.raises(InputError, match=r"last\.ckpt: cannot write \(File too large\); earlier checkpoints are kept"):
        Checkpoints().save_checkpoint({"epoch": 2, "weights": torch.zeros(1 << 16)}, path)
    assert torch.load(path, weights_only=True) == {"epoch": 1} and list(tmp_path.iterdir()) == [path]


def test_a_signal_while_a_checkpoint_is_written_leaves_the_one_before(tmp_path, monkeypatch):
    def interrupted(number):
        raise KeyboardInterrupt

    path = tmp_path / "last.ckpt"
    Checkpoints().save_checkpoint({"epoch": 1}, path)
    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Checkpoints().save_checkpoint({"epoch": 2}, path)
    assert torch.load(path, weights_only=True) == {"epoch": 1} and list(tmp_path.iterdir()) == [path]


def test_too_little_space_is_found_before_the_first_step_and_what_was_there_is_kept(tmp_path, limited):
    (tmp_path / "last.ckpt").write_text("of an earlier training")
    with pytest.raises(InputError, match=r"cannot write \d+ MB for checkpoints \(File too large\)"):
        fit(module(), str(tmp_path), progress=False)
    assert (tmp_path / "last.ckpt").read_text() == "of an earlier training"
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]


@pytest.mark.parametrize("can_reserve", [True, False])
def test_space_is_measured_by_taking_it(can_reserve, tmp_path, monkeypatch, limited):
    def unsupported(*_):
        raise OSError(errno.EOPNOTSUPP, "not supported")

    if not can_reserve:
        monkeypatch.setattr(os, "posix_fallocate", unsupported)
    require_space(tmp_path, 1000, "logs")
    with pytest.raises(InputError, match="cannot write 2 MB for logs"):
        require_space(tmp_path, 2_000_000, "logs")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_is_full_in_mid_training_is_one_line_and_another_error_is_itself(number, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Report, "on_train_epoch_end", full)
    with pytest.raises(InputError, match=rf"cannot write \({os.strerror(number)}\); checkpoints are kept"):
        fit(module(), str(tmp_path), progress=False)
    monkeypatch.setattr(fitting, "UNWRITABLE", ())
    with pytest.raises(OSError, match=os.strerror(number)):
        fit(module(), str(tmp_path), progress=False)


@pytest.mark.parametrize(("epoch", "batch", "checkpoints"), [(0, 0, 0), (0, 1, 1), (1, 1, 1)])
def test_sigterm_ends_a_training_after_any_of_its_batches(epoch, batch, checkpoints, tmp_path):
    class Stops(MotionModule):
        def on_train_batch_end(self, outputs, data, batch_idx):
            super().on_train_batch_end(outputs, data, batch_idx)
            if (self.current_epoch, batch_idx) == (epoch, batch):
                os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended:
        fit(Stops(SMALL, windows().pool), str(tmp_path), progress=False)
    assert ended.value.code == 143 and signal.getsignal(signal.SIGTERM) is before
    assert len(list(tmp_path.glob("last.ckpt"))) == checkpoints


def test_sigterm_before_the_first_batch_ends_it_at_once(tmp_path):
    class Stops(MotionModule):
        def setup(self, stage):
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(SystemExit) as ended:
        fit(Stops(SMALL, windows().pool), str(tmp_path), progress=False)
    assert ended.value.code == 143
