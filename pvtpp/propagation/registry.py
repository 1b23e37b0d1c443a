"""What a propagator is, and the names they go by."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Dict, List, Optional, Protocol

import numpy as np

from pvtpp.boxes import ArrayLike
from pvtpp.errors import InputError
from pvtpp.tracker import Frame


@dataclass(frozen=True)
class Carried:
    """A box moved to another frame. `box`: ``[cx, cy, w, h]``, pixels, read-only. `quality` in [0, 1] is how far the images
    support it: 0 means nothing was seen and the box stands as given. `steps`: how many steps had to be measured for it,
    each of which costs time.
    """

    box: np.ndarray
    quality: float
    steps: int


class Propagator(Protocol):
    """Two methods, called by one thread at a time. It knows frames, not targets: a new target needs no reset."""

    def push(self, frame: Frame, region: Optional[ArrayLike]) -> None:
        """Take the newest frame; measure the step to it from the frame before, round `region` (``[cx, cy, w, h]``, pixels,
        where the target is in the frame before). None: keep the frame, measure nothing.

        A frame of the same time as the newest is ignored; an older one is an InputError.
        """

    def carry(self, box: ArrayLike, from_ns: int, to_ns: int) -> Carried:
        """Where the target that was at `box` in the frame captured at `from_ns` is in the one captured at `to_ns`.

        A frame that is not (or no longer) in memory: the box as given, quality 0. `to_ns` before `from_ns`: InputError.
        """


_MODULES: Dict[str, str] = {
    "optical_flow": "pvtpp.propagation.optical_flow:OpticalFlow",
    "none": "pvtpp.propagation.none:NoPropagation",
}


def names() -> List[str]:
    """Every name that `create` takes."""
    return list(_MODULES)


def create(name: str) -> Propagator:
    """A new propagator called `name`. Unknown: InputError with the valid names."""
    if name not in _MODULES:
        raise InputError(f"unknown propagator {name!r}, expected one of: {', '.join(names())}")
    module, _, attribute = _MODULES[name].partition(":")
    propagator: Propagator = getattr(import_module(module), attribute)()
    return propagator
