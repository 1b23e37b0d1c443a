"""How the node fares: one line of /diagnostics a second, and a word in the log when the images stop or come back."""

from __future__ import annotations

import time
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

from pvtpp.live.live_tracker import LiveTracker
from pvtpp.tracker import Frame
from pvtpp_ros_nodes import conversions
from pvtpp_ros_nodes.config import NodeConfig
from pvtpp_ros_nodes.middleware import Port, Voice

OK, WARN, ERROR = range(3)
"""As diagnostic_msgs/DiagnosticStatus has them."""
NAMES = {value: name for name, value in conversions.STATUS.items()}


class Report(NamedTuple):
    """One entry: its name, OK, WARN or ERROR, a sentence, and figures by name."""

    name: str
    level: int
    text: str
    values: Mapping[str, Any]


class Health:
    """Counts what the live tracker cannot know: images that never reached it, and since when there are none."""

    def __init__(self, config: NodeConfig, port: Port, voice: Voice, image_topic: str):
        self._config, self._port, self._voice, self._topic = config, port, voice, image_topic
        self.refused = 0
        self._last: Optional[float] = None
        self._begun = time.monotonic()
        self._silent = False
        self._age_ns = 0

    def image_arrived(self, age_ns: int) -> None:
        """An image was taken, so old by ROS time."""
        self._age_ns = age_ns
        self._last = time.monotonic()
        if self._silent:
            self._silent = False
            self._port.tell("info", f"images arrive on {self._topic} again")

    def publish(
        self, live: LiveTracker, newest: Optional[Frame], status: int, missed: int, other: Optional[Report] = None
    ) -> None:
        """One message on ``/diagnostics``: how tracking fares, and the `other` report."""
        now_ns = self._port.now_ns()
        level, text = self._judge(live)
        array = self._port.message("diagnostic_msgs/DiagnosticArray")
        conversions.set_stamp(array.header.stamp, now_ns)
        own = Report("pvtpp: tracking", level, text, self._values(live, newest, now_ns, status, missed))
        array.status = [self._entry(report) for report in (own, other) if report is not None]
        self._port.publish("diagnostics", array)

    def _entry(self, report: Report) -> Any:
        entry = self._port.message("diagnostic_msgs/DiagnosticStatus")
        entry.level = {OK: entry.OK, WARN: entry.WARN, ERROR: entry.ERROR}[report.level]
        entry.name, entry.message, entry.hardware_id = report.name, report.text, self._config.tracker
        entry.values = [self._pair(key, value) for key, value in report.values.items()]
        return entry

    def _judge(self, live: LiveTracker) -> Tuple[int, str]:
        since = time.monotonic() - (self._begun if self._last is None else self._last)
        if since > self._config.silent_s:
            if not self._silent:
                self._silent = True
                self._port.tell("warning", f"no image on {self._topic} for {since:.1f} s")
            return ERROR, f"no image on {self._topic} for {since:.1f} s"
        if live.stalled:
            return ERROR, "the tracker hangs"
        if self._age_ns < 0:
            text = (
                f"images carry stamps {-self._age_ns * 1e-6:.1f} ms in the future: the clocks of camera and node differ"
            )
            self._voice.tell("warning", text, "future")
            return WARN, text
        return OK, "tracking" if live.active else "no target"

    def _values(
        self, live: LiveTracker, newest: Optional[Frame], now_ns: int, status: int, missed: int
    ) -> Dict[str, Any]:
        values: Dict[str, Any] = {"status": NAMES[status]}
        if newest is not None:
            values["image age (ms)"] = f"{(now_ns - newest.t_ns) * 1e-6:.1f}"
        prediction = live.predict(now_ns)
        if prediction is not None:
            values["evidence age (ms)"] = f"{prediction.age * 1e3:.1f}"
            values["horizon (ms)"] = f"{(prediction.age + self._config.lead_time) * 1e3:.1f}"
        for stage, times in live.times.summary().items():
            values[f"{stage} median, p95 (ms)"] = f"{times.median * 1e3:.2f}, {times.p95 * 1e3:.2f}"
        values.update(live.counts)
        config = self._config
        values.update({"images refused": self.refused, "publications missed": missed, "predictor": config.predictor})
        values["engine"] = config.backend or "by the kind of the weights' file"
        return values

    def _pair(self, key: str, value: Any) -> Any:
        pair = self._port.message("diagnostic_msgs/KeyValue")
        pair.key, pair.value = key, str(value)
        return pair
