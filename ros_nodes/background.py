"""Work that may take seconds, done in a thread of its own so that nobody waits for it."""

from __future__ import annotations

import threading
from collections import deque
from typing import Callable, Deque

Job = Callable[[], None]


class BackgroundWorker:
    """Runs jobs one after the other in a thread of its own.

    Parameters
    ----------
    name
        Of the thread.
    on_error
        Called in that thread with what a job raises; the next job is run all the same.
    """

    def __init__(self, name: str, on_error: Callable[[Exception], None]):
        self._on_error = on_error
        self._changed = threading.Condition()
        self._waiting: Deque[Job] = deque()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Run a job after those that wait; one that waits already is not added again. Returns at once."""
        with self._changed:
            if not self._closed and job not in self._waiting:
                self._waiting.append(job)
                self._changed.notify()

    def close(self, timeout: float = 2.0) -> None:
        """Drop the jobs that wait, and wait `timeout` seconds at most for the one that runs."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify()
        self._thread.join(timeout)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return
                job = self._waiting.popleft()
            try:
                job()
            except Exception as error:
                self._on_error(error)
