"""Reading torch checkpoints, and reading and writing our own weights: safetensors with a JSON card beside them.

Only tensors and plain numbers are read; a checkpoint whose loading would run code is refused. torch and safetensors are
imported when a file is read or written, not before.
"""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Tuple, TypeVar, Union

import numpy as np

from pvtpp.errors import InputError
from pvtpp.files import read_json, whole_file

FilePath = Union[str, Path]
Network = TypeVar("Network", bound=Any)
NESTS = ("state_dict", "model", "net")
"""Keys under which training scripts store the tensors, beside the epoch, the optimizer and the rest."""
SAFE_TORCH = (2, 6)
"""Oldest safe version of torch: before it, a crafted file could run code despite ``weights_only`` (CVE-2025-32434)."""


def read_checkpoint(path: FilePath) -> Dict[str, Any]:
    """Read the tensors of a torch checkpoint.

    The tensors may be at the top level or under one of `NESTS`. A leading ``module.`` of every name (from data-parallel
    training) is dropped.

    Returns
    -------
    dict
        Tensors by name, on the CPU, in the order of the file.

    Raises
    ------
    InputError
        If the file is missing, damaged, without tensors, or holds code; or if this torch is not safe (`SAFE_TORCH`).
    """
    path, torch = Path(path), _import("torch")
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint")
    if tuple(int(part) for part in torch.__version__.split(".")[:2]) < SAFE_TORCH:
        raise InputError(
            f"{path}: torch {torch.__version__} can be made to run a checkpoint's code; 2.6 or newer cannot"
        )
    try:
        with torch.serialization.safe_globals(_numbers()):
            content = torch.load(str(path), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # The message names the blocked object, and then advises to load the file regardless, which is left out here.
        met = re.search(r"(Unsupported|Trying to load|Trying to call|GLOBAL)[^\n]*", str(error))
        reason = met[0].split(" Please use")[0][:200] if met else "it holds something other than tensors"
        raise InputError(f"{path}: not a file of tensors alone, or damaged; it was not loaded ({reason})") from None
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:120]
        raise InputError(f"{path}: damaged, or no torch checkpoint ({reason})") from None
    tensors = content
    for nest in NESTS:
        if isinstance(content, dict) and isinstance(content.get(nest), dict):
            tensors = content[nest]
            break
    tensors = {k: v for k, v in tensors.items() if torch.is_tensor(v)} if isinstance(tensors, dict) else {}
    if not tensors:
        inside = sorted(map(str, content)) if isinstance(content, dict) else type(content).__name__
        raise InputError(f"{path}: holds no tensors by name, at the top or under {', '.join(NESTS)}; found {inside}")
    unnamed = [name for name in tensors if not isinstance(name, str)]
    if unnamed:
        raise InputError(f"{path}: a tensor is called {unnamed[0]!r}, expected text; not the weights of a network")
    if all(name.startswith("module.") for name in tensors):
        tensors = {name[len("module.") :]: tensor for name, tensor in tensors.items()}
    return tensors


def card_of(path: FilePath) -> Path:
    """Path of the JSON card beside a safetensors file."""
    return Path(path).with_suffix(".json")


def write_weights(path: FilePath, tensors: Mapping[str, Any], card: Mapping[str, Any]) -> None:
    """Write `tensors` to `path` (``.safetensors``) and `card` beside it; each file appears complete or not at all.

    Raises
    ------
    InputError
        If a file cannot be written, or the card cannot be written as JSON.
    """
    path = _checked_name(path)
    save = _import("safetensors.torch").save
    text = _card_text(path, card)
    data = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
    # The card last: weights without a card are refused on reading, but the card of other weights is not noticed.
    for file, content in ((path, data), (card_of(path), text.encode())):
        with whole_file(file, make_folder=False) as part:
            Path(part).write_bytes(content)


def add_to_card(path: FilePath, entries: Mapping[str, Any]) -> None:
    """Add entries to the card of the weights at `path`; InputError as `read_weights` and `write_weights`."""
    card = card_of(path)
    text = _card_text(path, {**read_json(card), **entries})
    with whole_file(card, make_folder=False) as part:
        Path(part).write_bytes(text.encode())


def _card_text(path: FilePath, card: Mapping[str, Any]) -> str:
    try:
        return json.dumps(dict(card), indent=2, sort_keys=True, allow_nan=False) + "\n"
    except ValueError as error:
        raise InputError(
            f"{card_of(path)}: cannot be written as JSON ({error}); a number in it is not finite"
        ) from None


def read_weights(path: FilePath) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """Read ``(tensors, card)`` as `write_weights` wrote them; InputError if either file is missing or damaged."""
    path = _checked_name(path)
    load = _import("safetensors.torch").load
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot read ({error.strerror}); weights are a file and its card") from None
    try:
        card = read_json(card_of(path))
    except InputError as error:
        raise InputError(f"{error}; weights are a file and its card") from None
    try:
        return load(data), card
    except Exception as error:
        raise InputError(f"{path}: damaged, or no safetensors file ({error})") from None


def write_network(path: FilePath, network: Any, kind: str, notes: Optional[Mapping[str, Any]] = None) -> None:
    """Write the weights of a network of ours and, beside them, the card.

    Parameters
    ----------
    path
        A ``.safetensors`` file; the card has the same name and ends in ``.json``.
    network
        The network.
    kind
        The card's format.
    notes
        Anything JSON takes; the card also gets the format and the configuration.
    """
    card = {**(notes or {}), "format": kind, "config": network.config.as_dict()}
    write_weights(path, network.state_dict(), card)


def read_network(path: FilePath, kind: str) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """Read ``(tensors, card)`` as `write_network` wrote them.

    Raises
    ------
    InputError
        If a file is missing or damaged, or is not a network of this kind.
    """
    tensors, card = read_weights(path)
    if not isinstance(card, dict) or card.get("format") != kind or not isinstance(card.get("config"), dict):
        found = card.get("format") if isinstance(card, dict) else type(card).__name__
        raise InputError(f"{card_of(path)}: format is {found!r}, expected {kind!r} with a config")
    return tensors, card


def restored(
    network: Network, found: Mapping[str, Any], source: FilePath, architecture: str, prefix: str = ""
) -> Network:
    """Give a network its weights.

    Parameters
    ----------
    network
        The network; it is changed.
    found
        Tensors by name.
    source, architecture
        Names of the file and of the network, for the message.
    prefix
        Only the tensors whose name begins so are taken, without it.

    Returns
    -------
    Network
        `network`, in evaluation mode.

    Raises
    ------
    InputError
        As `match` does.
    """
    own = {name[len(prefix) :]: tensor for name, tensor in found.items() if name.startswith(prefix)}
    network.load_state_dict(match(network.state_dict(), own, str(source), architecture))
    return network.eval()


def match(
    wanted: Mapping[str, Any], found: Mapping[str, Any], source: str, architecture: str, limit: int = 3
) -> Dict[str, Any]:
    """Check that tensors fit a network.

    Parameters
    ----------
    wanted
        The network's ``state_dict()``.
    found
        Tensors by name.
    source, architecture
        Names of the file and of the network, for the message.
    limit
        Most tensors that the message names.

    Returns
    -------
    dict
        `found`.

    Raises
    ------
    InputError
        If names or shapes are not those of `wanted`, or a tensor is sparse or complex.
    """
    strange = [name for name, tensor in found.items() if str(tensor.layout) != "torch.strided" or tensor.is_complex()]
    missing = [name for name in wanted if name not in found]
    excess = [name for name in found if name not in wanted]
    misshapen = [
        f"{name} is {list(found[name].shape)}, not {list(wanted[name].shape)}"
        for name in wanted
        if name in found and name not in strange and found[name].shape != wanted[name].shape
    ]
    wrong = (
        ("lacks", missing),
        ("has no place for", excess),
        ("has sparse or complex numbers:", strange),
        ("has other shapes:", misshapen),
    )
    for what, names in wrong:
        if names:
            shown = ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")
            whom = architecture if what.startswith("has no") else "the file"
            raise InputError(f"{source}: not the weights of {architecture}: {whom} {what} {shown}")
    return dict(found)


def _numbers() -> list:
    """What NumPy pickles numbers with, none of which runs code: checkpoints store a score or a learning rate so."""
    try:
        from numpy._core.multiarray import scalar
    except ImportError:
        from numpy.core.multiarray import scalar  # type: ignore[no-redef]
    kinds = {type(np.dtype(kind)) for kind in "?bBhHiIlLfd"}
    return [(scalar, "numpy.core.multiarray.scalar"), (scalar, "numpy._core.multiarray.scalar"), np.dtype, *kinds]


def _import(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(f"checkpoints need torch and safetensors ({error}); pip install 'pvtpp[train]'") from None


def _checked_name(path: FilePath) -> Path:
    path = Path(path)
    if path.suffix != ".safetensors":
        raise InputError(f"{path}: weights are written as .safetensors, got {path.suffix or 'no suffix'!r}")
    return path
