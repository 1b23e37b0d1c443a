"""The table of what NVIDIA's compiler takes: every predictor compiles as the file says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

for package in ("torch", "onnx", "onnxruntime"):
    pytest.importorskip(package)
from pvtpp.export.compiler import Compiler  # noqa: E402
from pvtpp_benchmarks.results_pages.compiled import compiled  # noqa: E402
from pvtpp_benchmarks.studies import compile_table  # noqa: E402

PRECISIONS = ("fp32", "fp16")
ROOT = Path(__file__).resolve().parents[3]
RESULT = ROOT / "benchmarks" / "studies" / "compile_table.json"


def rows_on_file():
    return json.loads(RESULT.read_text())["rows"]


def test_the_file_has_every_network_in_every_form_and_precision_and_nothing_was_refused():
    from pvtpp_trackers.models.zoo import MODELS

    rows = rows_on_file()
    expected = {(name, form, kind) for name in MODELS for form in (None, "grouped", "unrolled") for kind in PRECISIONS}
    expected |= {(name, None, kind) for name in ("motion", "joint", *compile_table.PAPER) for kind in PRECISIONS}
    assert expected == {(row["network"], row["form"], row["precision"]) for row in rows}
    assert not [row for row in rows if "refused" in row["modern"]]


@pytest.mark.parametrize("precision", PRECISIONS)
def test_nvidia_s_compiler_takes_every_predictor_as_the_file_says(rtx, precision, tmp_path):
    known = {(row["network"], row["graph"]): row for row in rows_on_file() if row["precision"] == precision}
    for name, graphs in compile_table.predictor_graphs(tmp_path).items():
        made = compile_table.halved(graphs, tmp_path) if precision == "fp16" else graphs
        for graph, path in made.items():
            assert Compiler(rtx).compile(path, precision)["layers"] > 1
            assert "refused" not in known[name, graph]["modern"]


def test_a_graph_that_is_refused_stands_there_with_the_compiler_s_words(rtx, tmp_path):
    targets = {"modern": ("8.6",), "turing": ("7.5",)}
    with compile_table.Rows(targets) as made:
        made.add("motion", None, "fp32", compile_table.predictor_graphs(tmp_path)["motion"])
    (row,) = made.rows
    assert row["modern"]["layers"] > 10 and "FP32 GEMM is not supported" in row["turing"]["refused"]
    content = {"library": "TensorRT-RTX", "version": rtx.version, "targets": targets}
    lines = compiled({**content, "rows": made.rows})
    (cells,) = [line for line in lines if line.startswith("| motion |")]
    assert cells.endswith("| no | unrun |") and f"| {row['modern']['layers']} / " in cells
    assert any("FP32 GEMM is not supported" in line for line in lines)
    assert "no: whole" in " ".join(compiled({**content, "rows": [{**row, "modern": row["turing"]}]}))
