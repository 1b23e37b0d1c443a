"""A tracker that goes from one live tracker to the next: it must never be called by two threads."""

from __future__ import annotations

import threading
from typing import Optional

import numpy as np

from pvtpp.tracker import Frame, Tracker, TrackerOutput, checked_output


class HandedOverTracker:
    """A Tracker that is given later, when the live tracker before has let go of it, or when it has been loaded.

    Whoever calls it before that waits: only the tracker thread of one live tracker does. All else of that live tracker
    works meanwhile: it takes frames, propagates and predicts.
    """

    def __init__(self) -> None:
        self._settled = threading.Event()
        self._tracker: Optional[Tracker] = None
        self._error = RuntimeError("there is no tracker")

    def provide(self, tracker: Tracker) -> None:
        """Give the tracker, which nobody else calls from now on. Calls that wait go on."""
        if not self._settled.is_set():
            self._tracker = tracker
            self._settled.set()

    def fail(self, reason: str) -> None:
        """There will be no tracker: calls raise a RuntimeError. Without effect once there is one."""
        if not self._settled.is_set():
            self._error = RuntimeError(reason)
            self._settled.set()

    def init(self, frame: Frame, box: np.ndarray) -> None:
        """As `Tracker.init`."""
        self._given().init(frame, box)

    def track(self, frame: Frame, search_box: Optional[np.ndarray] = None) -> TrackerOutput:
        """As `Tracker.track`."""
        tracker = self._given()
        # Checked here, where the tracker's own name is known.
        return checked_output(tracker, tracker.track(frame, search_box))

    def _given(self) -> Tracker:
        self._settled.wait()
        if self._tracker is None:
            raise self._error
        return self._tracker
