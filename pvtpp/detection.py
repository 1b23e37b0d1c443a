"""A user's own detector as a help in finding a lost target: where in a frame there is something of its kind."""

from __future__ import annotations

from typing import Callable, NamedTuple, Tuple

import numpy as np

from pvtpp.boxes import ArrayLike, as_box
from pvtpp.errors import InputError
from pvtpp.tracker import Frame

Detector = Callable[[Frame], Tuple[ArrayLike, ArrayLike]]
"""Given a frame, returns candidates: boxes ``[cx, cy, w, h]`` in pixels, shape ``(n, 4)``, and n scores in [0, 1]."""


class Detections(NamedTuple):
    """What a detector found in one frame, best first.

    Attributes
    ----------
    boxes
        Shape ``(n, 4)``, ``[cx, cy, w, h]``, pixels.
    scores
        Shape ``(n,)``, in [0, 1], falling.
    """

    boxes: np.ndarray
    scores: np.ndarray


def detect(detector: Detector, frame: Frame) -> Detections:
    """Ask a detector for candidates in a frame.

    Raises
    ------
    InputError
        For an answer that is not boxes and as many scores in [0, 1].
    """
    answer = detector(frame)
    try:
        boxes, scores = (np.asarray(each, dtype=np.float64) for each in answer)
        boxes, scores = boxes.reshape(-1, 4) if boxes.size == 0 else boxes, scores.reshape(-1)
        if boxes.ndim != 2 or boxes.shape[1] != 4 or len(boxes) != len(scores):
            raise ValueError(f"{boxes.shape} boxes and {scores.shape} scores")
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{frame.source}: the detector's answer is not boxes (n, 4) and scores (n,): {error}"
        ) from None
    for number, box in enumerate(boxes):
        as_box(box, f"{frame.source}: the detector's box {number}")
    if not np.all((scores >= 0) & (scores <= 1)):
        raise InputError(f"{frame.source}: the detector's scores are {scores.tolist()}, allowed are 0 to 1")
    order = np.argsort(-scores, kind="stable")
    return Detections(boxes[order], scores[order])
