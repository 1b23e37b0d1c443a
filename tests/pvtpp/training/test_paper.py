"""The paper's modules in training: windows are what the predictor will see, every branch learns, runs repeat."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pvtpp.errors import InputError
from pvtpp.predictors.n_head import NHead
from pvtpp.track import Track

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
from pvtpp.networks.n_head import NHeadConfig, as_engine  # noqa: E402
from pvtpp.training.paper import (  # noqa: E402
    PaperModule,
    PaperTraining,
    as_steps,
    heads_for,
    on_boxes,
    on_recordings,
    recipe,
    train,
)
from pvtpp.training.recorded_windows import RecordedWindows  # noqa: E402
from pvtpp.training.recordings import Recording  # noqa: E402
from pvtpp.training.tracker_error import ErrorModel  # noqa: E402
from pvtpp.training.windows import BoxPool, WindowConfig, sample, tensors  # noqa: E402

torch.set_num_threads(1)
RUN = {"epochs": 2, "epoch_batches": 3, "shard_windows": 32, "validation_windows": 64, "accelerator": "cpu"}
EXACT = {"error": ErrorModel(shares=(1.0, 0.0, 0.0, 0.0)), "rounded": 0.0, "interpolated": 0.0, "absent": 0.0}


def walks(count=3, frames=600, seed=0):
    rng, made = np.random.default_rng(seed), []
    for _ in range(count):
        path = np.cumsum(np.cumsum(rng.normal(0, 0.2, (frames, 2)), axis=0), axis=0) + 300
        size = 40 * np.exp(np.cumsum(rng.normal(0, 0.005, (frames, 2)), axis=0))
        made.append(np.concatenate([path, size], axis=1))
    return made


def straight(frames=600, step=2.0):
    return np.stack(
        [100 + step * np.arange(frames), np.full(frames, 80.0), np.full(frames, 40.0), np.full(frames, 20.0)], 1
    )


def recording(n=60, seed=0):
    rng = np.random.default_rng(seed)
    frame_ns = np.rint(np.arange(4 * n) * 1e9 / 30).astype(np.int64)
    truth = np.stack(
        [100 + 3.0 * np.arange(4 * n), np.full(4 * n, 80.0), np.full(4 * n, 40.0), np.full(4 * n, 30.0)], 1
    )
    boxes = truth[: 2 * n : 2] + rng.normal(0, 0.5, (n, 4))
    return Recording(
        "clip",
        frame_ns[: 2 * n : 2],
        frame_ns[: 2 * n : 2] + 50_000_000,
        boxes,
        np.ones(n),
        boxes[[0, *range(n - 1)]],
        np.arange(n) > 0,
        rng.normal(size=(n, 4, 8, 8)).astype(np.float16),
        rng.normal(size=(4, 4, 4)).astype(np.float16),
        frame_ns,
        truth,
    )


def small(kind, **given):
    network = NHeadConfig(kind, heads=4, channels=4, width=8, narrow=6)
    recorded = RecordedWindows(history=5, frames=3, ahead=4)
    return replace(recipe(kind, 30.0, 0.047, **RUN), network=network, recorded=recorded, **given)


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


class Seen:
    """An engine that keeps its inputs."""

    def __init__(self, config):
        inner = as_engine(PaperModule(PaperTraining(network=config)).network)
        self.inputs, self.outputs = inner.inputs, inner.outputs

    def run(self, inputs):
        self.given = inputs
        return {"offset": np.zeros((1, 3, 4), np.float32)}


@pytest.mark.parametrize("kappa", [15.0, 30.0, 60.0])
def test_training_sees_what_the_predictor_will_show_the_module(kappa):
    """Training and predictor make inputs by separate code that must agree, also for short histories and skips."""
    config = replace(recipe("motion", kappa, 0.085).windows, starting=0.5, absent=0.0)
    windows = sample(BoxPool(walks()), config, np.random.default_rng(3), 40)
    motion, interval, there = as_steps(tensors(windows), 3, kappa)
    engine = Seen(NHeadConfig("motion"))
    predictor = NHead(engine, kappa)
    for row in range(40):
        past = windows.there[row]
        track = Track()
        for t, box in zip(windows.t[row][past], windows.boxes[row][past], strict=True):
            track = track.with_result(round((t + 20) * 1e9), box)
        predictor.predict(track)
        assert bool(there[row]) == (past.sum() > 1)
        if there[row]:
            np.testing.assert_allclose(motion[row], engine.given["motion"][0], atol=2e-5)
            np.testing.assert_array_equal(interval[row], engine.given["interval"][0])


def test_each_frame_asked_belongs_to_its_own_head():
    """On straight motion the truth of head n is n steps, whatever was skipped to get there."""
    config = recipe("motion", 30.0, 0.085)
    config = replace(config, windows=replace(config.windows, skips=(1,), skip_shares=(1.0,), starting=0.0, **EXACT))
    batch = on_boxes(config, [straight()])(np.random.default_rng(0), 200)
    counted = batch["weight"] > 0
    expected = (batch["head"] + 1).float() * 2.0 / 40
    assert counted.float().mean() > 0.8
    assert torch.allclose(batch["truth"][..., 0][counted], expected[counted], atol=1e-5)
    assert set(batch["head"][counted].tolist()) == set(range(config.network.heads))
    assert torch.allclose(batch["motion"][..., 0], batch["interval"] * 2.0 / 40, atol=1e-5)


@settings(max_examples=20)
@given(st.sampled_from([15.0, 30.0, 60.0]), st.floats(0.015, 0.2), st.integers(0, 99))
def test_heads_reach_as_far_as_the_online_clock_asks(kappa, seconds, seed):
    config = replace(recipe("motion", kappa, seconds).windows, jittery=0.0, dropping=0.0)
    asked = sample(BoxPool(walks(1)), config, np.random.default_rng(seed), 64).horizon[:, :-1] * kappa
    assert asked.max() <= heads_for(kappa, seconds) + 1e-6


def test_a_slower_camera_keeps_the_tracker_waiting_and_needs_more_heads():
    assert heads_for(30, 0.1) == 7
    assert heads_for(30, 0.1, camera_fps=10) == 9


def test_a_seed_makes_the_weights(tmp_path):
    config = small("motion")
    first, again, other = (
        train(replace(config, seed=seed), on_boxes(config, walks()), None, str(tmp_path / name), progress=False)
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert same(first, again) and not same(first, other)


def test_a_run_killed_between_epochs_resumes_to_the_same_weights(tmp_path, monkeypatch):
    import lightning

    config = small("motion", decay_epochs=(1,))
    draw = on_boxes(config, walks())
    whole = train(config, draw, None, str(tmp_path / "whole"), progress=False)

    class Killed(lightning.Trainer):
        def __init__(self, **options):
            super().__init__(**{**options, "max_epochs": 1})

    with monkeypatch.context() as patch:
        patch.setattr(lightning, "Trainer", Killed)
        train(config, draw, None, str(tmp_path / "part"), progress=False)
    assert same(whole, train(config, draw, None, str(tmp_path / "part"), resume=True, progress=False))


def test_it_learns_to_go_straight_on(tmp_path):
    config = small("motion", epochs=6, epoch_batches=30, decay_epochs=(4,))
    windows = replace(config.windows, starting=0.0, skips=(1,), skip_shares=(1.0,), **EXACT)
    config = replace(config, windows=windows)
    draw = on_boxes(config, [straight(step=step) for step in (-4.0, -1.0, 2.0, 5.0)])
    network = train(config, draw, draw, str(tmp_path), progress=False)
    batch = draw(np.random.default_rng(99), 200)
    with torch.no_grad():
        offset = network(batch["motion"], batch["interval"]).gather(1, batch["head"][..., None].expand(-1, -1, 4))
    missed = ((offset - batch["truth"]).abs().sum(2) * batch["weight"]).sum()
    assert missed < 0.3 * (batch["truth"].abs().sum(2) * batch["weight"]).sum()


@pytest.mark.parametrize("kind", ["visual", "joint"])
def test_modules_that_see_images_learn_from_recordings_in_every_part(kind, tmp_path):
    config = small(kind)
    draw = on_recordings(config, [recording(seed=seed) for seed in range(2)])
    before = PaperModule(config).network
    trained = train(config, draw, draw, str(tmp_path), progress=False)
    losses = PaperModule(config).losses(draw(np.random.default_rng(0), 8))
    names = {"visual": {"visual", "estimator"}, "joint": {"motion", "visual", "joint", "estimator"}}
    assert set(losses) == names[kind] and all(torch.isfinite(loss) for loss in losses.values())
    still = [n for n, p in before.named_parameters() if torch.equal(p, dict(trained.named_parameters())[n])]
    assert not still


def test_windows_of_recordings_hold_the_truth_of_every_head_and_the_features_of_every_step():
    config = small("joint")
    one = recording()
    batch = on_recordings(config, [one])(np.random.default_rng(0), 50)
    assert batch["search"].shape == (50, 3, 4, 8, 8) and batch["template"].shape == (50, 4, 4, 4)
    known = batch["weight"] > 0
    # The given box has no features, so the first results after it do not count.
    seen = (batch["search"].flatten(2).abs().sum(2) > 0).all(1)
    assert torch.equal(known.any(1), seen) and not seen.all()
    step = batch["truth"][:, 1:, 0] - batch["truth"][:, :-1, 0]
    both = known[:, 1:] & known[:, :-1]
    assert torch.allclose(step[both], torch.tensor(3.0 / 40), atol=0.01)


def test_the_robust_loss_forgives_what_lies_far_off():
    batch = on_boxes(small("motion"), walks())(np.random.default_rng(0), 64)
    far = {**batch, "truth": batch["truth"] + 50.0}
    growth = {}
    for robust in (False, True):
        torch.manual_seed(0)
        module = PaperModule(small("motion", robust=robust)).eval()
        growth[robust] = (module.losses(far)["motion"] - module.losses(batch)["motion"]).item()
    assert growth[True] < 0.5 * growth[False]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: recipe("lstm", 30.0, 0.05), "'lstm', expected one of: motion, visual, joint"),
        (lambda: recipe("motion", 0.0, 0.05), "must be above 0"),
        (lambda: recipe("motion", 30.0, float("nan")), "must be above 0"),
        (lambda: PaperTraining(learning_rate=0.0), "PaperTraining.learning_rate is 0.0"),
        (
            lambda: PaperTraining(windows=WindowConfig(results=5), network=NHeadConfig("motion", history=5)),
            "need one more",
        ),
        (
            lambda: replace(recipe("motion", 30.0, 0.05), kappa=60.0),
            "kappa is 60, windows have cameras of .30.0, 30.0. fps",
        ),
        (lambda: PaperTraining(windows=WindowConfig(results=5, fps30=0.0, fps=(30.0, 60.0))), "must all be of kappa"),
        (
            lambda: PaperTraining(kappa=60.0, windows=WindowConfig(results=5, fps30=0.5, fps=(60.0, 60.0))),
            "a share 0.5 of 30",
        ),
        (
            lambda: replace(recipe("motion", 30.0, 0.05), network=NHeadConfig("motion", heads=5)),
            "5 heads at 30 .* reach 0.167",
        ),
        (lambda: replace(recipe("joint", 30.0, 0.05), network=NHeadConfig("joint", heads=9)), "9 heads at 30"),
    ],
)
def test_bad_configurations_are_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()


@given(st.floats(1.0, 240.0), st.floats(0.001, 1.0))
def test_a_recipe_s_windows_reach_all_its_heads_whatever_the_rounding(kappa, seconds):
    assert recipe("motion", kappa, seconds).network.heads == heads_for(kappa, seconds)
