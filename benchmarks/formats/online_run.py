"""A run with frames left out: what a tracker answered, for which frames, and when each answer was there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Optional, Sequence

import numpy as np

from pvtpp.errors import InputError
from pvtpp_benchmarks.formats.sequence_boxes import SequenceBoxes, one_time
from pvtpp_benchmarks.pairing import same_time_ns


class Predicted(NamedTuple):
    """Boxes that a predictor gave for frames to come, at most one for each.

    Attributes
    ----------
    frame
        The world frames, shape ``(p,)``, rising.
    xywh
        The boxes ``[left, top, width, height]`` in pixels, shape ``(p, 4)``.
    available_s
        When each was there, seconds after the first frame, shape ``(p,)``.
    """

    frame: np.ndarray
    xywh: np.ndarray
    available_s: np.ndarray


@dataclass(frozen=True)
class OnlineRun:
    """A run of one sequence.

    Attributes
    ----------
    xywh
        The m answers of the tracker, ``[left, top, width, height]`` in pixels, shape ``(m, 4)``. The first is the box
        that was given.
    frame
        The world frame that each is for, shape ``(m,)``, rising.
    available_s
        When each was there, seconds after the first frame, shape ``(m,)``, not decreasing.
    runtime_s
        What each took, seconds, shape ``(m,)``.
    predicted
        What a predictor added.
    horizon
        How many frames it was asked to predict beyond those that were missed (``eta`` in the files).
    source
        Where it comes from, for errors.

    Raises
    ------
    InputError
        For lists of several lengths, numbers that are not finite, and answers out of order; it names the row.
    """

    xywh: np.ndarray
    frame: np.ndarray
    available_s: np.ndarray
    runtime_s: np.ndarray
    predicted: Optional[Predicted] = None
    horizon: int = 0
    source: str = field(default="run", compare=False)

    def __post_init__(self) -> None:
        count = len(self.xywh)
        for name in ("frame", "available_s", "runtime_s"):
            if len(getattr(self, name)) != count:
                raise InputError(f"{self.source}: {len(getattr(self, name))} of {name} for {count} boxes")
        if count == 0:
            raise InputError(f"{self.source}: no boxes, the first is the one that was given")
        self._check("boxes", self.xywh)
        for name in ("available_s", "runtime_s"):
            self._check(name, getattr(self, name), at_least=0.0)
        self._rising("frame", self.frame, strictly=True)
        self._rising("available_s", self.available_s)
        if self.frame[0] != 0:
            raise InputError(f"{self.source}, row 1: frame {int(self.frame[0])}, expected the first, 0")
        if self.predicted is not None:
            self._check("predicted boxes", self.predicted.xywh)
            self._check("times of predictions", self.predicted.available_s, at_least=0.0)

    def _check(self, name: str, values: np.ndarray, at_least: float = -np.inf) -> None:
        fine = np.isfinite(values) & (values >= at_least)
        if not fine.all():
            row = int(np.argwhere(~fine)[0][0])
            allowed = "finite numbers" if at_least < 0 else f"finite numbers from {at_least:g} on"
            raise InputError(f"{self.source}, row {row + 1} of {name}: {values[row].tolist()}, allowed are {allowed}")

    def _rising(self, name: str, values: np.ndarray, strictly: bool = False) -> None:
        steps = np.diff(values)
        wrong = np.flatnonzero(steps <= 0 if strictly else steps < 0)
        if len(wrong):
            row = int(wrong[0]) + 1
            raise InputError(
                f"{self.source}, row {row + 1} of {name}: {values[row].item()} after {values[row - 1].item()}; the "
                "rows are out of order"
            )

    def matched(self, frames: int, fps: float, sigmas: Sequence[float]) -> SequenceBoxes:
        """Match the answers with the world's frames as the published evaluation does.

        For world frame f at permitted latency sigma that is the prediction for f where it was there at
        ``(f + sigma) / fps``, else the newest answer of the tracker that was. The given box counts as there at once.

        Parameters
        ----------
        frames, fps
            How many frames the world has, and how many a second.
        sigmas
            The permitted latencies, world frames.
        """
        due = (np.arange(frames) + np.asarray(sigmas, dtype=np.float64)[:, None]) / fps + same_time_ns(fps) / 1e9
        available = np.concatenate([[0.0], self.available_s[1:]])
        xywh = self.xywh[np.searchsorted(available, due, side="right") - 1]
        if self.predicted is not None:
            inside = self.predicted.frame < frames
            frame = self.predicted.frame[inside]
            there = self.predicted.available_s[inside] <= due[:, frame]
            xywh[:, frame] = np.where(there[..., None], self.predicted.xywh[inside], xywh[:, frame])
        return SequenceBoxes(xywh, one_time(self.runtime_s.mean(), frames), tuple(sigmas), self.source)
