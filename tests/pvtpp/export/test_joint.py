"""The exported joint network answers as torch does, both graphs, or is not written."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import numpy as np
import pytest

from pvtpp import inference
from pvtpp.errors import InputError
from pvtpp.predictors.joint import WEIGHTS, Joint, encoder_of
from pvtpp.track import Track
from pvtpp.tracker import TrackerOutput

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from pvtpp.export.joint import TOLERANCE, difference, publish  # noqa: E402
from pvtpp.networks.joint import JointConfig, JointNetwork, load  # noqa: E402
from pvtpp.networks.motion import MotionConfig  # noqa: E402

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    made = JointNetwork(
        JointConfig(motion=MotionConfig(history=6, width=8), channels=5, template=4, search=9, compared=4)
    )
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return made


def test_both_graphs_agree_with_torch_and_serve_the_predictor(network, tmp_path):
    path = tmp_path / "j.onnx"
    assert publish(network, path, {"data": "none"}) <= TOLERANCE
    assert sorted(file.name for file in tmp_path.iterdir()) == ["j.encoder.onnx", "j.json", "j.onnx", "j.safetensors"]
    rng = np.random.default_rng(0)
    maps = {
        name: rng.normal(size=(1, 5, side, side)).astype(np.float32) for name, side in (("template", 4), ("search", 9))
    }
    output = TrackerOutput([10.0, 10, 4, 4], 1.0, SimpleNamespace(**maps))
    predictors = Joint(path), Joint(*network.engines())
    vectors = [each.encode(output) for each in predictors]
    np.testing.assert_allclose(*vectors, atol=TOLERANCE)
    track = Track().with_result(0, [10.0, 10, 4, 4]).with_result(10**8, [11.0, 10, 4, 4], 1.0, vectors[0])
    exported, torch_made = (each.predict(track) for each in predictors)
    assert abs(exported.mean - torch_made.mean).max() < 1e-4


def test_a_graph_that_differs_is_not_kept_and_the_weights_are(network, tmp_path):
    with pytest.raises(InputError, match=r"differs from torch.*pvtpp export joint \S+j\.safetensors --out \S+j\.onnx"):
        publish(network, tmp_path / "j.onnx", {"seed": 3}, tolerance=-1.0)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["j.json", "j.safetensors"]
    again, card = load(tmp_path / "j.safetensors")
    assert again.config == network.config and card["seed"] == 3 and "onnx_against_torch" not in card
    with pytest.raises(InputError, match="written as .onnx"):
        publish(network, tmp_path / "j.pt", {})


def test_the_committed_weights_are_the_committed_graphs():
    network, card = load(WEIGHTS.with_suffix(".safetensors"))
    for path, reference in zip((WEIGHTS, encoder_of(WEIGHTS)), network.engines(), strict=True):
        assert difference(inference.load(path), reference) <= TOLERANCE
    assert {"data", "command", "seed", "metrics"} <= set(card)


def test_a_network_of_nan_is_not_published(network, tmp_path):
    diverged = copy.deepcopy(network)
    for parameter in diverged.parameters():
        torch.nn.init.constant_(parameter, float("nan"))
    with pytest.raises(InputError, match="training diverged"):
        publish(diverged, tmp_path / "j.onnx", {})
    assert not list(tmp_path.iterdir())
