"""Published checkpoints: every tensor finds its place, the answers follow the published arithmetic, the rest is named.

The reference below computes each module from the published tensors by their published names, with torch's functions
alone, so that neither our modules nor our naming can hide a mistake of the other.
"""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from pvtpp import predictors
from pvtpp.errors import InputError
from pvtpp.tracker import TrackerOutput

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
import torch.nn.functional as F  # noqa: E402

from pvtpp.export.published import convert, read  # noqa: E402
from pvtpp.networks import weights  # noqa: E402

torch.set_num_threads(1)

KINDS = ("motion", "visual", "joint")
CHANNELS, WIDTH, NARROW, HEADS = 7, 6, 5, 3
TRACKER = {"backbone.conv1.weight": (4, 3, 3, 3), "neck.downsample.weight": (4, 4), "rpn_head.cls.bias": (2,)}


def published(kind, seed=0):
    """A random state dict with the names and shapes of the published module of this kind."""
    make, tensors = torch.Generator().manual_seed(seed), {}

    def layer(name, shape, bias=True):
        tensors[f"{name}.weight"] = torch.randn(shape, generator=make) * 0.3
        if bias:
            tensors[f"{name}.bias"] = torch.randn(shape[0], generator=make) * 0.3

    def batch_norm(name, width):
        layer(name, (width,))
        tensors[f"{name}.running_mean"] = torch.randn(width, generator=make) * 0.3
        tensors[f"{name}.running_var"] = torch.rand(width, generator=make) + 0.5
        tensors[f"{name}.num_batches_tracked"] = torch.tensor(11)

    def decoder(suffix, inputs):
        layer(f"mid_hidden{suffix}.0", (NARROW, inputs))
        batch_norm(f"mid_hidden{suffix}.1", NARROW)
        for head in range(HEADS):
            layer(f"pred_head{suffix}.{head}", (NARROW, NARROW))
        layer(f"out_decode{suffix}.0", (NARROW,))
        layer(f"out_decode{suffix}.2", (4, NARROW))

    layer("head", (NARROW, NARROW))
    if kind != "visual":
        temporal = "temporal" if kind == "motion" else "interact_m"
        layer("input_encode.0", (WIDTH, 8))
        layer("input_encode.1", (WIDTH,))
        layer(f"{temporal}.0", (WIDTH, WIDTH, 3))
        batch_norm(f"{temporal}.1", WIDTH)
        decoder("" if kind == "motion" else "_m", WIDTH)
    if kind != "motion":
        interact = "interact" if kind == "visual" else "interact_v"
        for name, shape in (("conv_kernel", (WIDTH, CHANNELS, 3, 3)), ("conv_search", (WIDTH, CHANNELS, 3, 3))):
            layer(f"{name}.0", shape, bias=False)
            batch_norm(f"{name}.1", WIDTH)
        for name in ("hidden_conv", "pred_loc_head"):
            layer(f"{name}.0", (WIDTH, WIDTH, 1, 1), bias=False)
            batch_norm(f"{name}.1", WIDTH)
        layer("pred_loc_head.3", (4, WIDTH, 1, 1))
        layer(f"{interact}.0", (WIDTH, WIDTH, 3, 3, 3))
        batch_norm(f"{interact}.1", WIDTH)
        decoder("_v", WIDTH)
    if kind == "joint":
        decoder("_mv", 2 * WIDTH)
    return tensors


class Reference:
    def __init__(self, tensors):
        self.tensors = tensors

    def norm_relu(self, x, name):
        t = self.tensors
        names = ("running_mean", "running_var", "weight", "bias")
        return F.relu(F.batch_norm(x, *(t[f"{name}.{each}"] for each in names)))

    def linear(self, x, name):
        return F.linear(x, self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"])

    def layer_norm_relu(self, x, name):
        return F.relu(F.layer_norm(x, x.shape[-1:], self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"]))

    def conv(self, x, name):
        return self.norm_relu(F.conv2d(x, self.tensors[f"{name}.0.weight"]), f"{name}.1")

    def decode(self, cue, suffix, factor):
        cue = self.norm_relu(self.linear(cue, f"mid_hidden{suffix}.0"), f"mid_hidden{suffix}.1")
        steps = []
        for head in range(HEADS):
            step = self.layer_norm_relu(self.linear(cue, f"pred_head{suffix}.{head}"), f"out_decode{suffix}.0")
            steps.append(self.linear(step, f"out_decode{suffix}.2") * factor)
        return torch.stack(steps, dim=1)

    def motion_cue(self, motion, interval, temporal):
        t, frames = self.tensors, interval.unsqueeze(-1)
        x = self.layer_norm_relu(
            self.linear(torch.cat([motion, motion / frames], -1), "input_encode.0"), "input_encode.1"
        )
        x = F.conv1d(x.permute(0, 2, 1), t[f"{temporal}.0.weight"], t[f"{temporal}.0.bias"], padding=1)
        return self.norm_relu(x, f"{temporal}.1").mean(-1)

    def correlation(self, template, search):
        kernel, image = self.conv(template, "conv_kernel"), self.conv(search, "conv_search")
        return torch.cat([F.conv2d(i[None], k[:, None], groups=WIDTH) for i, k in zip(image, kernel, strict=True)])

    def visual_cue(self, template, search, interact):
        t = self.tensors
        frames = [self.conv(self.correlation(template, search[:, i]), "hidden_conv") for i in range(search.shape[1])]
        x = F.conv3d(torch.stack(frames, 2), t[f"{interact}.0.weight"], t[f"{interact}.0.bias"], padding=1)
        return self.norm_relu(x, f"{interact}.1").flatten(2).mean(-1)

    def branches(self, kind, motion, interval, template, search):
        factor = (motion.abs() / interval.unsqueeze(-1)).mean(1)
        if kind == "motion":
            return {"motion": self.decode(self.motion_cue(motion, interval, "temporal"), "", factor)}
        if kind == "visual":
            return {"visual": self.decode(self.visual_cue(template, search, "interact"), "_v", factor)}
        m, v = self.motion_cue(motion, interval, "interact_m"), self.visual_cue(template, search, "interact_v")
        joint = self.decode(torch.cat([v, m], 1), "_mv", factor)
        return {"motion": self.decode(m, "_m", factor), "visual": self.decode(v, "_v", factor), "joint": joint}

    def estimate(self, template, search):
        x = self.conv(self.correlation(template, search), "pred_loc_head")
        t = self.tensors
        return F.conv2d(x, t["pred_loc_head.3.weight"], t["pred_loc_head.3.bias"]).mean((2, 3))


def checkpoint(path, predictor, prefix="module."):
    tensors = {name: torch.zeros(shape) for name, shape in TRACKER.items()}
    tensors.update({f"predictor.{name}": tensor for name, tensor in predictor.items()})
    torch.save({"epoch": 9, "state_dict": {prefix + name: tensor for name, tensor in tensors.items()}}, path)
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "published.pth"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("prefix", ["", "module."])
def test_the_module_computes_what_the_published_tensors_say(path, kind, prefix):
    tensors = published(kind)
    network = read(checkpoint(path, tensors, prefix)).network
    assert (network.config.kind, network.config.heads, network.config.factor) == (kind, HEADS, "absolute")
    make = torch.Generator().manual_seed(5)
    motion, template = torch.randn(2, 3, 4, generator=make), torch.randn(2, CHANNELS, 5, 5, generator=make)
    search, interval = torch.randn(2, 3, CHANNELS, 9, 9, generator=make), torch.tensor([[1.0, 2, 4], [3, 3, 3]])
    features = () if kind == "motion" else (template, search)
    reference = Reference(tensors)
    expected = reference.branches(kind, motion, interval, template, search)
    with torch.inference_mode():
        torch.testing.assert_close(dict(network.branches(motion, interval, *features)), expected, rtol=1e-4, atol=1e-5)
        if features:
            found = network.estimate(template, search[:, 1])
            torch.testing.assert_close(found, reference.estimate(template, search[:, 1]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_every_name_in_the_file_is_accounted_for(path, kind):
    found = read(checkpoint(path, published(kind)))
    assert found.idle == ("predictor.head.weight", "predictor.head.bias")
    assert found.left_over == tuple(TRACKER)
    assert len(found.used) == len(found.network.state_dict()) == len(published(kind)) - 2


def test_converted_weights_come_back_with_a_card_that_says_where_from(path, tmp_path):
    target = tmp_path / "mv.onnx"
    converted = convert(checkpoint(path, published("joint")), target, kappa=25.0)
    network, card = weights.load(target.with_suffix(".safetensors"))
    assert all(torch.equal(t, network.state_dict()[n]) for n, t in converted.network.state_dict().items())
    assert card["source"] == "published.pth" and len(card["source_sha256"]) == 64
    assert card["used"] == list(converted.used) and card["left_over"] == list(TRACKER)
    assert json.loads(target.with_suffix(".json").read_text()) == card


@pytest.mark.parametrize("kind", KINDS)
def test_a_converted_module_is_a_predictor_for_features_of_the_published_size(kind, path, tmp_path):
    target = tmp_path / "module.onnx"
    convert(checkpoint(path, published(kind)), target, kappa=25.0)
    predictor = predictors.create(f"n_head:{target}")
    assert (predictor.heads, predictor.kappa) == (HEADS, 25.0)
    if kind != "motion":
        features = SimpleNamespace(
            template=np.zeros((1, CHANNELS, 7, 7), np.float32), search=np.zeros((1, CHANNELS, 31, 31), np.float32)
        )
        encoding = predictor.encode(TrackerOutput(np.array([9.0, 9.0, 4.0, 4.0]), 1.0, features))
        assert encoding["similarity"].shape == (1, WIDTH, 25, 25)


def test_a_tracker_alone_is_no_predictor(path):
    with pytest.raises(InputError, match=r"published\.pth: no predictor\.\* tensors.*backbone, neck, rpn_head"):
        read(checkpoint(path, {}))


def test_another_architecture_is_not_taken_for_a_published_one(path):
    tensors = published("joint")
    for name in [name for name in tensors if name.startswith("out_decode_mv")]:
        del tensors[name]
    with pytest.raises(InputError, match=r"nearest is MV \(mv_v16\), but the file lacks predictor\.out_decode_mv"):
        read(checkpoint(path, tensors))
    with pytest.raises(InputError, match=r"nearest is M \(lb_5\), but the file has predictor\.attention besides"):
        read(checkpoint(path, {**published("motion"), "attention.weight": torch.zeros(2)}))
    with pytest.raises(InputError, match="no published PVT"):
        read(checkpoint(path, {"lstm.weight": torch.zeros(2)}))


def test_a_tensor_missing_misshapen_or_too_many_is_named(path):
    tensors = published("motion")
    bias = tensors.pop("pred_head.1.bias")
    with pytest.raises(InputError, match=r"M \(lb_5\) module: the file lacks decoders\.motion\.heads\.1\.bias"):
        read(checkpoint(path, tensors))
    with pytest.raises(InputError, match=r"decoders\.motion\.heads\.1\.bias is \[4\], not \[5\]"):
        read(checkpoint(path, {**tensors, "pred_head.1.bias": bias[:4]}))
    with pytest.raises(InputError, match=r"no place for decoders\.motion\.output\.3\.weight"):
        read(checkpoint(path, {**published("motion"), "out_decode.3.weight": bias}))
    del tensors["input_encode.0.weight"]
    with pytest.raises(InputError, match=r"predictor\.input_encode or predictor\.mid_hidden are missing"):
        read(checkpoint(path, tensors))


def test_a_truncated_checkpoint_is_named_and_nothing_is_written(path, tmp_path):
    checkpoint(path, published("motion"))
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match=r"published\.pth: "):
        convert(path, tmp_path / "m.onnx")
    assert [each.name for each in tmp_path.iterdir()] == ["published.pth"]
