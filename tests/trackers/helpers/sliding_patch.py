"""A clip that is easy to follow, whatever the tracker."""

from __future__ import annotations

import cv2
import numpy as np

from pvtpp.tracker import Frame


def clip(frames=6, gone_from=None):
    """A textured patch that slides over smooth ground, and from one frame on is not there any more.

    The frames, of 320 x 240 pixels, and the true boxes, of 40 x 40.
    """
    rng = np.random.default_rng(1)
    ground = cv2.resize(rng.integers(60, 120, (15, 20, 3), dtype=np.uint8), (320, 240))
    patch = cv2.resize(rng.integers(0, 256, (5, 5, 3), dtype=np.uint8), (40, 40), interpolation=cv2.INTER_CUBIC)
    shown, truth = [], []
    for index in range(frames):
        image = ground.copy()
        left, top = 100 + 3 * index, 80 + index
        if gone_from is None or index < gone_from:
            image[top : top + 40, left : left + 40] = patch
        shown.append(Frame(index, index * 33_000_000, image))
        truth.append([left + 20.0, top + 20.0, 40.0, 40.0])
    return shown, np.array(truth)
