"""Training the joint network: reproducible, resumable, it learns from features, and only what is named changes."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest

from pvtpp.errors import InputError

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
from pvtpp.networks.joint import JointConfig  # noqa: E402
from pvtpp.networks.motion import MotionConfig, MotionNetwork  # noqa: E402
from pvtpp.training import config as configurations  # noqa: E402
from pvtpp.training.joint import JointModule, JointTraining, seen_by, train  # noqa: E402
from pvtpp.training.recorded_windows import RecordedWindows, RecordingPool  # noqa: E402
from pvtpp.training.recordings import Recording  # noqa: E402
from pvtpp_trackers.models.nanotrack import JOINT, NanoTrackV3  # noqa: E402
from pvtpp_trackers.models.nanotrack_training import LastStage  # noqa: E402

torch.set_num_threads(1)
NETWORK = JointConfig(
    motion=MotionConfig(history=6, width=8), channels=3, template=4, search=9, compared=6, kept=4, vector=4, frames=2
)
SMALL = JointTraining(
    network=NETWORK,
    windows=RecordedWindows(history=6, frames=2),
    epochs=2,
    epoch_batches=3,
    shard_windows=16,
    warmup=1,
    validation_windows=32,
    accelerator="cpu",
)
FPS = 30


def recording(n=40, seed=0, channels=5, sides=(4, 9), name="clip"):
    """A tracker that is off by up to 0.3 target widths, and features that show a blob where the target really is."""
    rng = np.random.default_rng(seed)
    frames = np.arange(n) * 2
    m = frames[-1] + 12
    truth = np.stack([100 + rng.uniform(1, 4) * np.arange(m), np.full(m, 80.0), np.full(m, 40.0), np.full(m, 40.0)], 1)
    off = rng.uniform(-0.3, 0.3, n)
    boxes = truth[frames] + np.stack([40 * off, 0 * off, 0 * off, 0 * off], 1)
    t_ns = np.rint(np.arange(m) * 1e9 / FPS).astype(np.int64)
    cells = np.arange(sides[1]) - sides[1] // 2
    blob = np.exp(-((cells[None, None] + 6 * off[:, None, None]) ** 2 + cells[None, :, None] ** 2) / 3)
    search = (
        0.05 * rng.normal(size=(n, channels, sides[1], sides[1]))
        + blob[:, None] * np.arange(1, channels + 1)[:, None, None]
    )
    template = np.ones((channels, sides[0], sides[0])) * np.arange(1, channels + 1)[:, None, None]
    arrays = search.astype(np.float16), template.astype(np.float16)
    there = t_ns[frames] + 40 * 10**6
    return Recording(
        name, t_ns[frames], there, boxes, np.ones(n), boxes[[0, *range(n - 1)]], np.arange(n) > 0, *arrays, t_ns, truth
    )


def motion():
    torch.manual_seed(0)
    return MotionNetwork(NETWORK.motion)


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_it_learns_to_correct_results_by_features(tmp_path):
    config = replace(SMALL, epochs=1, epoch_batches=120, shard_windows=32, learning_rate=1e-2, blind=0.0, trust=1.0)
    learnt = [recording(seed=seed) for seed in range(6)]
    network = train(config, motion(), learnt, [], str(tmp_path), progress=False)
    pool = RecordingPool([recording(seed=99)], config.windows)
    module = JointModule(replace(config, network=network.config), network.motion)
    (batch,) = pool.every(100)
    overlap = []
    for made in (module.network, network):
        module.network = made
        with torch.no_grad():
            overlap.append(1 - module.eval().losses(batch)["overlap"].item())
    assert overlap[1] > overlap[0] + 0.05


def test_a_seed_makes_the_weights_and_the_motion_network_stays_as_it_was(tmp_path):
    given = [recording()], [recording(seed=1)]
    model = motion()
    whole = train(SMALL, model, *given, str(tmp_path / "a"), progress=False)
    again = train(SMALL, model, *given, str(tmp_path / "b"), progress=False)
    other = train(replace(SMALL, seed=1), model, *given, str(tmp_path / "c"), progress=False)
    assert same(whole, again) and not same(whole, other)
    assert same(whole.motion, model) and same(model, motion())
    assert whole.config == replace(NETWORK, channels=5)


def test_a_run_killed_between_epochs_resumes_to_the_same_weights(tmp_path, monkeypatch):
    import lightning

    whole = train(SMALL, motion(), [recording()], [], str(tmp_path / "whole"), progress=False)

    class Killed(lightning.Trainer):
        def __init__(self, **options):
            super().__init__(**{**options, "max_epochs": 1})

    with monkeypatch.context() as patch:
        patch.setattr(lightning, "Trainer", Killed)
        train(SMALL, motion(), [recording()], [], str(tmp_path / "part"), progress=False)
    resumed = train(SMALL, motion(), [recording()], [], str(tmp_path / "part"), resume=True, progress=False)
    assert same(whole, resumed)


def nanotrack_recording():
    """What enters the last stage, 48 channels, at the size that NanoTrack has."""
    return recording(n=12, channels=48, sides=(8, 16))


@pytest.fixture(scope="module")
def tracker():
    torch.manual_seed(0)
    return NanoTrackV3().eval()


def test_joint_training_changes_exactly_what_is_named(tmp_path, tracker):
    model = copy.deepcopy(tracker)
    config = replace(
        SMALL,
        network=JointConfig(motion=NETWORK.motion, channels=4, frames=2),
        epochs=1,
        epoch_batches=2,
        shard_windows=4,
    )
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    train(config, motion(), [nanotrack_recording()], [], str(tmp_path), LastStage(model), together=True, progress=False)
    changed = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    named = {name for name in before if name.startswith(tuple(f"{part}." for part in JOINT))}
    assert changed <= named and not any("running" in name for name in changed)
    assert {name for name in named if name.endswith((".weight", ".bias"))} <= changed


def test_joint_training_goes_on_from_what_was_learnt_frozen(tmp_path, tracker):
    config = replace(
        SMALL,
        network=JointConfig(motion=NETWORK.motion, channels=4, frames=2),
        epochs=1,
        epoch_batches=2,
        shard_windows=4,
    )
    maps, model = [nanotrack_recording()], copy.deepcopy(tracker)
    first = train(config, motion(), maps, [], str(tmp_path / "a"), LastStage(model), progress=False)
    still = replace(config, learning_rate=1e-12)
    second = train(
        still, motion(), maps, [], str(tmp_path / "b"), LastStage(model), together=True, start=first, progress=False
    )
    for ours, theirs in zip(second.state_dict().values(), first.state_dict().values(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)


def test_frozen_training_changes_nothing_of_the_tracker(tmp_path, tracker):
    model = copy.deepcopy(tracker)
    config = replace(
        SMALL,
        network=JointConfig(motion=NETWORK.motion, channels=4, frames=2),
        epochs=1,
        epoch_batches=2,
        shard_windows=4,
    )
    network = train(config, motion(), [nanotrack_recording()], [], str(tmp_path), LastStage(model), progress=False)
    assert same(model, tracker) and network.config.channels == 96


def test_both_losses_drive_one_step(tracker):
    config = replace(SMALL, network=JointConfig(motion=NETWORK.motion, frames=2))
    part = LastStage(copy.deepcopy(tracker))
    module = JointModule(config, motion(), tracker=part)
    batch = RecordingPool([nanotrack_recording()], config.windows).sample(np.random.default_rng(0), 4)
    losses = module.train().losses(batch)
    assert {"overlap", "absolute", "robust", "calibration", "class", "box"} == set(losses)
    # With the last layer at zero nothing of the predictor's error reaches the tracker; with any other it does.
    torch.nn.init.normal_(module.network.residual[-1].weight)
    module.losses(batch)["overlap"].backward()
    assert part.model.backbone.features[-1].expand[0].weight.grad.abs().max() > 0


def test_features_of_a_frozen_part_are_those_it_gives_frame_by_frame(tracker):
    part, maps = LastStage(tracker), nanotrack_recording()
    made = seen_by(part, maps)
    with torch.no_grad():
        _, search = part.see(torch.zeros(1, 48, 8, 8), torch.from_numpy(maps.search[3:4]).float()[None])
    np.testing.assert_allclose(made.search[3], search[0, 0].numpy(), atol=2e-2, rtol=1e-2)
    assert not made.search[0].any() and made.template.shape == (96, 8, 8)


def test_what_makes_no_sense_is_refused(tmp_path):
    with pytest.raises(InputError, match="joint training needs the part of the tracker"):
        train(SMALL, motion(), [recording()], [], str(tmp_path), together=True)
    with pytest.raises(InputError, match="no checkpoint to resume from"):
        train(SMALL, motion(), [recording()], [], str(tmp_path), resume=True)
    with pytest.raises(InputError, match="windows have 16 results, 1 with features; the network looks at 6 and 2"):
        JointTraining(network=NETWORK)
    with pytest.raises(InputError, match="JointTraining.blind is 1.0"):
        replace(SMALL, blind=1.0)


def test_a_part_of_the_configuration_leaves_the_rest_at_joint_training_s_own_defaults():
    config = configurations.made(JointTraining, {"network": {"kept": 4}, "windows": {"least_overlap": 0.2}}, "here")
    assert config.network == replace(JointTraining().network, kept=4)
    assert config.windows == replace(JointTraining().windows, least_overlap=0.2)


def test_other_recordings_another_motion_network_and_another_stage_are_not_resumed(tmp_path, tracker):
    config = replace(SMALL, network=JointConfig(motion=NETWORK.motion, channels=4, frames=2), epochs=1, epoch_batches=2)
    config, maps, place = replace(config, shard_windows=4), [nanotrack_recording()], str(tmp_path)
    part = LastStage(copy.deepcopy(tracker))
    train(config, motion(), maps, [], place, part, progress=False)
    with pytest.raises(InputError, match="its data are not the same"):
        train(config, motion(), [recording(n=12, channels=48, sides=(8, 16), seed=7)], [], place, part, resume=True)
    with pytest.raises(InputError, match="it started from other weights"):
        train(config, MotionNetwork(NETWORK.motion), maps, [], place, part, resume=True)
    with pytest.raises(InputError, match="its data are not the same"):
        train(config, motion(), maps, [], place, part, together=True, resume=True)
    assert same(*(train(config, motion(), maps, [], place, part, resume=True, progress=False) for _ in range(2)))
