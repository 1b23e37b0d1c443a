"""Half precision and eight bits: same inputs and outputs, similar values, and correlations are left alone."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from pvtpp import inference
from pvtpp.errors import InputError
from pvtpp.export.graph import write_graph
from pvtpp.export.operators import check_for_tensorrt
from pvtpp.export.precision import to_fp16, to_int8


def samples(engine, count=8):
    rng = np.random.default_rng(1)
    scale = 255 if engine.inputs[0].shape[1] == 3 else 1
    return [{spec.name: scale * rng.random(spec.shape, np.float32) for spec in engine.inputs} for _ in range(count)]


@pytest.mark.parametrize("name", ["eye", "compass"])
@pytest.mark.parametrize(("precision", "allowed"), [("fp16", 5e-3), ("int8", 0.1)])
def test_answers_stay_near_and_inputs_and_outputs_as_they_were(engines, tmp_path, name, precision, allowed):
    engine, path = engines[name], tmp_path / "net.onnx"
    write_graph(engine, path, "unrolled")
    if precision == "fp16":
        to_fp16(path)
    else:
        to_int8(path, samples(engine))
    model = onnx.load(str(path))
    kinds = {tensor.data_type for tensor in model.graph.initializer}
    assert (onnx.TensorProto.FLOAT16 if precision == "fp16" else onnx.TensorProto.INT8) in kinds
    check_for_tensorrt(model, path.name)
    found = inference.load(path)
    assert (found.inputs, found.outputs) == (engine.inputs, engine.outputs)
    for asked in samples(engine, 3):
        for output, expected in engine.run(asked).items():
            difference = np.abs(found.run(asked)[output] - expected).max()
            assert 0 < difference < allowed * np.abs(expected).max()


def test_zero_points_are_zero_as_tensorrt_needs_them(engines, tmp_path):
    path = tmp_path / "net.onnx"
    write_graph(engines["eye"], path)
    to_int8(path, samples(engines["eye"]))
    model = onnx.load(str(path))
    values = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    points = [values[node.input[2]] for node in model.graph.node if node.op_type == "QuantizeLinear"]
    assert points and all((point == 0).all() and point.dtype == np.int8 for point in points)


def test_eight_bits_need_samples(engines, tmp_path):
    path = tmp_path / "net.onnx"
    write_graph(engines["eye"], path)
    with pytest.raises(InputError, match="int8 needs clips to calibrate on"):
        to_int8(path, [])
