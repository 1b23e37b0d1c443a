"""Training the motion network: reproducible to the bit, resumable, and it learns."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from pvtpp.boxes import xywh_to_box
from pvtpp.errors import InputError
from pvtpp.predictors.hold import Hold

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
from pvtpp.networks.motion import MotionConfig  # noqa: E402
from pvtpp.training.logged_windows import LoggedPool, LoggedRun  # noqa: E402
from pvtpp.training.motion import MotionTraining, Pools, draw, draw_from_both, overlap, train  # noqa: E402
from pvtpp.training.windows import BoxPool, WindowConfig  # noqa: E402
from pvtpp_benchmarks import processing  # noqa: E402
from pvtpp_benchmarks.datasets.sequence import VideoSequence  # noqa: E402
from pvtpp_benchmarks.oracle import Oracle  # noqa: E402
from pvtpp_benchmarks.simulation import simulate  # noqa: E402

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


def logged_pool(history=6):
    """One run of a target that moves as no annotated one here does."""
    rows = np.array([[100 + 9.0 * i, 80.0, 40.0, 30.0] for i in range(60)])
    clip = VideoSequence("fast", rows, 30.0, 30.0)
    took, truth = processing.parse("47ms").start("fast"), xywh_to_box(rows)
    log = simulate(clip, Oracle(clip), {"hold": Hold()}, took, first_box=truth[0])
    return LoggedPool([LoggedRun.of("fast", log, clip.world_t_ns, truth, history)])


def test_windows_of_logged_runs_are_drawn_in_their_share():
    pools = Pools(BoxPool(sequences()), logged_pool())
    config = replace(SMALL, logged=0.25)
    made = draw_from_both(pools, config, np.random.default_rng(0), 40)
    alone = draw(pools.boxes, config.windows, np.random.default_rng(0), 30)
    assert all(len(value) == 40 and torch.equal(value[:30], alone[name]) for name, value in made.items())
    known = made["weight"][30:] > 0
    speed = made["truth"][30:, :, 0][known] / made["horizon"][30:][known].clamp(min=1e-6)
    still = made["horizon"][30:][known] == 0
    torch.testing.assert_close(speed[~still], torch.full_like(speed[~still], 9 * 30 / 40), rtol=1e-3, atol=1e-3)
    none = draw_from_both(pools, replace(SMALL, logged=0.0), np.random.default_rng(0), 30)
    assert all(torch.equal(none[name], alone[name]) for name in none)


def test_logged_runs_change_what_is_learnt_and_which_training_it_is(tmp_path):
    without = train(SMALL, sequences(), [], str(tmp_path / "a"), progress=False)
    learnt = train(SMALL, sequences(), [], str(tmp_path / "b"), progress=False, logged=logged_pool())
    again = train(SMALL, sequences(), [], str(tmp_path / "c"), progress=False, logged=logged_pool())
    assert same(learnt, again) and not same(learnt, without)
    with pytest.raises(InputError):
        train(SMALL, sequences(), [], str(tmp_path / "b"), resume=True, progress=False)


def test_the_share_that_is_trusted_lies_between_the_start_and_what_was_learnt(tmp_path):
    start = train(SMALL, sequences(), [], str(tmp_path / "start"), progress=False)
    whole, half = (
        train(replace(SMALL, trust=trust), sequences(4), [], str(tmp_path / str(trust)), progress=False, start=start)
        for trust in (1.0, 0.5)
    )
    for before, after, between in zip(*(each.parameters() for each in (start, whole, half)), strict=True):
        torch.testing.assert_close(between, (before + after) / 2)
    assert not same(whole, start)


@pytest.mark.parametrize("wrong", [{"trust": 0.0}, {"trust": 1.5}, {"logged": -0.1}, {"logged": 2.0}])
def test_a_share_out_of_range_is_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        replace(SMALL, **wrong)
