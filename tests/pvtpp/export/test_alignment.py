"""Padded channels change no output, and are there wherever they lead from convolutions to convolutions alone."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from pvtpp import inference
from pvtpp.export.alignment import BLOCK
from pvtpp.export.graph import write_graph
from pvtpp.inference.engine import TensorSpec
from pvtpp.inference.torch import TorchEngine


class Block(nn.Module):
    """An inverted residual of odd widths, with or without attention, as MobileNets have them."""

    def __init__(self, width, inside, attention):
        super().__init__()
        self.first = nn.Conv2d(3, width, 3)
        self.expand = nn.Conv2d(width, inside, 1)
        self.depthwise = nn.Conv2d(inside, inside, 3, padding=1, groups=inside)
        self.project = nn.Conv2d(inside, width, 1, bias=False)
        self.attention = nn.Linear(inside, inside) if attention else None
        self.last = nn.Conv2d(width, 5, 1)

    def forward(self, image):
        x = nn.functional.relu6(self.first(image))
        y = nn.functional.hardswish(self.depthwise(nn.functional.relu6(self.expand(x))))
        if self.attention is not None:
            y = y * torch.sigmoid(self.attention(y.mean(dim=(2, 3))))[:, :, None, None]
        return self.last(x + self.project(y)), y


def spec(name, *shape):
    return TensorSpec(name, (1, *shape), np.dtype(np.float32))


def graph(tmp_path, module, *outputs):
    """The graph of a module, whose answers are torch's."""
    engine = TorchEngine(module, [spec("image", 3, 9, 9)], outputs)
    path = tmp_path / "net.onnx"
    write_graph(engine, path)
    asked = {"image": np.random.default_rng(0).normal(size=(1, 3, 9, 9)).astype(np.float32)}
    found = inference.load(path)
    assert found.outputs == engine.outputs
    for name, answer in engine.run(asked).items():
        np.testing.assert_allclose(found.run(asked)[name], answer, atol=1e-4)
    return onnx.load(str(path))


def widths(model):
    weights = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    return [weights[node.input[1]][:2] for node in model.graph.node if node.op_type == "Conv"]


class OneAnswer(Block):
    def forward(self, image):
        return super().forward(image)[0]


@settings(max_examples=8)
@given(width=st.integers(1, 40), inside=st.integers(1, 40), attention=st.booleans())
def test_the_answers_are_torch_s_whatever_the_widths(tmp_path_factory, width, inside, attention):
    torch.manual_seed(width)
    graph(tmp_path_factory.mktemp("net"), OneAnswer(width, inside, attention), spec("map", 5, 7, 7))


def test_what_runs_between_convolutions_comes_in_whole_blocks(tmp_path):
    model = graph(tmp_path, OneAnswer(22, 33, False), spec("map", 5, 7, 7))
    assert widths(model) == [[32, 3], [48, 32], [48, 1], [32, 48], [5, 32]]
    assert all(out % BLOCK == 0 for out, _ in widths(model)[:-1])


def test_what_others_read_keeps_its_width(tmp_path):
    attended = graph(tmp_path, OneAnswer(22, 33, True), spec("map", 5, 7, 7))
    assert widths(attended) == [[32, 3], [33, 32], [33, 1], [32, 33], [5, 32]]
    answered = graph(tmp_path, Block(22, 33, False), spec("map", 5, 7, 7), spec("inside", 33, 7, 7))
    assert widths(answered) == [[32, 3], [33, 32], [33, 1], [32, 33], [5, 32]]


@pytest.mark.parametrize("groups", [1, 3])
def test_weights_that_two_share_and_plain_groups_are_left_alone(tmp_path, groups):
    class Shares(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Conv2d(3, 9, 1), nn.Conv2d(9, 9, 1, groups=groups)

        def forward(self, image):
            return self.second(self.second(self.first(image)) + 1)

    model = graph(tmp_path, Shares(), spec("map", 9, 9, 9))
    assert {out for out, _ in widths(model)} == {9}
