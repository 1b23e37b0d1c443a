"""What a checkpoint says of the training that made it, so that only the same training continues from it."""

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
"""The checkpoint's entry that holds what `facts` returns."""
FREE = frozenset({"workers", "devices", "accelerator"})
"""Fields of a configuration that do not change the result."""


def facts(module: nn.Module, config: Any, data: str) -> dict[str, Any]:
    """What identifies a training before its first step, as plain values.

    Parameters
    ----------
    module
        The module with the weights it starts from.
    config
        The training's configuration, a dataclass.
    data
        Digest of the data.
    """
    return {"kind": type(module).__name__, "config": asdict(config), "data": data, "start": digest(module.state_dict())}


def digest(tensors: Mapping[str, Tensor]) -> str:
    """A text that differs for any other tensors."""
    made = hashlib.blake2b(digest_size=16)
    for name, tensor in tensors.items():
        made.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        made.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return made.hexdigest()


def check(path: str, module: nn.Module, now: Mapping[str, Any]) -> None:
    """Check that a training can continue from a checkpoint.

    Parameters
    ----------
    path
        The checkpoint.
    module
        The module that its weights must fit.
    now
        What identifies the training that wants to continue, see `facts`.

    Raises
    ------
    InputError
        For a missing or damaged file, one of another training, and weights that do not fit `module`.
    """
    if not os.path.isfile(path):
        raise InputError(f"{path}: no checkpoint to resume from")
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # Damaged bytes raise zip, pickle, struct, unicode and key errors, some with messages of many lines.
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
    """What differs, in words; the starting weights are only mentioned where configuration and data are the same."""
    if before["kind"] != now["kind"]:
        return [f"{before['kind']} there, {now['kind']} now"]
    old, new = _flat(before["config"]), _flat(now["config"])
    # With more epochs it still is the same training, only longer.
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
