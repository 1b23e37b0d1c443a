"""Images that are not taken: why, since when and how many; a reason is logged once as long as it lasts."""

from __future__ import annotations

import time
from typing import Callable, Dict, Optional

from pvtpp.core.capture_times import CaptureTimes, Refusal
from pvtpp_ros_nodes.middleware import Middleware

IN_A_ROW = 2
"""A single image with a wrong stamp, as at the turn of a bag, is counted; so many in a row are reported."""
REPEATED = 5
"""A camera may send an image twice; so many in a row are reported."""
QUIET_S = 10.0
"""A reason that has not occurred for so long is logged again, seconds."""
NOT_BEGUN = "ROS time has not begun: /use_sim_time is true, and nobody publishes /clock"
NO_STAMP = "the image has no stamp (0), so nobody knows when it was taken"
NO_INCREASE = "image stamps do not increase"
SIMULATED = (
    "; a bag needs /use_sim_time and `rosbag play --clock` (bag.launch), a live camera needs /use_sim_time false"
)
ADVICE = {
    "clock": "it is of the monotonic clock, which counts from the start; the driver must stamp by ROS time",
    "unit": "it is in another unit ({text}); the driver must stamp in ROS time, seconds and nanoseconds",
}


def why_implausible(capture_ns: int, now_ns: int) -> Optional[str]:
    """Say why a capture time cannot be right; None where it can.

    Parameters
    ----------
    capture_ns
        The image's stamp plus the camera's offset, nanoseconds.
    now_ns
        ROS time, nanoseconds; 0 where simulated time has not begun.
    """
    if now_ns == 0:
        return NOT_BEGUN
    refusal = CaptureTimes().refuse(capture_ns, now_ns)
    return None if refusal is None else _in_words_of_ros(refusal, capture_ns, now_ns)


def why_not_newer(capture_ns: int, newest_ns: int) -> str:
    """Say what is wrong with a capture time that is not after the newest one; both in nanoseconds."""
    if capture_ns < newest_ns:
        return f"{NO_INCREASE}: {capture_ns * 1e-9:.3f} s came after {newest_ns * 1e-9:.3f} s"
    whole = ", in whole seconds: what stamps them drops the fraction" if capture_ns % 10**9 == 0 else ""
    return f"{NO_INCREASE}: they stand still at {capture_ns * 1e-9:.3f} s{whole}; stamp each image when it is captured"


def _in_words_of_ros(refusal: Refusal, capture_ns: int, now_ns: int) -> str:
    ahead = (capture_ns - now_ns) * 1e-9
    seen = f"image stamp {capture_ns * 1e-9:.3f} s is {abs(ahead):.3f} s {'ahead of' if ahead > 0 else 'behind'} "
    seen += f"ROS time {now_ns * 1e-9:.3f} s"
    if refusal.kind in ADVICE:
        return f"{seen}: {ADVICE[refusal.kind].format(text=refusal.text.partition(': it is in ')[2])}"
    limits = CaptureTimes().config
    allowed = f"allowed are {limits.ahead_s:g} s ahead and {limits.behind_s:g} s behind"
    return f"{seen}, {allowed}: set the clock of the camera or of this computer (NTP, PTP){SIMULATED}"


class RefusedImages:
    """Counts refused images.

    Parameters
    ----------
    middleware
        Where reasons are logged.
    image_topic
        Named in texts.
    clock
        Seconds.

    Attributes
    ----------
    count
        How many images were refused since the start.
    in_a_row
        How many since the last one that was taken.
    lasting
        Whether so many were refused in a row that the camera, its clock or its driver is at fault.
    reason
        Of the newest refusal; empty where there was none.
    """

    def __init__(self, middleware: Middleware, image_topic: str, clock: Callable[[], float] = time.monotonic):
        self._middleware, self._topic, self._clock = middleware, image_topic, clock
        self.count = self.in_a_row = 0
        self.lasting = False
        self.reason = ""
        self._last: Optional[float] = None
        # When each kind of reason occurred last.
        self._occurred: Dict[str, float] = {}
        self._reported = False

    def refuse(self, kind: str, reason: str, after: int = IN_A_ROW, log: bool = True) -> None:
        """Count one more.

        Parameters
        ----------
        kind
            Reasons of one kind are one reason, whatever the numbers in them.
        reason
            A sentence.
        after
            So many in a row are reported.
        log
            False where it is logged elsewhere.
        """
        self.count += 1
        self.in_a_row += 1
        self.reason, self._last = reason, self._clock()
        self.lasting = self.in_a_row >= after
        if not (log and self.lasting):
            return
        before, self._occurred[kind] = self._occurred.get(kind), self._last
        if before is None or self._last - before > QUIET_S:
            self._reported = True
            self._middleware.log("error", f"{self._topic}: images are refused: {reason}")

    def taken(self) -> None:
        """Note that an image was taken."""
        if self._reported:
            self._reported = False
            self._middleware.log("info", f"images of {self._topic} are taken again; {self.in_a_row} were refused")
        self.in_a_row, self.lasting = 0, False

    def within(self, seconds: float) -> bool:
        """Say whether an image was refused in the last so many seconds."""
        return self._last is not None and self._clock() - self._last <= seconds
