"""A steady rate: every call has its own deadline, so a late one does not delay the next."""

from __future__ import annotations

import threading
import time
from typing import Callable


class Deadlines:
    """Deadlines at a steady rate.

    Parameters
    ----------
    begin_s
        A time one period before the first deadline, seconds.
    period_s
        Seconds between two deadlines.

    Attributes
    ----------
    missed
        How many deadlines had passed before anybody waited for them.
    """

    def __init__(self, begin_s: float, period_s: float):
        self._begin_s, self._period_s = begin_s, period_s
        self._number = self.missed = 0

    def wait_s(self, now_s: float) -> float:
        """Go on to the next deadline; those that have passed by a whole period are left out.

        Parameters
        ----------
        now_s
            The time, seconds.

        Returns
        -------
        float
            How many seconds are left until then, 0 or more.
        """
        self._number += 1
        left = self._begin_s + self._number * self._period_s - now_s
        if left < -self._period_s:
            skipped = int(-left / self._period_s)
            self.missed += skipped
            self._number += skipped
            left += skipped * self._period_s
        return max(left, 0.0)


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
    """

    def __init__(self, work: Callable[[], None], rate: float, name: str, on_error: Callable[[Exception], None]):
        self._work, self._on_error = work, on_error
        self._over = False
        self._woken = threading.Event()
        self._deadlines = Deadlines(time.perf_counter(), 1.0 / rate)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def missed(self) -> int:
        """How many deadlines were left out."""
        return self._deadlines.missed

    def set_rate(self, rate: float) -> None:
        """Go on at another rate, Hz, from now on."""
        deadlines = Deadlines(time.perf_counter(), 1.0 / rate)
        deadlines.missed = self._deadlines.missed
        self._deadlines = deadlines
        self._woken.set()

    def stop(self, timeout: float = 2.0) -> None:
        """End the thread; waits `timeout` seconds at most for the call that runs."""
        self._over = True
        self._woken.set()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def _run(self) -> None:
        # On an event, as on a condition, Python waits as precisely as it sleeps, and can be woken.
        while not self._over:
            if self._woken.wait(self._deadlines.wait_s(time.perf_counter())):
                # It was ended, or has another rate.
                self._woken.clear()
                continue
            try:
                self._work()
            except Exception as error:
                self._on_error(error)
