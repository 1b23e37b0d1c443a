"""A tracker whose loading and whose work the test can stop, and let go on."""

from __future__ import annotations

import threading

from bright_spot import BrightSpot


class Gate:
    """Lets threads through while it is open. `reached`: a thread waits, or has waited. `hung`: one waited too long."""

    def __init__(self):
        self._open, self.reached, self.hung = threading.Event(), threading.Event(), False
        self._open.set()

    def shut(self):
        self._open.clear()

    def open(self):
        self._open.set()

    def go_through(self):
        if not self._open.is_set():
            self.reached.set()
            self.hung |= not self._open.wait(60)


class GatedTracker(BrightSpot):
    """`made`: all that were loaded; the first alone works through a gate. `overlaps`: calls by two threads at once."""

    loading, working = Gate(), Gate()
    made, overlaps = [], 0

    def __init__(self):
        self.loading.go_through()
        self._busy = threading.Lock()
        self.made.append(self)

    def init(self, frame, box):
        with self._alone():
            super().init(frame, box)

    def track(self, frame, search_box=None):
        with self._alone():
            if self is self.made[0]:
                self.working.go_through()
            return super().track(frame, search_box)

    def _alone(self):
        GatedTracker.overlaps += self._busy.locked()
        return self._busy

    @classmethod
    def renew(cls):
        cls.loading, cls.working, cls.made, cls.overlaps = Gate(), Gate(), [], 0
