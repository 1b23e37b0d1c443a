"""Convolutions in a row are merged where outputs stay the same and there is less to compute, and nowhere else."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from pvtpp import inference
from pvtpp.export.graph import write_graph
from pvtpp.inference.engine import TensorSpec
from pvtpp.inference.torch import TorchEngine


class InARow(nn.Module):
    """`activated`, `shared`, `grouped`, `strided`: reasons not to compose; `wide`: there is nothing to gain."""

    def __init__(self, reason=""):
        super().__init__()
        self.reason = reason
        middle = 16 if reason == "wide" else 64
        self.first = nn.Sequential(nn.Conv2d(16, middle, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(middle))
        last = 96 if reason == "wide" else 32
        groups, stride = 2 if reason == "grouped" else 1, 2 if reason == "strided" else 1
        self.second = nn.Conv2d(middle, last, 1, groups=groups, stride=stride)
        nn.init.normal_(self.first[1].running_mean)

    def forward(self, image):
        x = self.first(image)
        y = self.second(torch.relu(x) if self.reason == "activated" else x)
        return y.mean((2, 3)), (x if self.reason == "shared" else y).amax((2, 3))


def exported(path, reason=""):
    """The engine's answers, the graph's, and how many convolutions it has."""
    torch.manual_seed(0)
    asked = [TensorSpec("image", (1, 16, 13, 11), np.dtype(np.float32))]
    answers = [TensorSpec(name, (1, channels), np.dtype(np.float32)) for name, channels in outputs(reason)]
    torch_engine = TorchEngine(InARow(reason).eval(), asked, answers)
    write_graph(torch_engine, path)
    image = {"image": np.random.default_rng(0).normal(size=(1, 16, 13, 11)).astype(np.float32)}
    count = sum(node.op_type == "Conv" for node in onnx.load(str(path)).graph.node)
    return torch_engine.run(image), inference.load(path).run(image), count


def outputs(reason):
    last = 96 if reason == "wide" else 32
    return ("mean", last), ("largest", 64 if reason == "shared" else last)


@pytest.mark.parametrize(
    ("reason", "convolutions"), [("", 1), ("activated", 2), ("shared", 2), ("grouped", 2), ("strided", 2), ("wide", 2)]
)
def test_two_become_one_unless_something_stands_between(tmp_path, reason, convolutions):
    wanted, found, count = exported(tmp_path / "graph.onnx", reason)
    assert count == convolutions
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, atol=2e-5, err_msg=name)
        assert np.abs(value).max() > 0.1


def test_weights_that_nobody_uses_any_more_are_gone(tmp_path):
    exported(tmp_path / "graph.onnx")
    graph = onnx.load(str(tmp_path / "graph.onnx")).graph
    assert {tensor.name for tensor in graph.initializer} <= {name for node in graph.node for name in node.input}
    assert sum(np.prod(tensor.dims) for tensor in graph.initializer if len(tensor.dims) == 4) == 32 * 16 * 9
