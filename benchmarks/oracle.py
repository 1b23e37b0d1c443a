"""The truth as a tracker: perfect, or wrong by a known amount. Measures predictors and the protocol apart from any tracker."""

from __future__ import annotations

from typing import Optional

import numpy as np

from pvtpp.boxes import as_box, xywh_to_box
from pvtpp.errors import InputError
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp_benchmarks.datasets.sequence import VideoSequence


class Oracle:
    """Answers with the ground truth of each camera frame, plus independent Gaussian noise of relative size `noise`.

    The centre errs by `noise` times width and height, the size by a factor ``exp(noise * normal)``, drawn by frame from
    `seed`: the same error whichever frames are skipped. While the target is absent the last box stands, with score 0.
    """

    def __init__(self, sequence: VideoSequence, noise: float = 0.0, seed: int = 0):
        boxes = xywh_to_box(sequence.ground_truth_xywh[:: sequence.stride])
        if noise:
            error = noise * np.random.default_rng(seed).normal(size=boxes.shape)
            boxes[:, :2] += error[:, :2] * boxes[:, 2:]
            boxes[:, 2:] *= np.exp(error[:, 2:])
        self._boxes = boxes
        self._last: Optional[np.ndarray] = None

    def init(self, frame: Frame, box: np.ndarray) -> None:
        self._last = as_box(box, "first box")

    def track(self, frame: Frame, search_box: Optional[np.ndarray] = None) -> TrackerOutput:
        box = self._boxes[frame.index]
        present = bool(np.isfinite(box).all())
        if present:
            self._last = box
        if self._last is None:
            raise InputError("track() called before init()")
        return TrackerOutput(self._last, float(present))
