"""How the node fares: one message on /diagnostics a second, and a line in the log when images stop or come back."""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional, Tuple

from pvtpp.live.live_tracker import LiveTracker
from pvtpp.tracker import Frame
from pvtpp_ros_nodes import conversions
from pvtpp_ros_nodes.config import NodeConfig
from pvtpp_ros_nodes.middleware import Middleware, ThrottledLog
from pvtpp_ros_nodes.refused import RefusedImages
from pvtpp_ros_nodes.stamp_gaps import StampGaps, noticed

OK, WARN, ERROR = range(3)
"""As diagnostic_msgs/DiagnosticStatus has them."""
CLOCK_SET_S = 10.0
"""For how long /diagnostics says that the clock was set, seconds."""
NAMES = {value: name for name, value in conversions.STATUS.items()}


class Report(NamedTuple):
    """One entry of /diagnostics.

    Attributes
    ----------
    name
        Of the entry.
    level
        OK, WARN or ERROR.
    text
        A sentence.
    values
        Figures by name.
    """

    name: str
    level: int
    text: str
    values: Mapping[str, Any]


class Health:
    """Counts what the live tracker cannot know: images that never reached it, and since when there are none.

    Parameters
    ----------
    config
        Of the node.
    middleware
        Where /diagnostics and the log go.
    log
        For what would be logged every second.
    image_topic
        Named in texts.
    clock
        Seconds; says for how long no images came.

    Attributes
    ----------
    config
        Of the node; replaced where parameters change.
    refused
        The images that were not taken, and why.
    gaps
        The images that are missing between those that came.
    """

    def __init__(
        self,
        config: NodeConfig,
        middleware: Middleware,
        log: ThrottledLog,
        image_topic: str,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.config, self._middleware, self._log = config, middleware, log
        self._topic, self._clock = image_topic, clock
        self.refused = RefusedImages(middleware, image_topic, clock)
        self._clock_set: Optional[Tuple[float, str]] = None
        self._last: Optional[float] = None
        self._begun = self._clock()
        self._silent = False
        self._age_ns = 0
        self.gaps = StampGaps(config.silent_s)
        self._lossy = False

    def image_arrived(self) -> None:
        """Take note of an image, whether it is taken or not: the camera is not silent."""
        self._last = self._clock()
        if self._silent:
            self._silent = False
            self._middleware.log("info", f"images arrive on {self._topic} again")

    def image_taken(self, age_ns: int) -> None:
        """Take note of an image that was taken.

        Parameters
        ----------
        age_ns
            ROS time minus its stamp, nanoseconds.
        """
        self._age_ns = age_ns
        self.image_arrived()
        self.refused.taken()

    def clock_set(self, text: str) -> None:
        """Take note that ROS time was set, and how."""
        self._clock_set = self._clock(), text

    def publish(
        self, live: LiveTracker, newest: Optional[Frame], status: int, missed: int, other: Optional[Report] = None
    ) -> None:
        """Publish one message on ``/diagnostics``.

        Parameters
        ----------
        live
            The live tracker.
        newest
            The newest frame, if there is one.
        status
            A constant of Target.msg.
        missed
            How many publications of the target were left out.
        other
            Another entry of the message.
        """
        now_ns = self._middleware.now_ns()
        level, text = self._condition(live, status, now_ns)
        array = self._middleware.message("diagnostic_msgs/DiagnosticArray")
        conversions.set_stamp(array.header.stamp, now_ns)
        own = Report("pvtpp: tracking", level, text, self._values(live, newest, now_ns, status, missed))
        array.status = [self._entry(report) for report in (own, other) if report is not None]
        self._middleware.publish("diagnostics", array)

    def _entry(self, report: Report) -> Any:
        entry = self._middleware.message("diagnostic_msgs/DiagnosticStatus")
        entry.level = {OK: entry.OK, WARN: entry.WARN, ERROR: entry.ERROR}[report.level]
        entry.name, entry.message, entry.hardware_id = report.name, report.text, self.config.tracker
        entry.values = [self._pair(key, value) for key, value in report.values.items()]
        return entry

    def _condition(self, live: LiveTracker, status: int, now_ns: int) -> Tuple[int, str]:
        """Level and text, the worst first."""
        if live.paused:
            return OK, "paused: no images are taken in"
        refused, silent_s = self.refused, self.config.silent_s
        lossy = self._loss()
        if refused.within(silent_s) and (refused.lasting or (refused.in_a_row and self._last is None)):
            return ERROR, f"images on {self._topic} are refused: {refused.reason}"
        since = self._clock() - (self._begun if self._last is None else self._last)
        if since > silent_s and not refused.within(silent_s):
            if not self._silent:
                self._silent = True
                self._middleware.log("warning", f"no image on {self._topic} for {since:.1f} s")
            return ERROR, f"no image on {self._topic} for {since:.1f} s"
        if live.stalled:
            return ERROR, "the tracker hangs"
        if self._clock_set is not None and self._clock() - self._clock_set[0] <= CLOCK_SET_S:
            return WARN, self._clock_set[1]
        if self._age_ns < 0:
            text = (
                f"images carry stamps {-self._age_ns * 1e-6:.1f} ms in the future: the clocks of camera and node differ"
            )
            self._log.log("warning", text, "future")
            return WARN, text
        if refused.within(silent_s):
            return WARN, f"some images on {self._topic} are refused: {refused.reason}"
        level, text = self._target_condition(live, status, now_ns)
        return (WARN, lossy) if lossy and level == OK else (level, text)

    def _loss(self) -> str:
        """Say what is lost, where that is much; the log says so when it begins and when it ends."""
        found = self.gaps.lost()
        lossy = found is not None and noticed(found)
        text = ""
        if found is not None and lossy:
            text = f"{found.lost} of {found.sent} images on {self._topic} were lost on the way ({found.hz:.1f} Hz)"
        if lossy != self._lossy:
            self._lossy = lossy
            if lossy:
                self._middleware.log("warning", f"{text}; {self._middleware.LOSS_ADVICE}")
            else:
                self._middleware.log("info", f"images on {self._topic} are not lost any more")
        return text

    def _target_condition(self, live: LiveTracker, status: int, now_ns: int) -> Tuple[int, str]:
        if not live.active:
            return OK, "no target"
        if status not in (conversions.LOST, conversions.UNCERTAIN):
            return OK, "tracking"
        prediction = live.predict(now_ns)
        age = "" if prediction is None else f", the newest evidence is {prediction.age:.1f} s old"
        if status == conversions.LOST:
            return WARN, f"the target is lost and searched for{age}"
        return OK, f"tracking, uncertain: the newest results are doubtful, old or imprecise{age}"

    def _values(
        self, live: LiveTracker, newest: Optional[Frame], now_ns: int, status: int, missed: int
    ) -> Dict[str, Any]:
        values: Dict[str, Any] = {"status": NAMES[status]}
        if newest is not None:
            values["image age (ms)"] = f"{(now_ns - newest.t_ns) * 1e-6:.1f}"
        prediction = live.predict(now_ns)
        if prediction is not None:
            values["evidence age (ms)"] = f"{prediction.age * 1e3:.1f}"
            values["horizon (ms)"] = f"{(prediction.age + self.config.lead_time) * 1e3:.1f}"
        for stage, times in live.times.summary().items():
            values[f"{stage} median, p95 (ms)"] = f"{times.median * 1e3:.2f}, {times.p95 * 1e3:.2f}"
        values.update(live.counts)
        config, found = self.config, self.gaps.lost()
        if found is not None:
            values["camera rate (Hz)"] = f"{found.hz:.1f}"
            values["images lost on the way"] = f"{found.lost} of the last {found.sent}"
        values.update(
            {"images refused": self.refused.count, "publications missed": missed, "predictor": config.predictor}
        )
        if self.refused.reason:
            values["last refusal"] = self.refused.reason
        values["engine"] = config.backend or "by the kind of the weights' file"
        return values

    def _pair(self, key: str, value: Any) -> Any:
        pair = self._middleware.message("diagnostic_msgs/KeyValue")
        pair.key, pair.value = key, str(value)
        return pair
