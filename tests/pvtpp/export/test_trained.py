"""Weights and training checkpoints are exported again: the same network, the same check."""

from __future__ import annotations

import numpy as np
import pytest

from pvtpp import inference
from pvtpp.errors import InputError

torch = pytest.importorskip("torch")
for package in ("lightning", "onnx", "onnxruntime", "safetensors"):
    pytest.importorskip(package)
from pvtpp.export import motion, n_head  # noqa: E402
from pvtpp.export.trained import KINDS, export_again, read  # noqa: E402
from pvtpp.networks import weights as n_head_weights  # noqa: E402
from pvtpp.networks.joint import JointConfig  # noqa: E402
from pvtpp.networks.motion import MotionConfig, MotionNetwork, load  # noqa: E402
from pvtpp.networks.n_head import NHeadConfig, NHeadNetwork  # noqa: E402
from pvtpp.predictors.joint import encoder_of  # noqa: E402
from pvtpp.training import joint as joint_training  # noqa: E402
from pvtpp.training import paper  # noqa: E402
from pvtpp.training.joint import JointTraining  # noqa: E402
from pvtpp.training.motion import MotionTraining, averaged, train  # noqa: E402
from pvtpp.training.recorded_windows import RecordedWindows  # noqa: E402
from pvtpp.training.recordings import Recording  # noqa: E402
from pvtpp.training.windows import WindowConfig  # noqa: E402

torch.set_num_threads(1)
RUN = {"epochs": 1, "epoch_batches": 2, "shard_windows": 8, "validation_windows": 8, "accelerator": "cpu"}
MOTION = MotionTraining(
    network=MotionConfig(history=6, width=8), windows=WindowConfig(results=6), shards=1, workers=0, **RUN
)


def boxes():
    path = np.cumsum(np.cumsum(np.random.default_rng(0).normal(0, 0.2, (600, 2)), axis=0), axis=0) + 300
    return [np.concatenate([path, np.full((600, 2), 40.0)], axis=1)]


def recording(seed=0, n=40):
    rng = np.random.default_rng(seed)
    truth_t = np.arange(3 * n) * 16_666_667
    t = truth_t[::3]
    along = np.stack([100 + truth_t * 2e-8, 80 + truth_t * 1e-8, np.full(3 * n, 30.0), np.full(3 * n, 20.0)], 1)
    search = rng.normal(size=(n, 5, 9, 9)).astype(np.float16)
    seen = np.arange(n) > 0
    search[~seen] = 0
    template = rng.normal(size=(5, 4, 4)).astype(np.float16)
    return Recording(
        "clip", t, t + 40_000_000, along[::3], np.ones(n), along[::3], seen, search, template, truth_t, along
    )


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("motion")
    train(MOTION, boxes(), [], str(folder), progress=False)
    return folder / "last.ckpt"


def test_a_checkpoint_of_the_motion_network_gives_its_averaged_weights(checkpoint, tmp_path):
    path = tmp_path / "exported" / "m.onnx"
    worst = export_again("motion", checkpoint, path)
    network, card = load(path.with_suffix(".safetensors"))
    for name, tensor in averaged(MOTION, str(checkpoint)).state_dict().items():
        assert torch.equal(network.state_dict()[name], tensor)
    assert motion.difference(network, path) <= motion.TOLERANCE and card["onnx_against_torch"] == worst
    assert card["source"]["file"] == "last.ckpt" and card["source"]["epochs"] == 1
    assert card["training"]["epoch_batches"] == 2 and card["calibration"] is None


def test_weights_keep_their_card(tmp_path):
    made = MotionNetwork(MOTION.network).eval()
    motion.publish(made, tmp_path / "a.onnx", {"data": "none", "seed": 7})
    export_again("motion", tmp_path / "a.safetensors", tmp_path / "b.onnx")
    assert (tmp_path / "b.onnx").read_bytes() == (tmp_path / "a.onnx").read_bytes()
    assert (tmp_path / "b.json").read_text() == (tmp_path / "a.json").read_text()


def test_a_checkpoint_of_the_joint_network_gives_what_its_training_gave(tmp_path):
    config = JointTraining(
        network=JointConfig(motion=MotionConfig(history=6, width=8), channels=3, template=4, search=9, compared=4),
        windows=RecordedWindows(history=6, frames=1, ahead=2),
        warmup=1,
        **RUN,
    )
    inner = MotionNetwork(config.network.motion).eval()
    trained = joint_training.train(config, inner, [recording()], [], str(tmp_path), progress=False)
    found = read("joint", tmp_path / "last.ckpt")
    # Fewer channels in training: what is exported reads all five of the tracker's.
    assert found.network.config == trained.config and trained.config.channels == 5
    for name, tensor in trained.state_dict().items():
        assert torch.equal(found.network.state_dict()[name], tensor), name
    export_again("joint", tmp_path / "last.ckpt", tmp_path / "j.onnx")
    assert (tmp_path / "j.safetensors").is_file() and encoder_of(tmp_path / "j.onnx").is_file()

    content = torch.load(tmp_path / "last.ckpt", weights_only=True)
    del content["pvtpp_export"]
    torch.save(content, tmp_path / "older.ckpt")
    with pytest.raises(InputError, match="older.ckpt: lacks 'projection', which the export needs; .* --resume"):
        read("joint", tmp_path / "older.ckpt")


def test_a_checkpoint_of_a_module_with_features_knows_their_sides(tmp_path):
    network = {"kind": "visual", "heads": 2, "history": 2, "channels": 5, "width": 8, "narrow": 4}
    config = paper.PaperTraining(
        network=NHeadConfig(**network), recorded=RecordedWindows(history=5, frames=2, ahead=2), **RUN
    )
    trained = paper.train(config, paper.on_recordings(config, [recording()]), None, str(tmp_path), progress=False)
    found = read("paper", tmp_path / "last.ckpt")
    assert found.card["sides"] == [4, 9] and found.card["kappa"] == 30.0
    for name, tensor in trained.state_dict().items():
        assert torch.equal(found.network.state_dict()[name], tensor), name
    export_again("paper", tmp_path / "last.ckpt", tmp_path / "v.onnx")
    assert n_head_weights.load(tmp_path / "v.safetensors")[1]["sides"] == [4, 9]


def test_a_card_of_an_older_version_gets_the_sides_of_the_encoder_beside_it(tmp_path):
    torch.manual_seed(0)
    made = NHeadNetwork(NHeadConfig("joint", heads=2, channels=5, width=8, narrow=4)).eval()
    n_head.publish(made, tmp_path / "mv.onnx", 60.0, {}, (4, 9))
    weights = tmp_path / "mv.safetensors"
    network, card = n_head_weights.load(weights)
    del card["sides"]
    n_head_weights.save(network, weights, card)
    export_again("paper", weights, tmp_path / "again.onnx")
    search = {spec.name: spec.shape for spec in inference.load(encoder_of(tmp_path / "again.onnx")).inputs}["search"]
    assert search == (1, 5, 9, 9)
    assert n_head_weights.load(tmp_path / "again.safetensors")[1]["kappa"] == 60.0
    encoder_of(tmp_path / "mv.onnx").unlink()
    with pytest.raises(InputError, match=r"lacks the sides of the feature maps, and \S+mv\.encoder\.onnx is not there"):
        read("paper", weights)


def test_a_checkpoint_of_another_kind_is_named(checkpoint, tmp_path):
    with pytest.raises(
        InputError, match="is a checkpoint of MotionModule, not of JointModule; use pvtpp export motion"
    ):
        read("joint", checkpoint)
    content = torch.load(checkpoint, weights_only=True)
    content["pvtpp"]["kind"] = "OtherModule"
    torch.save(content, tmp_path / "other.ckpt")
    with pytest.raises(InputError, match="OtherModule, not of MotionModule; known are motion, joint, paper"):
        read("motion", tmp_path / "other.ckpt")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["m.ckpt", "m.safetensors"])
def test_a_missing_or_damaged_file_is_one_line(kind, name, tmp_path):
    with pytest.raises(InputError, match=f"{name}: (no such checkpoint|cannot read)"):
        read(kind, tmp_path / name)
    (tmp_path / name).write_bytes(b"PK\x03\x04 half a file")
    (tmp_path / "m.json").write_text("{}")
    with pytest.raises(InputError, match=f"{name}: damaged"):
        read(kind, tmp_path / name)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"network": None}, "MotionConfig must be an object with fields, got None"),
        ({"network": {"history": 6, "width": "8"}}, "MotionConfig.width is '8', expected a whole number"),
        ({"network": {"history": 6, "width": 16}}, "has other shapes"),
    ],
)
def test_a_checkpoint_with_a_configuration_that_does_not_fit_is_one_line(change, words, checkpoint, tmp_path):
    content = torch.load(checkpoint, weights_only=True)
    content["pvtpp"]["config"].update(change)
    torch.save(content, tmp_path / "changed.ckpt")
    with pytest.raises(InputError, match=rf"changed\.ckpt.*{words}"):
        read("motion", tmp_path / "changed.ckpt")
