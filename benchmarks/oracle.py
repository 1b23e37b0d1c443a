"""The ground truth as a tracker, exact or with a known error: it tests predictors apart from any real tracker."""

from __future__ import annotations

from typing import Optional

import numpy as np

from pvtpp.boxes import as_box, xywh_to_box
from pvtpp.errors import InputError
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp_benchmarks.datasets.sequence import VideoSequence


class Oracle:
    """A tracker that answers with the ground truth of each camera frame, plus independent Gaussian noise.

    While the target is absent, the answer is the last box with score 0.

    Parameters
    ----------
    sequence
        The sequence that is tracked.
    noise
        Standard deviation of the error: of the centre relative to width and height, of the size in its logarithm.
    seed
        Seed of the noise. It is drawn for all frames at once, so a frame's error does not depend on skipped frames.
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
        """Start a run; `box` is the answer until a frame shows the target."""
        self._last = as_box(box, "first box")

    def track(self, frame: Frame, search_box: Optional[np.ndarray] = None) -> TrackerOutput:
        """Answer for camera frame ``frame.index``; the image and `search_box` are ignored."""
        box = self._boxes[frame.index]
        present = bool(np.isfinite(box).all())
        if present:
            self._last = box
        if self._last is None:
            raise InputError("track() called before init()")
        return TrackerOutput(self._last, float(present))
