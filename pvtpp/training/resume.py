"""What a checkpoint says of the training that made it, so that only the same training continues from it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pvtpp.errors import InputError
from pvtpp.weights.checkpoint import match

KEY = "pvtpp"
"""The checkpoint's entry that holds what `facts` returns."""
EXPORT = "pvtpp_export"
"""The checkpoint's entry that holds what the module's export needs besides its weights."""
NEEDED = ("epoch", "global_step", "loops", "optimizer_states", "lr_schedulers")
"""Lightning's entries, without which a training cannot continue."""
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


def read(path: str | Path) -> dict[str, Any]:
    """The content of a checkpoint that a training wrote.

    Returns
    -------
    dict
        Among other entries `KEY`, with all that `facts` returns, and ``state_dict``.

    Raises
    ------
    InputError
        For a missing or damaged file, one with code in it, and one that does not say which training it is of.
    """
    if not os.path.isfile(path):
        raise InputError(f"{path}: no such checkpoint")
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # Damaged bytes raise zip, pickle, struct, unicode and key errors, some with messages of many lines.
        raise InputError(f"{path}: damaged, or no checkpoint of a training ({type(error).__name__})") from None
    before, state = (found.get(name) if isinstance(found, dict) else None for name in (KEY, "state_dict"))
    kinds = {"kind": str, "config": dict, "data": str, "start": str}
    known = isinstance(before, dict) and all(isinstance(before.get(name), kind) for name, kind in kinds.items())
    tensors = isinstance(state, dict) and all(isinstance(k, str) and torch.is_tensor(v) for k, v in state.items())
    if not known or not tensors:
        raise InputError(f"{path}: does not say which training it is of, so it is of no use here")
    return found


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
    found = read(path)
    different = _differences(found[KEY], now)
    if different:
        raise InputError(
            f"{path}: is of another training: {'; '.join(different)}; resume as it began, or begin anew elsewhere"
        )
    lacking = [name for name in NEEDED if name not in found]
    if lacking:
        raise InputError(f"{path}: lacks {', '.join(lacking)}, so the training cannot continue from it")
    match(module.state_dict(), found["state_dict"], path, "this training")


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs, in words; the starting weights are only mentioned where configuration and data are the same."""
    if before["kind"] != now["kind"]:
        return [f"{before['kind']} there, {now['kind']} now"]
    old, new = _flat(before["config"]), _flat(now["config"])
    # With more epochs it still is the same training, only longer.
    epochs = old.get("epochs")
    grown = {"epochs"} if isinstance(epochs, int) and epochs <= new["epochs"] else set()
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
