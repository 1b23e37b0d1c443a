"""Are capture times what they claim to be? Each is held against the clock where it enters, once, for every way in.

A capture time in another unit, of another clock, from the future, from long ago, or one that stands still makes every
answer wrong while it looks fresh. So such a frame is refused, and the reason is given by name, with what was seen and
what would mend it. Frames that are right again are taken again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Callable, NamedTuple, Optional

from pvtpp.validation import Rule, check, holds

UNITS = (("seconds", 10**9), ("milliseconds", 10**6), ("microseconds", 10**3))
NEAR_NS = 86_400 * 10**9
"""A capture time that comes this near to the clock when it is read in another unit is in that unit."""
NEAR_OTHER_CLOCK_NS = 60 * 10**9
REPEATED = 5
"""As many frames in a row of one capture time are no repetition of a frame any more."""
SECOND = 10**9


class Refusal(NamedTuple):
    """Why a capture time is refused.

    Attributes
    ----------
    kind
        ``unit``, ``clock``, ``future``, ``past``, ``order``, ``duplicate`` or ``repeated``.
    text
        What was seen, what is expected, and what would mend it.
    """

    kind: str
    text: str


def _positive(value: object) -> bool:
    return isinstance(value, (int, float)) and value > 0


SECONDS: Rule = holds("a number of seconds above 0, or infinity", _positive)


@dataclass(frozen=True)
class CaptureTimeConfig:
    """What is taken for a capture time.

    Attributes
    ----------
    ahead_s
        How far it may be ahead of the clock, seconds: clocks of two machines differ a little. Infinity takes any.
    behind_s
        How far it may lie behind the clock, seconds. Infinity takes any.
    """

    ahead_s: float = 0.25
    behind_s: float = 10.0

    def __post_init__(self) -> None:
        check(self, {"ahead_s": SECONDS, "behind_s": SECONDS})


class CaptureTimes:
    """Checks the capture times of one stream.

    Parameters
    ----------
    config
        What is taken.
    monotonic
        The clock that capture times are often of by mistake, nanoseconds.
    """

    def __init__(self, config: Optional[CaptureTimeConfig] = None, monotonic: Callable[[], int] = time.monotonic_ns):
        self.config = config or CaptureTimeConfig()
        self._monotonic = monotonic
        self._newest: Optional[int] = None
        self._repeated = 0

    def refuse(self, capture_ns: int, now_ns: int) -> Optional[Refusal]:
        """Say why a frame is refused; None where it is not, then it is the newest.

        Parameters
        ----------
        capture_ns
            Its capture time, nanoseconds.
        now_ns
            The clock's time on arrival, nanoseconds.
        """
        ahead_s = (capture_ns - now_ns) * 1e-9
        if not -self.config.behind_s <= ahead_s <= self.config.ahead_s:
            return self._implausible(capture_ns, now_ns)
        newest = self._newest
        if newest is not None and capture_ns <= newest:
            return self._not_newer(capture_ns, newest)
        self._newest, self._repeated = capture_ns, 0
        return None

    def _implausible(self, capture_ns: int, now_ns: int) -> Refusal:
        seen = f"capture time {capture_ns} where the clock says {now_ns} ns"
        for unit, scale in UNITS:
            if abs(capture_ns * scale - now_ns) < NEAR_NS:
                return Refusal("unit", f"{seen}: it is in {unit}; give nanoseconds (times {scale})")
        monotonic = self._monotonic()
        if abs(capture_ns - monotonic) < NEAR_OTHER_CLOCK_NS:
            return Refusal(
                "clock",
                f"{seen}: it is of the monotonic clock ({monotonic}); stamp frames by the clock of the live tracker "
                "(time.time_ns), or make it with clock=time.monotonic_ns",
            )
        apart = abs(capture_ns - now_ns) * 1e-9
        if capture_ns > now_ns:
            return Refusal(
                "future",
                f"{seen}: it is {apart:.3f} s ahead, allowed are {self.config.ahead_s:g} s; set the camera's clock "
                "(NTP, PTP), or subtract the difference",
            )
        return Refusal(
            "past",
            f"{seen}: it is {apart:.3f} s behind, allowed are {self.config.behind_s:g} s; set the camera's clock "
            "(NTP, PTP), add the difference, or stop what queues its frames",
        )

    def _not_newer(self, capture_ns: int, newest: int) -> Refusal:
        if capture_ns < newest:
            return Refusal(
                "order",
                f"capture time {capture_ns} comes after {newest}: frames must come in the order of their capture",
            )
        self._repeated += 1
        if self._repeated < REPEATED:
            return Refusal("duplicate", f"capture time {capture_ns} has come before: the frame is a repetition")
        whole = ", in whole seconds: what stamps them drops the fraction" if capture_ns % SECOND == 0 else ""
        return Refusal(
            "repeated",
            f"capture time {capture_ns} stands still for {self._repeated + 1} frames{whole}; stamp each frame when it "
            "is captured",
        )
