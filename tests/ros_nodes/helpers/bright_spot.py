"""A tracker for tests: the target is what is white. No white, no target; takes `SPOT_MS` milliseconds a frame."""

from __future__ import annotations

import os
import time

import numpy as np

from pvtpp.tracker import TrackerOutput


class BrightSpot:
    def init(self, frame, box):
        frame.image  # noqa: B018 - as every tracker, it cannot start on an image that does not decode
        self.box = np.array(box, dtype=np.float64)

    def track(self, frame, search_box=None):
        time.sleep(float(os.environ.get("SPOT_MS", "5")) * 1e-3)
        rows, columns = np.nonzero((frame.image > 230).all(axis=2))
        if not len(rows):
            return TrackerOutput(self.box, 0.0)
        self.box = np.array([columns.mean() + 0.5, rows.mean() + 0.5, *self.box[2:]])
        return TrackerOutput(self.box, 0.9)
