"""TIMESYNC: requests are answered with our time, and our own measure how long the link takes.

The protocol is version 1 or 2 of the time synchronisation of MAVLink: a request has ``tc1`` 0 and the time of who asks
in ``ts1``; the answer repeats that and has the time of who answers in ``tc1``.
"""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import Any, Deque, List, Optional

KEPT = 15
"""The median of so many round trips counts."""
LONGEST_NS = 5_000_000_000
"""An answer that takes longer is not waited for."""


class TimeSync:
    """Answers and measures. No clock, no I/O.

    Parameters
    ----------
    common
        The dialect's messages.
    """

    def __init__(self, common: Any):
        self._common = common
        self._asked: Deque[int] = deque(maxlen=KEPT)
        self._round_trips: Deque[int] = deque(maxlen=KEPT)

    @property
    def delay_s(self) -> Optional[float]:
        """Half of the round trip, median of the last ones, seconds; None as long as nobody has answered."""
        return median(self._round_trips) * 0.5e-9 if self._round_trips else None

    def request(self, now_ns: int) -> Any:
        """Return a request."""
        self._asked.append(now_ns)
        return self._common.MAVLink_timesync_message(0, now_ns)

    def received(self, message: Any, now_ns: int) -> List[Any]:
        """Answer a request; take in the answer to one of ours. Answers to others are ignored."""
        if message.tc1 == 0:
            # 0 would make the answer a request.
            return [self._common.MAVLink_timesync_message(now_ns or 1, message.ts1)]
        if message.ts1 in self._asked and 0 <= now_ns - message.ts1 <= LONGEST_NS:
            self._asked.remove(message.ts1)
            self._round_trips.append(now_ns - message.ts1)
        return []
