"""A torch engine as an ONNX graph for one sample with fixed shapes; everything constant is computed beforehand."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from pvtpp.errors import InputError
from pvtpp.export.alignment import align
from pvtpp.export.composition import compose
from pvtpp.export.operators import FORMS, unroll
from pvtpp.inference.engine import TensorSpec
from pvtpp.inference.torch import TorchEngine

OPSET = 13
"""The newest operator set that TensorRT 8.4 reads."""
IR_VERSION = 8
"""Version of the file format: ONNX Runtime 1.10 and every TensorRT parser read it."""
PIXELS = np.dtype(np.uint8)


class FromPixels(nn.Module):
    """A module that takes crops as OpenCV has them, and passes them to `module` as it expects them.

    Crops are uint8 ``(1, H, W, 3)``, BGR; `module` gets float32 ``(1, 3, H, W)``, values and channel order unchanged.

    Parameters
    ----------
    module
        The module to wrap.
    crops
        Positions of the crops among its inputs.
    """

    def __init__(self, module: nn.Module, crops: Collection[int]):
        super().__init__()
        self.module, self.crops = module, frozenset(crops)

    def forward(self, *inputs: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Convert the crops and run `module`."""
        made = [x.float().permute(0, 3, 1, 2) if i in self.crops else x for i, x in enumerate(inputs)]
        return self.module(*made)


def from_pixels(engine: TorchEngine) -> TorchEngine:
    """The engine with its crops (inputs of three channels) as pixels, see `FromPixels`.

    Raises
    ------
    InputError
        If it takes no crop.
    """
    crops = [i for i, spec in enumerate(engine.inputs) if len(spec.shape) == 4 and spec.shape[1] == 3]
    if not crops:
        raise InputError(f"no input is a crop (1 x 3 x H x W): {', '.join(map(str, engine.inputs))}")
    inputs = list(engine.inputs)
    for i in crops:
        batch, channels, *size = inputs[i].shape
        inputs[i] = TensorSpec(inputs[i].name, (batch, *size, channels), PIXELS)
    return TorchEngine(FromPixels(engine.module, crops), inputs, engine.outputs, str(engine.device))


def write_graph(engine: TorchEngine, path: str | Path, form: str = "grouped") -> None:
    """Write the graph of an engine.

    Parameters
    ----------
    engine
        Names and shapes of inputs and outputs are kept.
    path
        The ``.onnx`` file.
    form
        Of correlations, one of `FORMS` (see `operators`).

    Raises
    ------
    InputError
        For an unknown form and for a shape that is not fixed.
    """
    if form not in FORMS:
        raise InputError(f"form is {form!r}, expected one of: {', '.join(FORMS)}")
    open_ = [spec for spec in (*engine.inputs, *engine.outputs) if None in spec.shape]
    if open_:
        raise InputError(f"a graph has fixed shapes, {open_[0]} has not")
    example = tuple(
        torch.tensor(np.ones([int(n or 1) for n in s.shape], s.dtype), device=engine.device) for s in engine.inputs
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            engine.module,
            example,
            str(path),
            input_names=[spec.name for spec in engine.inputs],
            output_names=[spec.name for spec in engine.outputs],
            opset_version=OPSET,
            dynamo=False,
        )
    model = align(compose(folded(path)))
    if form == "unrolled":
        model = unroll(model)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def folded(path: str | Path) -> onnx.ModelProto:
    """The graph at `path` with everything computed that depends on weights and shapes alone, in standard operators.

    Raises
    ------
    InputError
        If ONNX Runtime leaves operators in it that are not ONNX's own.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    model = onnx.load(str(path))
    foreign = sorted({node.domain for node in model.graph.node if node.domain not in ("", "ai.onnx")})
    if foreign:
        raise InputError(f"{path}: folding left operators of {', '.join(foreign)}, which are not ONNX's own")
    # ONNX Runtime lists every domain that it knows.
    del model.opset_import[:]
    model.opset_import.append(onnx.helper.make_opsetid("", OPSET))
    model.ir_version = IR_VERSION
    return onnx.shape_inference.infer_shapes(model, strict_mode=True)
