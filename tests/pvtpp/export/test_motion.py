"""The exported motion network answers as torch does, or is not written."""

from __future__ import annotations

import copy
import math

import pytest

from pvtpp.errors import InputError

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from pvtpp.export.motion import TOLERANCE, difference, export, publish  # noqa: E402
from pvtpp.networks.motion import MotionConfig, MotionNetwork, load  # noqa: E402
from pvtpp.predictors.motion import Motion  # noqa: E402
from pvtpp.track import Track  # noqa: E402

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    made = MotionNetwork(MotionConfig(history=8, width=16))
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    return made


def test_the_graph_agrees_with_torch_and_serves_the_predictor(network, tmp_path):
    path = tmp_path / "m.onnx"
    assert export(network, path) <= TOLERANCE
    assert difference(network, path, seed=9) <= TOLERANCE
    assert [file.name for file in tmp_path.iterdir()] == ["m.onnx"]
    track = Track().with_result(0, [10.0, 10, 4, 4]).with_result(10**8, [11.0, 10, 4, 4])
    exported, torch_made = (Motion(each).predict(track) for each in (path, network.engine()))
    assert abs(exported.mean - torch_made.mean).max() < 1e-4


def test_a_graph_that_differs_is_not_kept(network, tmp_path):
    with pytest.raises(InputError, match="differs from torch"):
        export(network, tmp_path / "m.onnx", tolerance=-1.0)
    assert not list(tmp_path.iterdir())


def test_the_weights_are_written_before_the_graph_is_compared(network, tmp_path):
    path = tmp_path / "new" / "m.onnx"
    words = r"differs from torch.*kept in (\S+m\.safetensors); .*pvtpp export motion \1 --out \S+m\.onnx"
    with pytest.raises(InputError, match=words):
        publish(network, path, {"seed": 3}, tolerance=-1.0)
    assert sorted(file.name for file in path.parent.iterdir()) == ["m.json", "m.safetensors"]
    again, card = load(path.with_suffix(".safetensors"))
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])
    assert card["seed"] == 3 and "onnx_against_torch" not in card
    worst = publish(again, path, card)
    assert load(path.with_suffix(".safetensors"))[1] == {**card, "onnx_against_torch": worst} and path.is_file()


def test_no_graph_of_other_weights_stays_beside_weights_whose_own_graph_fails(network, tmp_path):
    path = tmp_path / "m.onnx"
    publish(network, path, {})
    with pytest.raises(InputError, match="differs from torch"):
        publish(network, path, {}, tolerance=-1.0)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["m.json", "m.safetensors"]


def test_weights_outlive_a_graph_that_cannot_be_written(network, tmp_path, monkeypatch):
    def fails(*_, **__):
        raise RuntimeError("no symbolic function\nfor an operator")

    monkeypatch.setattr("pvtpp.export.publication.write_graph", fails)
    with pytest.raises(
        InputError, match=r"cannot be written \(RuntimeError: no symbolic function for an operator\); the"
    ):
        publish(network, tmp_path / "m.onnx", {})
    load(tmp_path / "m.safetensors")


def test_rounding_of_large_numbers_is_no_difference(network, tmp_path):
    large = copy.deepcopy(network)
    with torch.no_grad():
        for layer in (*large.body, large.doubt):
            layer.weight *= 8
        large.filter.weight *= 30
        large.spread.weight *= 8
    assert publish(large, tmp_path / "m.onnx", {}) <= TOLERANCE


def test_an_operator_that_computes_something_else_is_found(network, tmp_path, monkeypatch):
    from pvtpp.export import publication

    class Other:
        def __init__(self, path):
            self.engine = load_engine(path)
            self.inputs = self.engine.inputs

        def run(self, inputs):
            return {name: array * (1 + 1e-3) for name, array in self.engine.run(inputs).items()}

    load_engine = publication.inference.load
    monkeypatch.setattr(publication.inference, "load", Other)
    with pytest.raises(InputError, match="differs from torch by 1.0e-03 of the scale of its outputs, allowed is 1e-04"):
        publish(network, tmp_path / "m.onnx", {})


def test_a_network_of_nan_is_not_published_and_leaves_the_graph_before(network, tmp_path):
    path = tmp_path / "m.onnx"
    export(network, path)
    before, diverged = path.read_bytes(), copy.deepcopy(network)
    torch.nn.init.constant_(next(diverged.parameters()), math.nan)
    with pytest.raises(InputError, match="answers NaN .* training diverged"):
        export(diverged, path)
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


def test_the_graph_is_in_the_operators_that_every_runtime_reads_and_folded(network, tmp_path):
    import onnx

    export(network, tmp_path / "m.onnx")
    graph = onnx.load(tmp_path / "m.onnx")
    assert [each.version for each in graph.opset_import] == [13]
    assert not any(node.op_type == "Constant" for node in graph.graph.node)
