"""Every network exports in both forms: near torch, with TensorRT's operators, without computed weights."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from pvtpp.export.artefact import ExportConfig, export  # noqa: E402
from pvtpp.export.operators import check_for_tensorrt, runtime_weights  # noqa: E402
from pvtpp.export.parity import compare_engines  # noqa: E402
from pvtpp_trackers.models import parts, zoo  # noqa: E402

torch.set_num_threads(1)
TOLERANCE = 1e-4


@pytest.fixture(scope="module", params=sorted(zoo.MODELS))
def engines(request):
    torch.manual_seed(0)
    model = parts.settle(zoo.create(request.param))
    return dict(zip(model.parts(), parts.engines(model), strict=True))


def exported(engines, folder, form):
    artefact = export(
        engines, folder, ExportConfig(form), lambda *each: compare_engines(*each, samples=1), {"model": "random"}
    )
    assert all(each["relative"] <= TOLERANCE for each in artefact.card["parity"]["tensors"].values())
    return {name: onnx.load(str(folder / graph["file"])) for name, graph in artefact.card["graphs"].items()}


def test_grouped_agrees_with_torch_and_only_the_head_has_weights_from_the_graph(engines, tmp_path):
    for name, graph in exported(engines, tmp_path / "out", "grouped").items():
        if name == "head":
            assert runtime_weights(graph)
        else:
            check_for_tensorrt(graph, name)


def test_unrolled_agrees_with_torch_and_is_for_tensorrt(engines, tmp_path):
    # The others hold no correlation, and are the same in both forms.
    (graph,) = exported({"head": engines["head"]}, tmp_path / "out", "unrolled").values()
    assert not runtime_weights(graph)
    check_for_tensorrt(graph, "head")
