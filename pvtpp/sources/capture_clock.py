"""When was this frame captured? From what a stream says of its times, and from when its frames arrive.

The best answer is the sender's own clock: RTCP sender reports tie a stream's times to it. It is believed as long as it
can be right: no frame arrives before it was captured. Next best are the times in the stream, which have no common
start with the clock here: the frame that travelled fastest within the last seconds gives it. What is left is a constant
delay that nobody can see from here, the capture offset. Last comes the time of arrival, minus the same offset.
"""

from __future__ import annotations

from typing import NamedTuple, Optional, Tuple

from pvtpp.errors import InputError
from pvtpp.sources.source import Timing

SPAN_NS = 5_000_000_000
"""The fastest frame counts for one to two of these: clocks drift apart by less than a millisecond meanwhile."""
JUMP_NS = 1_000_000_000
"""A stream whose time leaps by this much more or less than the clock's begins anew."""
DRIFT = 0.02
"""A stream whose fastest frames come later and later, or earlier, by this share has times of another pace."""
DRIFTS = 3
"""After so many spans of such drift its times are given up."""
EARLY_NS = 5_000_000
"""So much may a sender's clock be ahead of the clock here: two that NTP keeps differ by less."""
LATE_NS = 10_000_000_000
"""A sender's clock further behind is not that of a live stream."""
LARGEST_OFFSET_S = 5.0


class Arrival(NamedTuple):
    """What is known of a frame's times, nanoseconds.

    Attributes
    ----------
    arrived_ns
        When it came, by `time.time_ns`.
    stream_ns
        Its time in the stream, from any start; None where it has none that means anything.
    sent_ns
        Its capture by the clock of the sender or the driver, as of `time.time_ns`; None where that is not known.
    """

    arrived_ns: int
    stream_ns: Optional[int] = None
    sent_ns: Optional[int] = None


class CaptureClock:
    """Turns arrivals into capture times, which always increase and never lie after the arrival.

    Parameters
    ----------
    offset_s
        The capture offset: how long before its known time a frame was captured, seconds.
    sender
        What a sender's clock is called: RTCP or DRIVER.

    Attributes
    ----------
    timing
        How the newest capture time is known.
    problem
        Why better times are not believed; None where they are. It stays until `restart`.

    Raises
    ------
    InputError
        For an offset that cannot be.
    """

    def __init__(self, offset_s: float = 0.0, sender: Timing = Timing.RTCP):
        if not 0 <= offset_s <= LARGEST_OFFSET_S:
            raise InputError(
                f"--capture-offset is {offset_s:g}, allowed is 0 to {LARGEST_OFFSET_S:g}: seconds from the capture of "
                "a frame to its arrival (ROS's ~capture_offset has the other sign)"
            )
        self._offset_ns = round(offset_s * 1e9)
        self._sender = sender
        self._last_ns: Optional[int] = None
        self.timing = Timing.ARRIVAL
        self.restart()

    def restart(self) -> None:
        """Begin anew after a new connection; capture times still increase."""
        self._start = StreamStart()
        self._believes_sender = True
        self.problem: Optional[str] = None

    def captured(self, arrival: Arrival) -> int:
        """Return the capture time of the next frame, nanoseconds by `time.time_ns`."""
        known, self.timing = self._known(arrival)
        t_ns = min(known, arrival.arrived_ns) - self._offset_ns
        # A faster frame than all before moves the start of the stream's times back.
        self._last_ns = t_ns if self._last_ns is None else max(t_ns, self._last_ns + 1)
        return self._last_ns

    def _known(self, arrival: Arrival) -> Tuple[int, Timing]:
        arrived = arrival.arrived_ns
        start = None if arrival.stream_ns is None else self._start.add(arrived, arrival.stream_ns)
        if arrival.sent_ns is not None and self._believes_sender:
            late = arrived - arrival.sent_ns
            if -EARLY_NS <= late <= LATE_NS:
                return arrival.sent_ns, self._sender
            self._believes_sender = False
            how = "before it was captured" if late < 0 else "after its capture"
            self.problem = (
                f"by the sender's clock a frame came {abs(late) * 1e-9:.3f} s {how}: the clocks of the two machines "
                "differ (NTP, PTP); its times are not used"
            )
        if start is not None and arrival.stream_ns is not None:
            return arrival.stream_ns + start, Timing.STREAM
        if arrival.stream_ns is not None and self.problem is None:
            self.problem = "the times in the stream do not keep pace with the clock; they are not used"
        return arrived, Timing.ARRIVAL


class StreamStart:
    """By the clock here, when was the stream's time 0? As early as its fastest frames of the last seconds say."""

    def __init__(self) -> None:
        self._drifts = 0
        self._seen: Optional[Tuple[int, int]] = None
        self._since: Optional[int] = None
        self._least: Optional[int] = None
        self._least_before: Optional[int] = None

    def add(self, arrived_ns: int, stream_ns: int) -> Optional[int]:
        """Take a frame; return the start, nanoseconds, None where the times of the stream are no real times."""
        if abs(self._drifts) >= DRIFTS:
            return None
        start = arrived_ns - stream_ns
        if self._seen is not None:
            before_arrived, before_stream = self._seen
            if stream_ns <= before_stream or abs(start - (before_arrived - before_stream)) > JUMP_NS:
                self._begin()
        self._seen = arrived_ns, stream_ns
        if self._since is None or arrived_ns < self._since:
            self._since = arrived_ns
        elif arrived_ns - self._since >= SPAN_NS:
            self._next_span(arrived_ns)
        self._least = start if self._least is None else min(self._least, start)
        return self._least if self._least_before is None else min(self._least, self._least_before)

    def _begin(self) -> None:
        self._seen = self._since = self._least = self._least_before = None

    def _next_span(self, arrived_ns: int) -> None:
        if self._least is not None and self._least_before is not None:
            drift = self._least - self._least_before
            if abs(drift) <= DRIFT * SPAN_NS:
                self._drifts = 0
            else:
                way = 1 if drift > 0 else -1
                self._drifts = self._drifts + way if self._drifts * way >= 0 else way
        self._since, self._least_before, self._least = arrived_ns, self._least, None
