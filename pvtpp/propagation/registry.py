"""The protocol of a propagator, and the names under which propagators are created."""

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
    """A box moved to another frame.

    Attributes
    ----------
    box
        Shape ``(4,)``, ``[cx, cy, w, h]`` in pixels, read-only.
    quality
        How well the images support it, in [0, 1]; 0 means that nothing was seen and the box is the one given.
    steps
        Number of steps that were measured for it, each of which costs time.
    """

    box: np.ndarray
    quality: float
    steps: int


class Propagator(Protocol):
    """Keeps recent frames and moves boxes between them. It knows no target, so a new one needs no reset.

    It is called by one thread at a time.
    """

    def push(self, frame: Frame, region: Optional[ArrayLike]) -> None:
        """Take the newest frame, and measure the step to it from the frame before.

        Parameters
        ----------
        frame
            The frame. One with the time of the newest frame is ignored.
        region
            Where the target is in the frame before, ``[cx, cy, w, h]`` in pixels: the step is measured around it. None
            keeps the frame without measuring.

        Raises
        ------
        InputError
            If the frame is older than the newest one, or the region is no box.
        """

    def carry(self, box: ArrayLike, from_ns: int, to_ns: int) -> Carried:
        """Move a box from the frame captured at `from_ns` to the frame captured at `to_ns`.

        Where a frame is not in memory, or no longer, the answer is the box as given, with quality 0.

        Raises
        ------
        InputError
            If `to_ns` is before `from_ns`, or `box` is no box.
        """


_MODULES: Dict[str, str] = {
    "optical_flow": "pvtpp.propagation.optical_flow:OpticalFlow",
    "none": "pvtpp.propagation.none:NoPropagation",
}


def names() -> List[str]:
    """Every name that `create` takes."""
    return list(_MODULES)


def create(name: str) -> Propagator:
    """Create the propagator called `name`; an unknown name raises InputError with the valid ones."""
    if name not in _MODULES:
        raise InputError(f"unknown propagator {name!r}, expected one of: {', '.join(names())}")
    module, _, attribute = _MODULES[name].partition(":")
    propagator: Propagator = getattr(import_module(module), attribute)()
    return propagator
