"""Every backend of this machine gives the same outputs for the same inputs, and the same errors."""

from __future__ import annotations

import numpy as np
import pytest

from pvtpp import inference
from pvtpp.errors import InputError
from pvtpp.inference import cuda, tensorrt_library
from pvtpp.inference.torch import TorchEngine

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from pvtpp.export.graph import write_graph  # noqa: E402

torch.set_num_threads(1)


def available():
    """The backends whose runtime is installed here; all of them must work."""
    from onnxruntime import get_available_providers

    from pvtpp.inference.onnxruntime import PROVIDERS

    def has_tensorrt():
        try:
            return bool(tensorrt_library.find("tests") and cuda.runtime().device())
        except InputError:
            return False

    here = [f"onnxruntime:{name}" for name, wanted in PROVIDERS.items() if wanted[0] in get_available_providers()]
    return ["torch", "onnxruntime", *here, *(["tensorrt"] if has_tensorrt() else [])]


class Mixes(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Hardswish())

    def forward(self, image, scale):
        made = self.layer(image)
        return made * scale[:, :, None, None], made.mean(dim=(2, 3))


def spec(name, *shape):
    return inference.TensorSpec(name, shape, np.dtype(np.float32))


@pytest.fixture(scope="module")
def source():
    inputs = [spec("image", 1, 3, 9, 9), spec("scale", 1, 4)]
    return TorchEngine(Mixes(), inputs, [spec("scaled", 1, 4, 7, 7), spec("mean", 1, 4)])


@pytest.fixture(scope="module", params=available())
def engine(request, source, tmp_path_factory):
    if request.param == "torch":
        return source
    path = tmp_path_factory.mktemp("graph") / "mixes.onnx"
    write_graph(source, path)
    return inference.load(path, backend=request.param)


def questions(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "image": rng.normal(size=(1, 3, 9, 9)).astype(np.float32),
        "scale": rng.normal(size=(1, 4)).astype(np.float32),
    }


def test_the_answers_are_torch_s(engine, source):
    found, expected = engine.run(questions()), source.run(questions())
    assert list(found) == ["scaled", "mean"]
    for name, answer in expected.items():
        np.testing.assert_allclose(found[name], answer, atol=1e-5)


def test_names_shapes_and_types_are_the_source_s(engine, source):
    assert (engine.inputs, engine.outputs) == (source.inputs, source.outputs)


def test_answers_survive_the_next_question_and_repeat_to_the_bit(engine):
    first = engine.run(questions())
    kept = first["scaled"].copy()
    engine.run(questions(1))
    assert np.array_equal(first["scaled"], kept)
    assert np.array_equal(engine.run(questions())["scaled"], kept)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"image": np.zeros((1, 3, 9, 8), np.float32)}, r"input 'image' is float32\[1, 3, 9, 8\]"),
        ({"scale": np.zeros((1, 4))}, r"input 'scale' is float64\[1, 4\]"),
        ({"more": np.zeros(1, np.float32)}, r"got inputs \['image', 'more', 'scale'\]"),
    ],
)
def test_a_question_that_does_not_fit_is_refused_in_words(engine, change, words):
    with pytest.raises(InputError, match=words):
        engine.run({**questions(), **change})


def test_an_unknown_backend_gets_the_known_ones(source, tmp_path):
    path = tmp_path / "mixes.onnx"
    write_graph(source, path)
    with pytest.raises(InputError, match="backend 'abacus', expected one of: onnxruntime:cpu, .*tensorrt"):
        inference.load(path, backend="abacus")


def test_a_provider_that_is_not_built_in_gets_those_that_are(source, tmp_path):
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has CUDA")
    path = tmp_path / "mixes.onnx"
    write_graph(source, path)
    with pytest.raises(InputError, match="no CUDAExecutionProvider; backends here are onnxruntime:cpu"):
        inference.load(path, backend="onnxruntime:cuda")
    assert inference.load(path, backend="onnxruntime").providers == ("CPUExecutionProvider",)
