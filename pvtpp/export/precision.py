"""Graphs in half precision and in eight bits.

The precision is in the graph itself, so every runtime computes the same, and ONNX Runtime on a CPU can show what it
costs in accuracy.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import onnx

from pvtpp.errors import InputError
from pvtpp.export.operators import runtime_weights

PRECISIONS = ("fp32", "fp16", "int8")
PERCENTILE = 99.99
"""Chosen, as is what `to_int8` leaves out, by the error of NanoTrack's search features on uav-mini's train split."""
Sample = Mapping[str, np.ndarray]


def to_fp16(path: str | Path) -> None:
    """Convert the graph at `path` to half precision; inputs and outputs keep their types."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    with warnings.catch_warnings():
        # It warns about each weight that is too small for half precision, and every network has some.
        warnings.simplefilter("ignore")
        model = convert_float_to_float16(onnx.load(str(path)), keep_io_types=True)
    onnx.save(model, str(path))


def to_int8(path: str | Path, samples: Iterable[Sample]) -> None:
    """Quantise the convolutions of the graph at `path`.

    Quantise-dequantise pairs, symmetric (as TensorRT needs them), weights per channel, activations up to their 99.99th
    percentile. Not quantised are correlations, depthwise convolutions (little work, large error), the first
    convolution, which reads the pixels, and the last, whose rounding would be the output's.

    Parameters
    ----------
    path
        The graph; it is replaced.
    samples
        Inputs from real tracking, which determine the ranges of the activations.

    Raises
    ------
    InputError
        Without samples.
    """
    from onnxruntime import quantization

    listed = list(samples)
    if not listed:
        raise InputError("int8 needs clips to calibrate on, and none gave a sample")
    model = onnx.load(str(path))
    # Avoids a warning: the graph is folded and its shapes are known.
    onnx.helper.set_model_props(model, {"onnx.quant.pre_process": "onnxruntime.quant"})
    # It prints every step.
    with redirect_stdout(StringIO()):
        quantization.quantize_static(
            model,
            str(path),
            _Reader(listed),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=sorted(_kept(model)),
            per_channel=True,
            activation_type=quantization.QuantType.QInt8,
            weight_type=quantization.QuantType.QInt8,
            calibrate_method=quantization.CalibrationMethod.Percentile,
            extra_options={
                "CalibPercentile": PERCENTILE,
                "ActivationSymmetric": True,
                "WeightSymmetric": True,
                "AddQDQPairToWeight": True,
                "DedicatedQDQPair": True,
                "QuantizeBias": False,
            },
        )


class _Reader:
    """Samples as ONNX Runtime reads them: one by one, and then None."""

    def __init__(self, samples: Iterable[Sample]):
        self._left = iter(samples)

    def get_next(self) -> Sample | None:
        return next(self._left, None)


def _kept(model: onnx.ModelProto) -> set[str]:
    """Names of the convolutions that are not quantised."""
    made = {name: node for node in model.graph.node for name in node.output}
    channels = {tensor.name: tensor.dims[1] for tensor in model.graph.initializer if len(tensor.dims) > 1}

    def last_before(output: str) -> onnx.NodeProto | None:
        node = made.get(output)
        while node is not None and node.op_type != "Conv":
            node = made.get(node.input[0]) if node.input else None
        return node

    kept = runtime_weights(model)
    # Filters of one channel are depthwise, those of three channels read pixels.
    kept += [node for node in model.graph.node if node.op_type == "Conv" and channels.get(node.input[1]) in (1, 3)]
    kept += [node for output in model.graph.output if (node := last_before(output.name)) is not None]
    return {node.name for node in kept}
