"""Merge a convolution and the 1 x 1 convolution behind it, such as MobileNetV2's last projection and the neck.

Without an activation between them the second one only mixes the output channels of the first, so their weights can be
multiplied. This is done where the result needs less computation.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
from onnx import helper, numpy_helper


def compose(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with such pairs merged, where the 1 x 1 convolution is the only reader; its shapes are inferred."""
    graph = model.graph
    while _compose_one(graph):
        pass
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:], graph.value_info[:]
    graph.initializer.extend(kept)
    return onnx.shape_inference.infer_shapes(model, strict_mode=True)


def _compose_one(graph: onnx.GraphProto) -> bool:
    """Merge the first such pair; whether there was one."""
    weights = {tensor.name: tensor for tensor in graph.initializer}
    uses = Counter([*(name for node in graph.node for name in node.input), *(value.name for value in graph.output)])
    dense = {node.output[0]: node for node in graph.node if node.op_type == "Conv" and _is_dense(node, weights)}
    for second in dense.values():
        first = dense.get(second.input[0])
        if first is None or uses[second.input[0]] > 1 or not _is_pointwise(second, weights):
            continue
        inner, outer = (numpy_helper.to_array(weights[node.input[1]]).astype(np.float64) for node in (first, second))
        outer = outer[:, :, 0, 0]
        if len(outer) * inner[0].size >= inner.size + outer.size:
            continue
        bias = outer @ _bias(first, weights, len(inner)) + _bias(second, weights, len(outer))
        names = []
        for what, values in (("weight", np.einsum("om,mikl->oikl", outer, inner)), ("bias", bias)):
            names.append(f"{second.output[0]}/composed_{what}")
            graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), names[-1]))
        node = helper.make_node("Conv", [first.input[0], *names], [second.output[0]], name=second.name)
        node.attribute.extend(first.attribute)
        second.CopyFrom(node)
        graph.node.remove(first)
        return True
    return False


def _is_dense(node: onnx.NodeProto, weights: dict[str, onnx.TensorProto]) -> bool:
    attributes = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    known = all(name in weights and weights[name].data_type == onnx.TensorProto.FLOAT for name in node.input[1:])
    return known and attributes.get("group", 1) == 1 and len(weights[node.input[1]].dims) == 4


def _is_pointwise(node: onnx.NodeProto, weights: dict[str, onnx.TensorProto]) -> bool:
    attributes = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    plain = set(attributes.get("strides", [1])) == {1} and not any(attributes.get("pads", [0]))
    return plain and list(weights[node.input[1]].dims[2:]) == [1, 1]


def _bias(node: onnx.NodeProto, weights: dict[str, onnx.TensorProto], channels: int) -> np.ndarray:
    if len(node.input) < 3:
        return np.zeros(channels)
    return numpy_helper.to_array(weights[node.input[2]]).astype(np.float64)
