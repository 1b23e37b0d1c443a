"""What every Siamese tracker network offers: its parts as graphs of fixed shape, what may learn, published weights.

A network runs as three graphs: ``template`` once at `init`, ``search`` and ``head`` on every frame; SiamMask adds
``refine``. Their inputs and outputs go by position: the head takes the template's levels and then as many of the search
region's, and further outputs of ``search`` are for ``refine``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pvtpp.errors import InputError
from pvtpp.inference.engine import TensorSpec
from pvtpp.inference.torch import TorchEngine
from pvtpp.weights.checkpoint import match, read_checkpoint

Names = Sequence[tuple[str, str]]
"""Pairs of a pattern at the start of a published tensor name and its replacement; the first that matches is applied."""

PATCH = 8
"""Side of the patches that `settle` makes its crops of, pixels."""


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a network that becomes a graph.

    Attributes
    ----------
    module
        Takes `inputs` in their order; returns one tensor, or a tuple in the order of `outputs`.
    inputs, outputs
        Names, shapes and types.
    """

    module: nn.Module
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


class Features(nn.Module):
    """Backbone and neck, for crops of one size: an image to the levels that the head takes."""

    def __init__(self, backbone: nn.Module, neck: nn.Module, template: bool):
        super().__init__()
        self.backbone, self.neck, self.template = backbone, neck, template

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """A crop to its levels."""
        return self.neck(self.backbone(image), self.template)


class FlatHead(nn.Module):
    """A head that takes its levels one by one, the template's first, as the inputs of a graph are."""

    def __init__(self, head: nn.Module):
        super().__init__()
        self.head = head

    def forward(self, *levels: Tensor) -> tuple[Tensor, ...]:
        """The template's levels, then the search region's, to the head's maps."""
        half = len(levels) // 2
        return self.head(levels[:half], levels[half:])


class SiameseNetwork(nn.Module):
    """Base of the networks: `forward` is the pass of a training step over pairs of crops.

    Its maps are ``cls``, ``loc`` and so on.
    """

    title: str
    """Name in messages."""
    names: Names
    """Renames published tensors."""
    unread: tuple[str, ...] = ()
    """Starts of the names of published tensors that the tracker never uses."""
    optional: tuple[str, ...] = (".num_batches_tracked",)
    """Ends of the names of tensors that a checkpoint may lack; they keep their initial value.

    The counters of normalisation layers, on which nothing depends, are unknown to torch before 0.4.1.
    """
    joint: tuple[str, ...]
    """The parts that learn when the tracker is trained together with a predictor."""

    _frozen: tuple[nn.Module, ...] = ()

    def parts(self) -> dict[str, Part]:
        """The graphs, in the order in which a tracker takes their engines."""
        raise NotImplementedError

    def freeze_except(self, *parts: str) -> None:
        """Let only these modules learn; the rest keeps its weights and, in any mode, its normalisation statistics.

        Parameters
        ----------
        parts
            Names of modules, such as those in `joint`. Without any everything is frozen.

        Raises
        ------
        InputError
            For an unknown name.
        """
        modules = dict(self.named_modules())
        for part in parts:
            if not part or part not in modules:
                known = ", ".join(name for name in modules if name and name.count(".") < 3)
                raise InputError(f"{self.title} has no part {part!r}; among its parts are {known}")

        def learns(name: str) -> bool:
            return any(name == part or name.startswith(part + ".") for part in parts)

        for name, parameter in self.named_parameters():
            parameter.requires_grad_(learns(name))
        # Containers with learning modules must follow the mode, so only modules with tensors of their own are listed.
        self._frozen = tuple(module for name, module in modules.items() if not learns(name) and _holds_tensors(module))
        self.train(self.training)

    def train(self, mode: bool = True) -> SiameseNetwork:
        """Set training mode, except for frozen modules; returns the network."""
        super().train(mode)
        for module in self._frozen:
            module.training = False
        return self


def parameter_groups(model: SiameseNetwork) -> dict[str, list[nn.Parameter]]:
    """Every parameter exactly once, under ``backbone`` or one of `joint`.

    So an optimizer can give each group its own learning rate.
    """
    groups: dict[str, list[nn.Parameter]] = {"backbone": [], **{part: [] for part in model.joint}}
    for name, parameter in model.named_parameters():
        part = next((part for part in model.joint if name.startswith(part + ".")), "backbone")
        groups[part].append(parameter)
    return groups


def load_into(model: SiameseNetwork, path: str | Path) -> None:
    """Load a published checkpoint into `model`, and put it into evaluation mode.

    Raises
    ------
    InputError
        Where a tensor that is not `unread` has no place, or a place that is not `optional` has no tensor.
    """
    model.load_state_dict(matched(model, read_checkpoint(path), str(path)))
    model.eval()


def matched(model: SiameseNetwork, tensors: Mapping[str, Tensor], source: str) -> dict[str, Tensor]:
    """The tensors of a checkpoint under the names of `model`, missing optional ones filled in.

    Raises
    ------
    InputError
        If they do not fit.
    """
    wanted = model.state_dict()
    found = {
        _translate(name, model.names): tensor for name, tensor in tensors.items() if not name.startswith(model.unread)
    }
    for name in wanted:
        if name.endswith(model.optional):
            found.setdefault(name, wanted[name])
    return match(wanted, found, source, model.title)


def engines(model: SiameseNetwork, device: str = "cpu") -> tuple[TorchEngine, ...]:
    """One torch engine for each of the model's `parts`, in their order."""
    return tuple(
        TorchEngine(part.module, part.inputs, part.outputs, device, f"{model.title} {name}")
        for name, part in model.parts().items()
    )


def settle(model: SiameseNetwork, seed: int = 0) -> SiameseNetwork:
    """Set the normalisation statistics of a model with random weights from a pair of synthetic crops, and return it.

    Without this every layer amplifies the one before, and outputs of an untrained network overflow.
    """
    generator = torch.Generator().manual_seed(seed)
    layers = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    sides: list[Any] = [model.parts()[name].inputs[0].shape[-1] for name in ("template", "search")]
    # Uniform patches, as in images: to pixel noise every filter responds far less.
    coarse = [torch.rand(1, 3, side // PATCH, side // PATCH, generator=generator) for side in sides]
    crops = [F.interpolate(patches * 255, size=(side, side)) for patches, side in zip(coarse, sides, strict=True)]
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        # No momentum: plain averages over template and search region.
        layer.momentum = None
        layer.reset_running_stats()
    with torch.no_grad():
        model.train()(*crops)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    return model.eval()


def spec(name: str, *shape: int) -> TensorSpec:
    """A float32 input or output for one sample; `shape` is without the batch axis."""
    return TensorSpec(name, (1, *shape), np.dtype(np.float32))


def _translate(name: str, names: Names) -> str:
    for pattern, ours in names:
        translated, count = re.subn("^" + pattern, ours, name)
        if count:
            return translated
    return name


def _holds_tensors(module: nn.Module) -> bool:
    return any(True for _ in module.parameters(recurse=False)) or any(True for _ in module.buffers(recurse=False))
