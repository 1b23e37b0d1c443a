"""Recorded boxes as a tracker: any result file can be scored without running its tracker again."""

from __future__ import annotations

from typing import Optional

import numpy as np

from pvtpp.boxes import ArrayLike, as_box, xywh_to_box
from pvtpp.errors import InputError
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp_trackers.registry import register


@register("replay")
class ReplayTracker:
    """Answers frame i with row i of the recorded boxes.

    A row that is no box (NaN, or without area) counts as not found: the last box before it, with score 0. Images and
    `search_box` are not read.

    Parameters
    ----------
    xywh_boxes
        ``(frames, 4)``, ``[left, top, w, h]`` in pixels.

    Raises
    ------
    InputError
        For another shape.
    """

    takes_search_box = False

    def __init__(self, xywh_boxes: ArrayLike):
        try:
            rows = np.array(xywh_boxes, dtype=np.float64)
        except (TypeError, ValueError):
            raise InputError("replay: xywh_boxes are not all numbers") from None
        if rows.ndim != 2 or rows.shape[1] != 4 or len(rows) == 0:
            raise InputError(f"replay: xywh_boxes has shape {rows.shape}, expected (frames, 4) with at least one frame")
        self._boxes = xywh_to_box(rows)
        is_box = np.isfinite(rows) & (rows > [-np.inf, -np.inf, 0, 0])
        self._found = np.logical_and.reduce(is_box, axis=1)
        # For each row the last row up to it that holds a box, -1 where there is none yet.
        self._newest = np.maximum.accumulate(np.where(self._found, np.arange(len(rows)), -1))
        self._first: Optional[np.ndarray] = None

    def init(self, frame: Frame, box: ArrayLike) -> None:
        """Reset; `box` is the answer until the first row that holds a box."""
        self._first = as_box(box, "first box")

    def track(self, frame: Frame, search_box: Optional[ArrayLike] = None) -> TrackerOutput:
        """The recorded box of the frame; InputError for a frame beyond the last row."""
        if self._first is None:
            raise InputError("track() called before init()")
        if not 0 <= frame.index < len(self._boxes):
            raise InputError(f"replay: frame index {frame.index} is outside the {len(self._boxes)} recorded rows")
        newest = int(self._newest[frame.index])
        box = self._first if newest < 0 else self._boxes[newest]
        return TrackerOutput(box, 1.0 if self._found[frame.index] else 0.0)
