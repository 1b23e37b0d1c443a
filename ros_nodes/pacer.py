"""A steady rate: every call has its own deadline, so a late one does not push the next."""

from __future__ import annotations

import threading
import time
from typing import Callable


class Pacer:
    """Calls a function at a steady rate, in a thread of its own, until `stop`. Deadlines that have passed are left out.

    Parameters
    ----------
    work
        What is called.
    rate
        How often, Hz.
    name
        Of the thread.
    on_error
        Called with what `work` raises; the next call is made all the same.

    Attributes
    ----------
    missed
        How many deadlines were left out.
    """

    def __init__(self, work: Callable[[], None], rate: float, name: str, on_error: Callable[[Exception], None]):
        self._work, self._period, self._on_error = work, 1.0 / rate, on_error
        self._over = threading.Event()
        self.missed = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """End the thread; waits `timeout` seconds at most for the call that runs."""
        self._over.set()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def _run(self) -> None:
        begin, number = time.perf_counter(), 0
        while True:
            number += 1
            left = begin + number * self._period - time.perf_counter()
            if left < -self._period:
                skipped = int(-left / self._period)
                self.missed += skipped
                number += skipped
                left += skipped * self._period
            # On an event, as on a condition, Python waits as precisely as it sleeps, and can be woken.
            if self._over.wait(max(left, 0)):
                return
            try:
                self._work()
            except Exception as error:
                self._on_error(error)
