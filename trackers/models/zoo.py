"""All tracker networks by the name of their tracker, with random weights or those of a published checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from pvtpp.errors import InputError
from pvtpp.weights.checkpoint import read_checkpoint
from pvtpp_trackers.models.nanotrack import NanoTrackV3
from pvtpp_trackers.models.parts import SiameseNetwork, load_into, matched
from pvtpp_trackers.models.siammask import SiamMask
from pvtpp_trackers.models.siamrpn import ARCHITECTURES, SiamRPN

MODELS: dict[str, Callable[[], SiameseNetwork]] = {
    "nanotrack-v3": NanoTrackV3,
    **{name: partial(SiamRPN, name) for name in ARCHITECTURES},
    "siammask-resnet50": SiamMask,
}


def create(name: str) -> SiameseNetwork:
    """The network of the tracker `name`, with random weights; InputError for an unknown name."""
    if name not in MODELS:
        raise InputError(f"no network for a tracker called {name!r}; there are {', '.join(MODELS)}")
    return MODELS[name]()


def load(name: str, path: str | Path) -> SiameseNetwork:
    """The network of a tracker with the weights of a published checkpoint, in evaluation mode.

    Parameters
    ----------
    name
        One of `MODELS`.
    path
        The checkpoint.

    Raises
    ------
    InputError
        For an unknown name, a damaged file, one that contains code, and weights of another network; if that is one of
        `MODELS`, the message names it.
    """
    model = create(name)
    try:
        load_into(model, path)
    except InputError:
        other = identify(path)
        if other is None:
            raise
        raise InputError(f"{path}: these are the weights of {other}, not of {name}") from None
    return model


def identify(path: str | Path) -> str | None:
    """Which of `MODELS` the tensors of a checkpoint fit, None if none; InputError for a damaged file."""
    tensors = read_checkpoint(path)
    for name in MODELS:
        # Only names and shapes are needed, and the largest network has 200 MB.
        with torch.device("meta"):
            model = create(name)
        try:
            matched(model, tensors, str(path))
        except InputError:
            continue
        return name
    return None
