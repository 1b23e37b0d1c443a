"""Every network exports in both forms: near torch, with TensorRT's operators, and NVIDIA's compiler takes it."""

from __future__ import annotations

import shutil

import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from pvtpp.export.artefact import ExportConfig, export  # noqa: E402
from pvtpp.export.compiler import Compiler  # noqa: E402
from pvtpp.export.operators import check_for_tensorrt, runtime_weights  # noqa: E402
from pvtpp.export.parity import compare_engines  # noqa: E402
from pvtpp.export.precision import to_fp16  # noqa: E402
from pvtpp_trackers.models import parts, zoo  # noqa: E402

torch.set_num_threads(1)
TOLERANCE = 1e-4


@pytest.fixture(scope="module", params=sorted(zoo.MODELS))
def exports(request, tmp_path_factory):
    """One network in both forms; unrolled its head alone: the others hold no correlation and are the same in both."""
    torch.manual_seed(0)
    model = parts.settle(zoo.create(request.param))
    engines = dict(zip(model.parts(), parts.engines(model), strict=True))
    folder = tmp_path_factory.mktemp("exports")

    def exported(form, those):
        def gate(reference, candidate):
            return compare_engines(reference, candidate, samples=1)

        return export(those, folder / form, ExportConfig(form), gate, {"model": "random"})

    yield {"grouped": exported("grouped", engines), "unrolled": exported("unrolled", {"head": engines["head"]})}
    # Up to 400 MB each.
    shutil.rmtree(folder)


def paths(artefact):
    return {name: artefact.folder / graph["file"] for name, graph in artefact.card["graphs"].items()}


def test_both_forms_agree_with_torch(exports):
    for artefact in exports.values():
        assert all(each["relative"] <= TOLERANCE for each in artefact.card["parity"]["tensors"].values())


def test_only_the_grouped_head_is_not_for_tensorrt_8_4(exports):
    for form, artefact in exports.items():
        for name, path in paths(artefact).items():
            graph = onnx.load(str(path))
            if (form, name) == ("grouped", "head"):
                assert runtime_weights(graph)
            else:
                check_for_tensorrt(graph, name)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_nvidia_s_compiler_takes_both_forms(exports, rtx, precision, tmp_path):
    for form, artefact in exports.items():
        for path in paths(artefact).values():
            if precision == "fp16":
                copy = tmp_path / f"{form}-{path.name}"
                shutil.copyfile(str(path), str(copy))
                to_fp16(copy)
                path = copy
            assert Compiler(rtx).compile(path, precision)["layers"] > 1
            if precision == "fp16":
                path.unlink()
