"""The exported modules answer as torch does and know their frame rate and their encoder, or are not written."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from pvtpp import predictors
from pvtpp.errors import InputError

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from pvtpp.export.n_head import TOLERANCE, publish  # noqa: E402
from pvtpp.networks import weights  # noqa: E402
from pvtpp.networks.n_head import NHeadConfig, NHeadNetwork, as_engine  # noqa: E402
from pvtpp.predictors.n_head import NHead  # noqa: E402
from pvtpp.track import Track  # noqa: E402
from pvtpp.tracker import TrackerOutput  # noqa: E402

torch.set_num_threads(1)
SIDES = (8, 16)


def network(kind):
    torch.manual_seed(0)
    made = NHeadNetwork(NHeadConfig(kind, heads=4, channels=6, width=8, narrow=5))
    for module in made.modules():
        if hasattr(module, "running_mean"):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 2.0)
    return made.eval()


def track(predictor):
    rng, made = np.random.default_rng(0), Track()
    for i in range(6):
        box = np.array([50 + 3.0 * i, 40, 20, 10]) + rng.normal(size=4)
        features = SimpleNamespace(
            template=np.full((1, 6, 8, 8), 0.3, np.float32), search=rng.normal(size=(1, 6, 16, 16)).astype(np.float32)
        )
        made = made.with_result(i * 10**8, box, encoding=predictor.encode(TrackerOutput(box, 1.0, features)))
    return made


@pytest.mark.parametrize("kind", ["motion", "visual", "joint"])
def test_the_graphs_answer_as_torch_and_know_their_frame_rate(kind, tmp_path):
    made, path = network(kind), tmp_path / "module.onnx"
    assert publish(made, path, 60.0, {"data": "none"}, SIDES) <= TOLERANCE
    loaded, direct = predictors.create(f"n_head:{path}"), NHead(as_engine(made, *SIDES), 60.0)
    assert loaded.kappa == 60.0
    np.testing.assert_allclose(
        loaded.predict(track(loaded)).mean, direct.predict(track(direct)).mean, rtol=1e-4, atol=1e-3
    )
    again, card = weights.load(path.with_suffix(".safetensors"))
    assert again.config == made.config and card["data"] == "none" and card["onnx_against_torch"] <= TOLERANCE


def test_a_graph_that_differs_is_not_kept_and_the_weights_are(tmp_path):
    with pytest.raises(InputError, match=r"differs from torch.*pvtpp export paper \S+m\.safetensors --out \S+m\.onnx"):
        publish(network("joint"), tmp_path / "m.onnx", 60.0, {}, SIDES, tolerance=-1.0)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["m.json", "m.safetensors"]
    _, card = weights.load(tmp_path / "m.safetensors")
    assert (card["kappa"], card["sides"]) == (60.0, list(SIDES))
    for file in tmp_path.iterdir():
        file.unlink()
    with pytest.raises(InputError, match=r"written as \.onnx, got '\.pt'"):
        publish(network("motion"), tmp_path / "m.pt", 30.0, {})
    assert not list(tmp_path.iterdir())


def test_a_graph_alone_counts_in_frames_of_30_and_a_damaged_card_is_named(tmp_path):
    path = tmp_path / "m.onnx"
    publish(network("motion"), path, 60.0, {})
    card = path.with_suffix(".json")
    for text, words in (("{", "no JSON"), ("[]", "not the card"), ('{"kappa": "fast"}', "not the card")):
        card.write_text(text)
        with pytest.raises(InputError, match=rf"m\.json: {words}"):
            predictors.create(f"n_head:{path}")
    card.unlink()
    assert predictors.create(f"n_head:{path}").kappa == 30.0


@pytest.mark.parametrize("kind", ["motion", "joint"])
def test_a_network_of_nan_is_not_published(kind, tmp_path):
    made = network(kind)
    for parameter in made.parameters():
        torch.nn.init.constant_(parameter, float("nan"))
    with pytest.raises(InputError, match="training diverged"):
        publish(made, tmp_path / "m.onnx", 30.0, {}, SIDES)
    assert not list(tmp_path.iterdir())
