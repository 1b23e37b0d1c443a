"""Pad channels to multiples of 16, which ONNX Runtime and TensorRT's tensor cores compute in blocks.

A network slimmed by a factor (MobileNetV2 at 1.4 has 22, 89, 134 channels) otherwise runs on slower kernels, and
tensors are reordered between the two kinds. Added channels have zero weights into what follows, so outputs stay the
same.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
from onnx import numpy_helper

BLOCK = 16
# Of these each channel of the answer comes from the same channel of what goes in.
CHANNELWISE = ("Add", "Mul", "Clip", "Relu", "HardSigmoid", "Sigmoid", "HardSwish", "LeakyRelu")


def align(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model, shapes inferred, with padded channels wherever they lead from convolutions to convolutions alone."""
    _Alignment(model.graph).apply()
    del model.graph.value_info[:]
    return onnx.shape_inference.infer_shapes(model, strict_mode=True)


class _Alignment:
    """Tensors that must have the same number of channels form a group, which is padded as a whole or not at all."""

    def __init__(self, graph: onnx.GraphProto):
        self._graph = graph
        self._weights = {tensor.name: tensor for tensor in graph.initializer}
        self._uses = Counter(name for node in graph.node for name in node.input)
        self._leader: dict[str, str] = {}
        self._fixed: set[str] = set()
        self._channels: dict[str, int] = {}
        for value in (*graph.input, *graph.output):
            self._fix(value.name)
        for node in graph.node:
            self._look(node)

    def apply(self) -> None:
        """Pad the weights of every convolution from or to a padded group."""
        for node in self._graph.node:
            if node.op_type != "Conv" or not self._is_plain(node):
                continue
            weight = self._weights[node.input[1]]
            before, after = self._added(node.input[0]), self._added(node.output[0])
            depthwise = _groups(node) > 1
            self._pad(weight, [(0, after), (0, 0 if depthwise else before)])
            if len(node.input) > 2:
                self._pad(self._weights[node.input[2]], [(0, after)])
            for attribute in node.attribute:
                if attribute.name == "group" and depthwise:
                    attribute.i += after

    def _look(self, node: onnx.NodeProto) -> None:
        if node.op_type == "Conv" and self._is_plain(node):
            self._channels[self._group(node.output[0])] = self._weights[node.input[1]].dims[0]
            if _groups(node) > 1:
                self._join(node.input[0], node.output[0])
        elif node.op_type in CHANNELWISE:
            # Constants of a Clip are its limits. Constants of the others have channels, so they are not padded.
            for name in node.input[:1] if node.op_type == "Clip" else node.input:
                self._join(name, node.output[0])
                if name in self._weights:
                    self._fix(name)
        else:
            for name in (*node.input, *node.output):
                self._fix(name)

    def _is_plain(self, node: onnx.NodeProto) -> bool:
        """Whether the convolution is dense or depthwise, with weights that no other node uses."""
        constants = node.input[1:]
        if any(name not in self._weights or self._uses[name] > 1 for name in constants):
            return False
        out, per_group = self._weights[node.input[1]].dims[:2]
        return _groups(node) == 1 or (per_group == 1 and _groups(node) == out)

    def _group(self, name: str) -> str:
        leader = self._leader.setdefault(name, name)
        while leader != self._leader[leader]:
            leader = self._leader[leader]
        self._leader[name] = leader
        return leader

    def _join(self, one: str, other: str) -> None:
        first, second = self._group(one), self._group(other)
        if first == second:
            return
        self._leader[second] = first
        if second in self._fixed:
            self._fixed.add(first)
        if second in self._channels:
            known = self._channels.setdefault(first, self._channels[second])
            if known != self._channels[second]:
                self._fixed.add(first)

    def _fix(self, name: str) -> None:
        self._fixed.add(self._group(name))

    def _added(self, name: str) -> int:
        group = self._group(name)
        return 0 if group in self._fixed or group not in self._channels else -self._channels[group] % BLOCK

    @staticmethod
    def _pad(tensor: onnx.TensorProto, widths: list[tuple[int, int]]) -> None:
        array = numpy_helper.to_array(tensor)
        widths = [*widths, *[(0, 0)] * (array.ndim - len(widths))]
        if any(after for _, after in widths):
            tensor.CopyFrom(numpy_helper.from_array(np.pad(array, widths), tensor.name))


def _groups(node: onnx.NodeProto) -> int:
    return next((each.i for each in node.attribute if each.name == "group"), 1)
