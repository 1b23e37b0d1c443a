"""A clock that may be set while one works: time goes on without a jump, and each jump is known.

A system's clock is set back or forward by NTP, by hand, or at the first fix of GPS on a board without a battery.
Inside, time goes on as if nothing had happened (`now`); what comes in and goes out is converted (`inside`, `outside`).
"""

from __future__ import annotations

import threading
import time
from typing import Callable, NamedTuple, Optional

BACK_NS = 20_000_000
"""A clock that goes back by less is not set: threads read it at about the same time."""
JUMP_NS = 500_000_000
"""A clock that goes forward by this much more than the time that has passed was set."""
STEADY_NS = 300_000_000
"""A clock that has kept pace with real time for so long was set where it jumps forward; others go at their own pace."""
OLD_STAMPS_NS = 1_000_000_000
"""So long after the clock was set back, frames may still come that were stamped before."""
PACE = 0.1
"""Share by which a clock in step with real time may differ from it."""


class Step(NamedTuple):
    """The clock was set at `t_ns` (inside) by `by_ns`: above 0 forward."""

    t_ns: int
    by_ns: int


class SessionClock:
    """Reads `clock` (integer nanoseconds); its methods may be called from any thread.

    A clock that was never in step with real time, such as one that a simulation sets, may jump forward at will; only
    when it goes back it was set.
    """

    def __init__(self, clock: Callable[[], int] = time.time_ns, real: Callable[[], int] = time.monotonic_ns):
        self._clock, self._real = clock, real
        self._lock = threading.Lock()
        self._shift = 0
        self._newest: Optional[int] = None
        # The last reading of both clocks, and since when they have kept pace.
        self._read: Optional[int] = None
        self._real_read = 0
        self._steady_ns = 0
        self._step: Optional[Step] = None
        # When the clock was last set, inside, and the shift before.
        self._set_ns: Optional[int] = None
        self._shift_before = 0

    def now(self) -> int:
        """Return the time inside: it never goes back, and does not jump where the clock was set."""
        with self._lock:
            return self._advance()

    def step(self) -> Optional[Step]:
        """Return the newest step of the clock that was not returned before; None where there was none."""
        with self._lock:
            step, self._step = self._step, None
            return step

    @property
    def shifted(self) -> bool:
        """Whether the clock was ever set, so that times inside differ from its own."""
        return self._shift != 0

    def inside(self, t_ns: int) -> int:
        """Convert a time of the clock as it is set now."""
        return t_ns + self._shift

    def captured(self, t_ns: int, newest_ns: Optional[int]) -> int:
        """Convert the capture time of a frame that arrives now.

        Where the clock was just set back, and the time would be ahead of it by more than it would otherwise be behind,
        the frame was stamped before.

        Parameters
        ----------
        t_ns
            By the camera's stamp.
        newest_ns
            Inside, of the frame before; None for the first.
        """
        with self._lock:
            now = self._advance()
            inside, before = t_ns + self._shift, t_ns + self._shift_before
            just_set = self._set_ns is not None and now - self._set_ns < OLD_STAMPS_NS
            stamped_before = just_set and inside - now > now - before >= 0
            return before if stamped_before and (newest_ns is None or before > newest_ns) else inside

    def outside(self, t_ns: int) -> int:
        """Convert a time inside to one of the clock as it is set now."""
        return t_ns - self._shift

    def _advance(self) -> int:
        read, real = int(self._clock()), self._real()
        if self._read is not None:
            passed, real_passed = read - self._read, real - self._real_read
            off = abs(passed - real_passed) > max(PACE * real_passed, BACK_NS)
            set_back = passed < -BACK_NS
            set_forward = passed - real_passed > JUMP_NS and self._steady_ns > STEADY_NS
            if set_back or set_forward:
                by = passed - max(real_passed if self._steady_ns > STEADY_NS else 0, 0)
                self._shift_before = self._shift
                self._shift -= by
                self._step = Step(read + self._shift, by)
                self._set_ns = read + self._shift
            elif off:
                self._steady_ns = 0
            else:
                self._steady_ns += real_passed
        self._read, self._real_read = read, real
        now = read + self._shift
        self._newest = now if self._newest is None else max(now, self._newest)
        return self._newest
