"""SiamRPN++ runs from checkpoint files with its published constants, and says what is missing."""

from __future__ import annotations

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp.tracker import Frame
from pvtpp.weights import MissingWeights
from pvtpp_trackers.registry import create
from pvtpp_trackers.siamese_configs import CONFIGS

# As published: penalty, window influence, size rate, side of the search crop, "base size" (it sets the score size).
PUBLISHED = {
    "siamrpn-mobilenetv2": (0.04, 0.4, 0.5, 255, 8),
    "siamrpn-resnet50": (0.05, 0.42, 0.38, 255, 8),
    "siamrpn-alexnet": (0.16, 0.4, 0.3, 287, 0),
}
FRAMES = [
    Frame(i, i, image) for i, image in enumerate(np.random.default_rng(0).integers(0, 256, (4, 240, 320, 3), np.uint8))
]
BOX = np.array([150.0, 110.0, 40.0, 30.0])


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_constants_are_the_published_ones(name):
    config = CONFIGS[name]
    found = config.penalty_k, config.window_influence, config.size_rate, config.instance
    assert (*found, config.score_size - (config.instance - config.exemplar) // 8 - 1) == PUBLISHED[name]


@pytest.fixture(scope="module")
def zoo():
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    from pvtpp_trackers.models import zoo

    return zoo


@pytest.fixture(scope="module")
def checkpoint(zoo, tmp_path_factory):
    """A file with AlexNet's published names, from a network with random weights and settled statistics."""
    import torch

    from pvtpp_trackers.models.parts import settle

    torch.manual_seed(0)
    tensors = {}
    for name, tensor in settle(zoo.create("siamrpn-alexnet")).state_dict().items():
        theirs = name.replace("head.levels.0.", "rpn_head.")
        for ours, published in ((".template.", ".conv_kernel."), (".search.", ".conv_search."), (".output.", ".head.")):
            theirs = theirs.replace(ours, published)
        tensors[f"module.{theirs}"] = tensor
    path = tmp_path_factory.mktemp("alex") / "model.pth"
    torch.save({"state_dict": tensors}, path)
    return path


def path(tracker, frames=FRAMES):
    tracker.init(frames[0], BOX)
    return np.array([[*output.box, output.score] for output in map(tracker.track, frames[1:])])


def test_a_checkpoint_tracks_and_repeats_after_init(checkpoint):
    tracker = create("siamrpn-alexnet", weights=str(checkpoint))
    first = path(tracker)
    assert np.isfinite(first).all()
    tracker.init(FRAMES[2], BOX * 1.3)
    tracker.track(FRAMES[3])
    assert np.array_equal(path(tracker), first)
    features = tracker.track(FRAMES[1]).features
    assert (features.template.shape, features.search.shape) == ((1, 256, 6, 6), (1, 256, 26, 26))


def test_weights_are_found_in_a_folder_and_in_the_environment(checkpoint, tmp_path, monkeypatch):
    (tmp_path / "siamrpn_alex_dwxcorr").mkdir()
    (tmp_path / "siamrpn_alex_dwxcorr" / "model.pth").write_bytes(checkpoint.read_bytes())
    expected = path(create("siamrpn-alexnet", weights=checkpoint), FRAMES[:2])
    monkeypatch.setenv("PVTPP_WEIGHTS", str(tmp_path))
    for weights in (checkpoint.parent, tmp_path, None):
        assert np.array_equal(path(create("siamrpn-alexnet", weights=weights), FRAMES[:2]), expected)


def test_missing_weights_say_where_they_are_published(tmp_path, monkeypatch):
    monkeypatch.setenv("PVTPP_CACHE", str(tmp_path))
    monkeypatch.delenv("PVTPP_WEIGHTS", raising=False)
    with pytest.raises(MissingWeights, match=r"model\.pth \(from github\.com/STVIR/pysot.*siamrpn_r50_l234_dwxcorr"):
        create("siamrpn-resnet50")


def test_another_networks_checkpoint_is_named(checkpoint):
    with pytest.raises(InputError, match="the weights of siamrpn-alexnet, not of siamrpn-mobilenetv2"):
        create("siamrpn-mobilenetv2", weights=checkpoint)


def test_a_runtime_that_reads_no_checkpoint_is_refused(checkpoint):
    with pytest.raises(
        InputError, match=r"backend 'onnxruntime:cpu', a checkpoint runs on torch\[:DEVICE\]; export it"
    ):
        create("siamrpn-alexnet", weights=checkpoint, backend="onnxruntime:cpu")


def test_the_engines_of_one_tracker_do_not_pass_for_anothers(zoo):
    from pvtpp_trackers.models.parts import engines

    alexnet = engines(zoo.create("siamrpn-alexnet"))
    with pytest.raises(
        InputError, match=r"siamrpn-mobilenetv2: the search region's crop is \[287, 287\], expected \[255, 255\]"
    ):
        create("siamrpn-mobilenetv2", engines=alexnet)
