"""The exported motion network answers as torch does, or is not written."""

from __future__ import annotations

import copy
import math

import pytest

from pvtpp.errors import InputError

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from pvtpp.export.motion import TOLERANCE, difference, export  # noqa: E402
from pvtpp.networks.motion import MotionConfig, MotionNetwork  # noqa: E402
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
