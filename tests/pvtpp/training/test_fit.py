"""What every training shares: which windows a process gets, and which sequences are held out."""

from __future__ import annotations

import numpy as np
import pytest

from pvtpp.errors import InputError

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
from pvtpp.networks.motion import MotionConfig  # noqa: E402
from pvtpp.training.draw import Draw  # noqa: E402
from pvtpp.training.fit import Shards, held_out  # noqa: E402
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
