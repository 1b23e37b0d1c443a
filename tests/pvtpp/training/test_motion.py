"""Training the motion network: reproducible to the bit, resumable, and it learns."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from pvtpp.errors import InputError

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
from pvtpp.networks.motion import MotionConfig  # noqa: E402
from pvtpp.training.motion import MotionTraining, overlap, train  # noqa: E402
from pvtpp.training.windows import WindowConfig  # noqa: E402

torch.set_num_threads(1)
SMALL = MotionTraining(
    network=MotionConfig(history=6, width=8),
    windows=WindowConfig(results=6),
    epochs=2,
    epoch_batches=3,
    shard_windows=16,
    validation_windows=64,
    workers=0,
    accelerator="cpu",
)


def sequences(count=3, frames=600):
    rng = np.random.default_rng(0)
    made = []
    for _ in range(count):
        path = np.cumsum(np.cumsum(rng.normal(0, 0.2, (frames, 2)), axis=0), axis=0) + 300
        made.append(np.concatenate([path, np.full((frames, 2), 40.0)], axis=1))
    return made


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_a_seed_makes_the_weights_and_resuming_changes_nothing(tmp_path):
    whole = train(SMALL, sequences(), sequences(1), str(tmp_path / "a"), progress=False)
    again = train(SMALL, sequences(), sequences(1), str(tmp_path / "b"), progress=False)
    other = train(replace(SMALL, seed=1), sequences(), sequences(1), str(tmp_path / "c"), progress=False)
    assert same(whole, again) and not same(whole, other)
    # Killed after its first epoch and resumed. The schedule of the rate is that of the whole run.
    checkpoint = torch.load(tmp_path / "a" / "last.ckpt", weights_only=False)
    assert checkpoint["epoch"] == 1


def test_a_run_killed_between_epochs_resumes_to_the_same_weights(tmp_path, monkeypatch):
    import lightning

    whole = train(SMALL, sequences(), [], str(tmp_path / "whole"), progress=False)

    class Killed(lightning.Trainer):
        def __init__(self, **options):
            super().__init__(**{**options, "max_epochs": 1})

    with monkeypatch.context() as patch:
        patch.setattr(lightning, "Trainer", Killed)
        train(SMALL, sequences(), [], str(tmp_path / "part"), progress=False)
    resumed = train(SMALL, sequences(), [], str(tmp_path / "part"), resume=True, progress=False)
    assert same(whole, resumed)


def test_nothing_to_resume_from_is_said(tmp_path):
    with pytest.raises(InputError, match="no checkpoint to resume from"):
        train(SMALL, sequences(), [], str(tmp_path), resume=True)


def test_it_goes_on_from_a_network_and_leaves_that_one_as_it_was(tmp_path):
    start = train(SMALL, sequences(), [], str(tmp_path / "a"), progress=False)
    before = {name: value.clone() for name, value in start.state_dict().items()}
    made = train(
        replace(SMALL, learning_rate=1e-9, weight_decay=0.0), sequences(), [], str(tmp_path / "b"), start=start
    )
    assert all(torch.equal(before[name], value) for name, value in start.state_dict().items())
    for name, value in made.state_dict().items():
        torch.testing.assert_close(value, before[name], atol=1e-6, rtol=0)
    with pytest.raises(InputError, match="the network to start from is a MotionConfig"):
        train(
            replace(SMALL, network=MotionConfig(history=6, width=16)), sequences(), [], str(tmp_path / "c"), start=start
        )


def test_overlap_is_that_of_the_boxes():
    a = torch.zeros(1, 4)
    b = torch.tensor([[0.5, 0.0, 0.0, 0.0]])
    assert overlap(a, a).item() == pytest.approx(1)
    assert overlap(a, b).item() == pytest.approx(0.5 / 1.5)
    assert overlap(a, torch.tensor([[0.0, 0.0, math.log(2), 0.0]])).item() == pytest.approx(0.5)
    assert overlap(a, torch.tensor([[3.0, 0.0, 0.0, 0.0]])).item() == 0


def test_windows_and_network_must_fit():
    with pytest.raises(InputError, match="windows have 16 results, the network looks at 6"):
        MotionTraining(network=MotionConfig(history=6))
