"""Correlations unrolled give what the grouped ones give, and what TensorRT does not take is found and named."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pvtpp import inference
from pvtpp.errors import InputError
from pvtpp.inference.engine import TensorSpec
from pvtpp.inference.torch import TorchEngine

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from pvtpp.export.graph import write_graph  # noqa: E402
from pvtpp.export.operators import check_for_tensorrt, runtime_weights  # noqa: E402


class Correlation(torch.nn.Module):
    def __init__(self, groups, **options):
        super().__init__()
        self.groups, self.options = groups, options

    def forward(self, kernel, image):
        return torch.nn.functional.conv2d(image, kernel, groups=self.groups, **self.options).relu()


def correlation(channels, kernel, image, padding=(0, 0), **options):
    def spec(name, *shape):
        return TensorSpec(name, shape, np.dtype(np.float32))

    high, wide = (side + 2 * pad - cells + 1 for side, pad, cells in zip(image, padding, kernel, strict=True))
    inputs = [spec("kernel", channels, 1, *kernel), spec("image", 1, channels, *image)]
    return TorchEngine(
        Correlation(channels, padding=padding, **options), inputs, [spec("map", 1, channels, high, wide)]
    )


@settings(max_examples=10)
@given(
    channels=st.integers(1, 5),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    more=st.tuples(st.integers(0, 6), st.integers(0, 6)),
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
)
def test_both_forms_give_what_torch_gives(tmp_path_factory, channels, kernel, more, padding):
    engine = correlation(channels, kernel, [cells + extra for cells, extra in zip(kernel, more, strict=True)], padding)
    rng = np.random.default_rng(channels)
    asked = {spec.name: rng.normal(size=spec.shape).astype(np.float32) for spec in engine.inputs}
    folder = tmp_path_factory.mktemp("forms")
    for form in ("grouped", "unrolled"):
        path = folder / f"{form}.onnx"
        write_graph(engine, path, form)
        found = inference.load(path)
        assert (found.inputs, found.outputs) == (engine.inputs, engine.outputs)
        np.testing.assert_allclose(found.run(asked)["map"], engine.run(asked)["map"], atol=1e-5)
    unrolled = onnx.load(str(folder / "unrolled.onnx"))
    assert not runtime_weights(unrolled)
    check_for_tensorrt(unrolled, "unrolled.onnx")


@pytest.mark.parametrize("kind", ["motion", "visual", "joint"])
def test_every_stage_of_the_paper_s_predictors_goes_to_tensorrt(tmp_path, kind):
    from pvtpp.export.parity import compare_engines
    from pvtpp.networks.n_head import NHeadConfig, NHeadNetwork, as_engine, as_engines

    torch.manual_seed(0)
    network = NHeadNetwork(NHeadConfig(kind, channels=96)).eval()
    made = (
        {"whole": as_engine(network)}
        if kind == "motion"
        else dict(zip(("decoder", "encoder"), as_engines(network, 8, 16)))
    )
    for name, engine in made.items():
        write_graph(engine, tmp_path / f"{name}.onnx", "unrolled")
        check_for_tensorrt(onnx.load(str(tmp_path / f"{name}.onnx")), name)
    found = compare_engines(made, {name: inference.load(tmp_path / f"{name}.onnx") for name in made})
    assert all(each.relative <= 1e-4 for each in found.tensors.values())


def test_a_convolution_with_weights_from_the_graph_is_named(tmp_path):
    path = tmp_path / "grouped.onnx"
    write_graph(correlation(3, (2, 2), (5, 5)), path)
    model = onnx.load(str(path))
    assert len(runtime_weights(model)) == 1
    with pytest.raises(InputError, match=r"grouped.onnx: convolutions with weights from the graph .*'unrolled'"):
        check_for_tensorrt(model, path.name)


def test_a_correlation_with_strides_cannot_be_unrolled(tmp_path):
    engine = correlation(3, (2, 2), (6, 6), stride=2)
    engine.outputs = (TensorSpec("map", (1, 3, 3, 3), np.dtype(np.float32)),)
    write_graph(engine, tmp_path / "grouped.onnx")
    with pytest.raises(InputError, match="only depthwise correlations of stride 1"):
        write_graph(engine, tmp_path / "unrolled.onnx", "unrolled")


def model(node, shape=(1, 2)):
    value = onnx.helper.make_tensor_value_info
    made = [value(name, onnx.TensorProto.FLOAT, shape) for name in ("x", "y")]
    return onnx.helper.make_model(onnx.helper.make_graph([node], "one", made[:1], made[1:]))


def test_an_operator_that_tensorrt_is_not_known_to_take_is_named():
    with pytest.raises(InputError, match="net.onnx: TensorRT is not known to take EyeLike; known are Abs, Add"):
        check_for_tensorrt(model(onnx.helper.make_node("EyeLike", ["x"], ["y"])), "net.onnx")


def test_an_open_shape_is_named():
    with pytest.raises(InputError, match=r"'x' has a shape that is not fixed: \[None, 2\]"):
        check_for_tensorrt(model(onnx.helper.make_node("Relu", ["x"], ["y"]), ("n", 2)), "net.onnx")
