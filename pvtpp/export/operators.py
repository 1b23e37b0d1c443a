"""Which operators TensorRT 8.4 takes, and a replacement for what it does not: a convolution with computed weights.

Cross-correlation is such a convolution: the template's features slide over the search region's. It has two forms:

``grouped``   as in torch, a grouped convolution with weights from the graph; fast in ONNX Runtime
``unrolled``  the sum over the kernel's cells of the shifted search features times that cell: Slice, Mul and Add alone
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper, numpy_helper

from pvtpp.errors import InputError

FORMS = ("grouped", "unrolled")
# From the operator tables of onnx-tensorrt 8.4, opset 13: what our graphs are made of, and no more.
TENSORRT = frozenset(
    (
        "Abs Add AveragePool BatchNormalization Cast Clip Concat Constant Conv ConvTranspose DequantizeLinear Div Exp "
        "Expand Flatten Gather Gemm GlobalAveragePool Greater HardSigmoid Identity LeakyRelu Less Log MatMul Max "
        "MaxPool Min Mul Neg Pad Pow QuantizeLinear ReduceMean ReduceSum Relu Reshape Resize Shape Sigmoid Slice "
        "Softmax Softplus Split Sqrt Squeeze Sub Tanh Transpose Unsqueeze Where"
    ).split()
)
WEIGHED = ("Conv", "ConvTranspose")


def runtime_weights(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """The convolutions whose weights the graph computes; quantised constants count as constants."""
    made = {name: node for node in model.graph.node for name in node.output}
    constant = {tensor.name for tensor in model.graph.initializer}

    def is_constant(name: str) -> bool:
        while name not in constant:
            node = made.get(name)
            if node is None or node.op_type not in (
                "Constant",
                "Identity",
                "Cast",
                "QuantizeLinear",
                "DequantizeLinear",
            ):
                return False
            if node.op_type == "Constant":
                return True
            name = node.input[0]
        return True

    return [node for node in model.graph.node if node.op_type in WEIGHED and not is_constant(node.input[1])]


def check_for_tensorrt(model: onnx.ModelProto, source: str) -> None:
    """Raise InputError for the first thing in the graph that TensorRT 8.4 would not take."""
    foreign = sorted({node.op_type for node in model.graph.node} - TENSORRT)
    if foreign:
        raise InputError(
            f"{source}: TensorRT is not known to take {', '.join(foreign)}; known are {', '.join(sorted(TENSORRT))}"
        )
    computed = runtime_weights(model)
    if computed:
        names = ", ".join(node.name or node.output[0] for node in computed)
        raise InputError(
            f"{source}: convolutions with weights from the graph ({names}); export it in the form 'unrolled'"
        )
    shapes = [value for value in (*model.graph.input, *model.graph.output) if None in _shape(value)]
    if shapes:
        raise InputError(f"{source}: {shapes[0].name!r} has a shape that is not fixed: {_shape(shapes[0])}")


def unroll(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with every depthwise correlation unrolled; its shapes are inferred.

    Raises
    ------
    InputError
        For a correlation that is not depthwise.
    """
    computed = {node.output[0] for node in runtime_weights(model)}
    if not computed:
        return model
    shapes = {value.name: _shape(value) for value in (*model.graph.input, *model.graph.value_info, *model.graph.output)}
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        nodes += _Unrolled(model.graph, node, shapes).nodes if node.output[0] in computed else [node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return onnx.shape_inference.infer_shapes(model, strict_mode=True)


class _Unrolled:
    """The nodes that replace one correlation."""

    def __init__(self, graph: onnx.GraphProto, node: onnx.NodeProto, shapes: dict[str, list[int | None]]):
        attributes = {each.name: helper.get_attribute_value(each) for each in node.attribute}
        image, kernel = node.input[:2]
        channels, per_group, *size = (int(n or 0) for n in shapes[kernel])
        plain = all(set(attributes.get(name, [1])) == {1} for name in ("strides", "dilations"))
        if len(node.input) > 2 or per_group != 1 or attributes.get("group") != channels or len(size) != 2 or not plain:
            raise InputError(
                f"{node.name}: only depthwise correlations of stride 1 can be unrolled, got weights {shapes[kernel]}"
            )
        self.nodes: list[onnx.NodeProto] = []
        self._graph, self._prefix = graph, node.output[0]
        top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
        if any((top, left, bottom, right)):
            image = self._add("Pad", "padded", image, self._constant("pads", [0, 0, top, left, 0, 0, bottom, right]))
        kernel = self._add("Reshape", "kernel", kernel, self._constant("kernel_shape", [1, channels, *size]))
        height, width = (int(n or 0) for n in shapes[node.output[0]][2:])
        total = ""
        for row, column in np.ndindex(*size):
            at = f"{row}_{column}"
            shifted = self._window(f"shifted_{at}", image, row, column, height, width)
            product = self._add("Mul", f"product_{at}", shifted, self._window(f"cell_{at}", kernel, row, column, 1, 1))
            total = self._add("Add", f"sum_{at}", total, product) if total else product
        self.nodes[-1].output[0] = node.output[0]

    def _window(self, name: str, of: str, row: int, column: int, height: int, width: int) -> str:
        begin = self._constant(f"{name}_begin", [row, column])
        end = self._constant(f"{name}_end", [row + height, column + width])
        return self._add("Slice", name, of, begin, end, self._constant("axes", [2, 3]))

    def _add(self, kind: str, name: str, *inputs: str) -> str:
        output = f"{self._prefix}/{name}"
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output))
        return output

    def _constant(self, name: str, values: list) -> str:
        name = f"{self._prefix}/{name}"
        if all(tensor.name != name for tensor in self._graph.initializer):
            self._graph.initializer.append(numpy_helper.from_array(np.array(values, np.int64), name))
        return name


def _shape(value: onnx.ValueInfoProto) -> list[int | None]:
    return [dim.dim_value if dim.HasField("dim_value") else None for dim in value.type.tensor_type.shape.dim]
