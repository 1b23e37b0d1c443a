"""The one shape that every format of result files is read into and written from: the boxes of one sequence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional, Tuple

import numpy as np

from pvtpp.errors import InputError


@dataclass(frozen=True)
class SequenceBoxes:
    """Boxes of one tracker on one sequence: one for each frame, several times over where there are repetitions.

    Attributes
    ----------
    xywh
        Boxes ``[left, top, width, height]`` in pixels, shape ``(k, n, 4)`` for k repetitions of n frames; shape
        ``(n, 4)`` is one. A row of four NaN is a frame in which the target was not found.
    seconds
        The time spent on each frame, shape ``(r, n)`` for any number of repetitions; None where nobody said. NaN where
        one frame's is not known.
    sigmas
        Where these are answers that were matched with the world's frames already: the permitted latency of each of the
        k, world frames. None for what a tracker answered for each frame, before any latency.
    source
        Where they come from, for errors.

    Raises
    ------
    InputError
        For other shapes, times below 0, and a row in which only some numbers are finite; it names the row.
    """

    xywh: np.ndarray
    seconds: Optional[np.ndarray] = None
    sigmas: Optional[Tuple[float, ...]] = None
    source: str = field(default="boxes", compare=False)

    def __post_init__(self) -> None:
        xywh = np.asarray(self.xywh, dtype=np.float64)
        xywh = xywh[None] if xywh.ndim == 2 else xywh
        if xywh.ndim != 3 or xywh.shape[2] != 4 or 0 in xywh.shape:
            raise InputError(
                f"{self.source}: boxes have shape {np.shape(self.xywh)}, expected (frames, 4) or (repetitions, frames, "
                "4) with at least one frame"
            )
        object.__setattr__(self, "xywh", xywh)
        finite = np.isfinite(xywh)
        if not finite.all():
            bad = np.argwhere(~(finite.all(axis=2) | np.isnan(xywh).all(axis=2)))
            if len(bad):
                raise InputError(
                    f"{self.source}, row {bad[0][1] + 1}: {xywh[tuple(bad[0])].tolist()} is not four finite numbers, "
                    "nor four NaN for a target that was not found"
                )
        if self.seconds is not None:
            seconds = np.asarray(self.seconds, dtype=np.float64)
            seconds = seconds[None] if seconds.ndim == 1 else seconds
            if seconds.ndim != 2 or len(seconds) == 0 or seconds.shape[1] != xywh.shape[1]:
                raise InputError(f"{self.source}: times of {seconds.shape[-1]} frames for boxes of {xywh.shape[1]}")
            if (seconds < 0).any() or np.isinf(seconds).any():
                row = int(np.argwhere((seconds < 0) | np.isinf(seconds))[0][1])
                raise InputError(
                    f"{self.source}, row {row + 1} of its times: {seconds[:, row].tolist()}, allowed is 0 or more "
                    "seconds"
                )
            object.__setattr__(self, "seconds", seconds)
        if self.sigmas is not None and len(self.sigmas) != len(xywh):
            raise InputError(f"{self.source}: {len(self.sigmas)} permitted latencies for {len(xywh)} sets of boxes")

    @property
    def frames(self) -> int:
        """The number of frames n."""
        return int(self.xywh.shape[1])

    def at(self, sigma: float) -> SequenceBoxes:
        """Return the boxes at one permitted latency alone; InputError where it is not among `sigmas`."""
        there = np.asarray(self.sigmas if self.sigmas is not None else ())
        near = np.flatnonzero(np.abs(there - sigma) < 1e-9)
        if not len(near):
            raise InputError(f"{self.source}: no boxes at permitted latency {sigma:g}, there are {there.tolist()}")
        return SequenceBoxes(self.xywh[near[0]], self.seconds, None, self.source)


def one_time(seconds: float, frames: int) -> np.ndarray:
    """Return the same time for each of so many frames, shape ``(1, frames)``."""
    return np.full((1, frames), float(seconds))
