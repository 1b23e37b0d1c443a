"""A graph has the names and fixed shapes of its engine, standard operators alone, and takes pixels where asked to."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from pvtpp import inference
from pvtpp.errors import InputError
from pvtpp.export.graph import IR_VERSION, OPSET, from_pixels, write_graph
from pvtpp.inference.engine import TensorSpec
from pvtpp.inference.torch import TorchEngine


def test_names_shapes_and_answers_are_the_engine_s(engines, tmp_path):
    rng = np.random.default_rng(0)
    for name, engine in engines.items():
        path = tmp_path / f"{name}.onnx"
        write_graph(engine, path)
        found = inference.load(path)
        assert (found.inputs, found.outputs) == (engine.inputs, engine.outputs)
        asked = {spec.name: rng.normal(size=spec.shape).astype(np.float32) for spec in engine.inputs}
        for output, answer in engine.run(asked).items():
            np.testing.assert_allclose(found.run(asked)[output], answer, atol=1e-6)


def test_the_file_is_one_that_old_runtimes_read_and_computes_nothing_known(engines, tmp_path):
    write_graph(engines["compass"], tmp_path / "compass.onnx")
    model = onnx.load(str(tmp_path / "compass.onnx"))
    assert [(each.domain, each.version) for each in model.opset_import] == [("", OPSET)]
    assert model.ir_version == IR_VERSION
    assert not {node.op_type for node in model.graph.node} & {"Constant", "Shape", "Identity", "BatchNormalization"}


def test_pixels_go_in_as_opencv_has_them(engines, tmp_path):
    engine = from_pixels(engines["eye"])
    write_graph(engine, tmp_path / "eye.onnx")
    found = inference.load(tmp_path / "eye.onnx")
    (spec,) = found.inputs
    assert (spec.name, spec.shape, spec.dtype) == ("image", (1, 12, 12, 3), np.uint8)
    pixels = np.random.default_rng(0).integers(0, 256, spec.shape, dtype=np.uint8)
    planes = pixels.transpose(0, 3, 1, 2).astype(np.float32)
    expected = engines["eye"].run({"image": np.ascontiguousarray(planes)})["features"]
    for each in (found, engine):
        np.testing.assert_allclose(each.run({"image": pixels})["features"], expected, atol=1e-5)


def test_an_engine_without_a_crop_takes_no_pixels(engines):
    with pytest.raises(InputError, match="no input is a crop.*'template'"):
        from_pixels(engines["compass"])


def test_what_cannot_be_a_graph_is_refused(engines, tmp_path):
    with pytest.raises(InputError, match="form is 'rolled', expected one of: grouped, unrolled"):
        write_graph(engines["eye"], tmp_path / "eye.onnx", "rolled")
    open_ = TorchEngine(engines["eye"].module, [TensorSpec("image", (None, 3, 12, 12), np.dtype(np.float32))], [])
    with pytest.raises(InputError, match="fixed shapes, 'image' .* has not"):
        write_graph(open_, tmp_path / "eye.onnx")
