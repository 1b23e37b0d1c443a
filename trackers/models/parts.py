"""What every Siamese tracker network offers: its parts as graphs of fixed shape, what may learn, and published weights.

A network runs as three graphs: ``template`` once at `init`, ``search`` and ``head`` on every frame; SiamMask adds
``refine``. Their inputs and outputs go by position: the head takes the template's levels and then the search region's,
as many, and what ``search`` gives beyond its levels is for ``refine``.
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
"""Published name of a tensor (a pattern at its start) and what stands for it here; the first that fits is applied."""

PATCH = 8
"""Side of what `settle` makes its crops of, pixels."""


@dataclass(frozen=True, eq=False)
class Part:
    """A graph: `module` takes its inputs in this order and returns one tensor, or a tuple of them in this order."""

    module: nn.Module
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


class Features(nn.Module):
    """Backbone and neck, for crops of one size: an image to the levels that the head takes."""

    def __init__(self, backbone: nn.Module, neck: nn.Module, template: bool):
        super().__init__()
        self.backbone, self.neck, self.template = backbone, neck, template

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return self.neck(self.backbone(image), self.template)


class FlatHead(nn.Module):
    """A head that takes its levels one by one, the template's first, as a graph's inputs are."""

    def __init__(self, head: nn.Module):
        super().__init__()
        self.head = head

    def forward(self, *levels: Tensor) -> tuple[Tensor, ...]:
        half = len(levels) // 2
        return self.head(levels[:half], levels[half:])


class SiameseNetwork(nn.Module):
    """Base of the networks: `forward` is one training step's pass over pairs of crops; its maps are ``cls``, ``loc``, .."""

    title: str
    """In messages."""
    names: Names
    unread: tuple[str, ...] = ()
    """Published tensors that the tracker never uses, by the start of their name."""
    optional: tuple[str, ...] = (".num_batches_tracked",)
    """Tensors that a checkpoint may lack, by the end of their name; they keep the value they begin with. The counters of
    the normalisation layers, which nothing depends on, are unknown to torch before 0.4.1."""
    joint: tuple[str, ...]
    """Parts that learn when the tracker is trained together with a predictor."""

    _frozen: tuple[nn.Module, ...] = ()

    def parts(self) -> dict[str, Part]:
        """The graphs, in the order in which a tracker takes their engines."""
        raise NotImplementedError

    def freeze_except(self, *parts: str) -> None:
        """Only the modules called `parts` (such as `joint`) go on learning; the rest keeps its weights and, whatever
        `train` is told, its normalisation statistics. No part: everything is frozen. Unknown names raise InputError.
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
        # A container of both must follow the mode, so only the modules that hold tensors themselves are listed.
        self._frozen = tuple(module for name, module in modules.items() if not learns(name) and _holds_tensors(module))
        self.train(self.training)

    def train(self, mode: bool = True) -> SiameseNetwork:
        super().train(mode)
        for module in self._frozen:
            module.training = False
        return self


def parameter_groups(model: SiameseNetwork) -> dict[str, list[nn.Parameter]]:
    """Every parameter exactly once, under ``backbone`` or one of `joint`: what an optimizer gives its own rate."""
    groups: dict[str, list[nn.Parameter]] = {"backbone": [], **{part: [] for part in model.joint}}
    for name, parameter in model.named_parameters():
        part = next((part for part in model.joint if name.startswith(part + ".")), "backbone")
        groups[part].append(parameter)
    return groups


def load_into(model: SiameseNetwork, path: str | Path) -> None:
    """The published checkpoint into `model`, which is put into evaluation mode.

    Strict: every tensor that is not `unread` must have its place and every place that is not `optional` its tensor, else
    InputError.
    """
    model.load_state_dict(matched(model, read_checkpoint(path), str(path)))
    model.eval()


def matched(model: SiameseNetwork, tensors: Mapping[str, Tensor], source: str) -> dict[str, Tensor]:
    """The tensors of a checkpoint under the names of `model`, the optional ones filled in. InputError if they do not fit."""
    wanted = model.state_dict()
    found = {
        _translate(name, model.names): tensor for name, tensor in tensors.items() if not name.startswith(model.unread)
    }
    for name in wanted:
        if name.endswith(model.optional):
            found.setdefault(name, wanted[name])
    return match(wanted, found, source, model.title)


def engines(model: SiameseNetwork, device: str = "cpu") -> tuple[TorchEngine, ...]:
    """One engine for each of the model's `parts`, in their order."""
    return tuple(
        TorchEngine(part.module, part.inputs, part.outputs, device, f"{model.title} {name}")
        for name, part in model.parts().items()
    )


def settle(model: SiameseNetwork, seed: int = 0) -> SiameseNetwork:
    """Measure the normalisation statistics of a model with random weights on a pair of made-up crops, and return it.

    Without, every layer multiplies what the one before gave, and an untrained network's answers overflow.
    """
    generator = torch.Generator().manual_seed(seed)
    layers = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    sides: list[Any] = [model.parts()[name].inputs[0].shape[-1] for name in ("template", "search")]
    # Patches, for that is what images are made of: on noise alone every filter answers far less.
    coarse = [torch.rand(1, 3, side // PATCH, side // PATCH, generator=generator) for side in sides]
    crops = [F.interpolate(patches * 255, size=(side, side)) for patches, side in zip(coarse, sides, strict=True)]
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        # Plain averages, of the template's statistics and the search region's.
        layer.momentum = None
        layer.reset_running_stats()
    with torch.no_grad():
        model.train()(*crops)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    return model.eval()


def spec(name: str, *shape: int) -> TensorSpec:
    """A float32 input or output for one sample: `shape` without the batch."""
    return TensorSpec(name, (1, *shape), np.dtype(np.float32))


def _translate(name: str, names: Names) -> str:
    for pattern, ours in names:
        translated, count = re.subn("^" + pattern, ours, name)
        if count:
            return translated
    return name


def _holds_tensors(module: nn.Module) -> bool:
    return any(True for _ in module.parameters(recurse=False)) or any(True for _ in module.buffers(recurse=False))
