"""The engine runs its inputs, and names those that do not fit."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from pvtpp import inference
from pvtpp.errors import InputError

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    """sum = a + b and twice = a + a, with an open first dimension."""
    value = onnx.helper.make_tensor_value_info
    model = onnx.helper.make_model(
        onnx.helper.make_graph(
            [onnx.helper.make_node("Add", ["a", "b"], ["sum"]), onnx.helper.make_node("Add", ["a", "a"], ["twice"])],
            "adds",
            [value("a", onnx.TensorProto.FLOAT, ["n", 3]), value("b", onnx.TensorProto.FLOAT, [1, 3])],
            [value("sum", onnx.TensorProto.FLOAT, ["n", 3]), value("twice", onnx.TensorProto.FLOAT, ["n", 3])],
        ),
        opset_imports=[onnx.helper.make_opsetid("", 13)],
        ir_version=7,
    )
    path = tmp_path_factory.mktemp("graphs") / "adds.onnx"
    onnx.save(model, str(path))
    return path


@pytest.fixture(scope="module")
def engine(graph):
    return inference.load(graph)


A, B = np.ones((4, 3), np.float32), np.full((1, 3), 2, np.float32)


def test_named_arrays_in_named_arrays_out(engine):
    outputs = engine.run({"a": A, "b": B})
    assert list(outputs) == ["sum", "twice"]
    assert (outputs["sum"] == 3).all() and outputs["sum"].shape == (4, 3)
    assert (outputs["twice"] == 2).all()


def test_outputs_of_one_run_survive_the_next(engine):
    first = engine.run({"a": A, "b": B})["sum"]
    engine.run({"a": A * 7, "b": B})
    assert (first == 3).all()


def test_specs_name_shape_and_dtype(engine):
    a, b = engine.inputs
    assert (a.name, a.shape, a.dtype) == ("a", (None, 3), np.dtype(np.float32))
    assert str(b) == "'b' float32[1 x 3]"
    assert [spec.name for spec in engine.outputs] == ["sum", "twice"]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"a": A}, r"got inputs \['a'\].*'b' float32\[1 x 3\]"),
        ({"a": A, "c": B}, r"got inputs \['a', 'c'\]"),
        ({"a": A, "b": B, "c": B}, r"got inputs \['a', 'b', 'c'\]"),
        ({"a": A[:, :2], "b": B}, r"input 'a' is float32\[4, 2\], the graph takes 'a' float32\[\? x 3\]"),
        ({"a": A[0], "b": B}, r"input 'a' is float32\[3\]"),
        ({"a": A.astype(np.float64), "b": B}, r"input 'a' is float64\[4, 3\]"),
        ({"a": "text", "b": B}, "input 'a' is str"),
    ],
)
def test_inputs_that_do_not_fit_are_named(engine, inputs, message):
    with pytest.raises(InputError, match=message):
        engine.run(inputs)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="absent.onnx: no such network file"):
        inference.load(tmp_path / "absent.onnx")


@pytest.mark.parametrize("keep", [0, 40])
def test_truncated_file_is_named(graph, tmp_path, keep):
    path = tmp_path / "torn.onnx"
    path.write_bytes(graph.read_bytes()[:keep])
    with pytest.raises(InputError, match="torn.onnx: damaged"):
        inference.load(path)


def test_unknown_kind_of_file_lists_the_known(tmp_path):
    with pytest.raises(InputError, match=r"'\.weights'; known: .*\.onnx"):
        inference.load(tmp_path / "net.weights")


@pytest.mark.parametrize("threads", [0, -1, 1.5, True, "2"])
def test_a_wrong_number_of_threads_is_refused(graph, threads):
    with pytest.raises(InputError, match="threads"):
        inference.load(graph, threads)


def test_without_onnxruntime_the_extra_is_named(graph, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(InputError, match=r"pvtpp\[cpu\]"):
        inference.load(graph)
