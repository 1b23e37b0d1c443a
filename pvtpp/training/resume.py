"""What a checkpoint says of the training that made it, so that only the same training goes on from it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from pvtpp.errors import InputError
from pvtpp.weights.checkpoint import match

KEY = "pvtpp"
"""Where a checkpoint holds what `facts` gives."""
FREE = frozenset({"workers", "devices", "accelerator"})
"""Fields of a configuration that do not change the result."""


def facts(module: nn.Module, config: Any, data: str) -> dict[str, Any]:
    """What makes a training what it is, before its first step, in plain values: `config`, the digest of its `data`, and the
    weights that it starts with.
    """
    return {"kind": type(module).__name__, "config": asdict(config), "data": data, "start": digest(module.state_dict())}


def digest(tensors: Mapping[str, Tensor]) -> str:
    """Tells these tensors from any others."""
    made = hashlib.blake2b(digest_size=16)
    for name, tensor in tensors.items():
        made.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        made.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return made.hexdigest()


def check(path: str, module: nn.Module, now: Mapping[str, Any]) -> None:
    """Raises InputError unless the checkpoint at `path` is of the training that `now` describes and fits `module`."""
    if not os.path.isfile(path):
        raise InputError(f"{path}: no checkpoint to resume from")
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # Whatever bytes may raise: zip, pickle, struct, unicode and key errors, some of them many lines long.
        raise InputError(f"{path}: damaged, or no checkpoint of a training ({type(error).__name__})") from None
    before = found.get(KEY) if isinstance(found, dict) else None
    if not isinstance(before, dict) or not isinstance(found.get("state_dict"), dict):
        raise InputError(f"{path}: does not say which training it is of, so it cannot be resumed")
    different = _differences(before, now)
    if different:
        raise InputError(
            f"{path}: is of another training: {'; '.join(different)}; resume as it began, or begin anew elsewhere"
        )
    match(module.state_dict(), found["state_dict"], path, "this training")


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs, in words; where configuration or data do, the weights at the start need no word."""
    if before["kind"] != now["kind"]:
        return [f"{before['kind']} there, {now['kind']} now"]
    old, new = _flat(before["config"]), _flat(now["config"])
    # More epochs are a longer run of the same training.
    grown = {"epochs"} if old.get("epochs", 0) <= new["epochs"] else set()
    names = [name for name in {**old, **new} if name not in FREE | grown and old.get(name) != new.get(name)]
    found = [f"{name} is {old.get(name)} there, {new.get(name)} now" for name in names]
    if before["data"] != now["data"]:
        found.append("its data are not the same")
    return found or ["it started from other weights"] * (before["start"] != now["start"])


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested fields by their dotted names."""
    made: dict[str, Any] = {}
    for name, value in values.items():
        made.update(_flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value})
    return made
