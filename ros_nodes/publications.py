"""What the node says: the target at a steady rate, and everything that the event log says as it happens."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Callable, Dict, Optional

import pvtpp
from pvtpp.live.live_tracker import LiveTracker
from pvtpp_ros_nodes import conversions
from pvtpp_ros_nodes.bearing import Camera
from pvtpp_ros_nodes.config import NodeConfig
from pvtpp_ros_nodes.debug_image import DebugImage
from pvtpp_ros_nodes.event_stream import Event, EventStream, line
from pvtpp_ros_nodes.middleware import Port

HEADERS_KEPT = 512


class Answers:
    """`meta` is what the header of an event log says. `camera` is None as long as nobody has told its calibration."""

    def __init__(self, config: NodeConfig, port: Port, on_error: Callable[[Exception], None]):
        self._config, self._port = config, port
        self.meta: Dict[str, Any] = {}
        self.camera: Optional[Camera] = None
        self.status = conversions.NO_TARGET
        self._score, self._frame_id = 0.0, ""
        # By capture time, for the results that come later.
        self._headers: OrderedDict[int, Any] = OrderedDict()
        self._debug = DebugImage(port, on_error)
        self.stream = EventStream(self._publish_event, on_error)

    def close(self) -> None:
        self.stream.close()
        self._debug.close()

    def frame_arrived(self, frame: Any, live: LiveTracker) -> None:
        """An `ImageFrame` was taken."""
        self._frame_id = frame.header.frame_id
        self._headers[frame.t_ns] = frame.header
        while len(self._headers) > HEADERS_KEPT:
            self._headers.popitem(last=False)
        if self._port.listeners("debug_image"):
            self._debug.put(frame, live.predict(frame.t_ns), self.status)

    def nearest_capture(self, t_ns: int, within_ns: int) -> int:
        """Of the frames that were taken the capture time nearest to `t_ns`; `t_ns` itself where none is that near."""
        nearest = min(list(self._headers), key=lambda capture_ns: abs(capture_ns - t_ns), default=t_ns)
        return nearest if abs(nearest - t_ns) <= within_ns else t_ns

    def publish_target(self, live: LiveTracker, t_ns: int) -> None:
        """The target as it is predicted for `t_ns`, and its direction where somebody asks; nothing without a target."""
        prediction = live.predict(t_ns)
        # Time alone may change it, so it is looked at here.
        if status_of(live) != self.status:
            self.tell_status(live, "as the results and their age say")
        if prediction is None:
            return
        target = conversions.fill_target(
            self._port.message("pvtpp/Target"),
            prediction,
            self._frame_id,
            self.stream.target_id,
            self.status,
            self._score,
        )
        self._port.publish("target", target)
        if self.camera is not None and self._port.listeners("bearing"):
            direction = self.camera.direction(prediction)
            self._port.publish(
                "bearing", conversions.fill_bearing(self._port.message("pvtpp/Bearing"), target, *direction)
            )

    def tell_status(self, live: LiveTracker, why: str) -> None:
        """Publish what the node is doing, for those who come later too."""
        message, config = self._port.message("pvtpp/Status"), self._config
        self.status = status_of(live)
        conversions.set_header(message.header, self._port.now_ns(), self._frame_id)
        message.status, message.text = self.status, why
        message.target_id = self.stream.target_id if live.active else 0
        message.tracker, message.predictor, message.propagation = config.tracker, config.predictor, config.propagation
        message.search_region, message.backend = config.search_region, config.backend
        message.version = pvtpp.__version__
        self._port.publish("status", message)

    def _publish_event(self, event: Event) -> None:
        message = self._port.message("pvtpp/Event")
        message.target_id, message.number, message.line = event.target_id, event.number, line(event, self.meta)
        self._port.publish("events", message)
        if event.row is not None and event.row[0] in self._HANDLERS:
            self._HANDLERS[event.row[0]](self, event.target_id, event.row)

    def _init(self, target_id: int, row: list) -> None:
        self._score = 1.0

    def _result(self, target_id: int, row: list) -> None:
        _, _, _, capture_ns, box, score = row[:6]
        self._score = score
        header = self._headers.get(capture_ns)
        if header is None:
            return
        result = conversions.fill_result(self._port.message("pvtpp/Result"), header, target_id, self.status, box, score)
        self._port.publish("result", result)
        if self._port.listeners("detections"):
            self._port.publish("detections", self._detections(result))

    def _trajectory(self, target_id: int, row: list) -> None:
        message, make_knot = self._port.message("pvtpp/Trajectory"), lambda: self._port.message("pvtpp/Knot")
        self._port.publish(
            "trajectory", conversions.fill_trajectory(message, make_knot, row, self._frame_id, target_id)
        )

    def _detections(self, result: Any) -> Any:
        make = self._port.message
        return conversions.fill_detections(
            make("vision_msgs/Detection2DArray"),
            lambda: make("vision_msgs/Detection2D"),
            lambda: make("vision_msgs/ObjectHypothesisWithPose"),
            result,
            listed=result.status != conversions.LOST,
        )

    _HANDLERS: Dict[str, Callable[[Any, int, list], None]] = {
        "init": _init,
        "result": _result,
        "trajectory": _trajectory,
    }


def status_of(live: LiveTracker) -> int:
    """A constant of Target.msg; TRACKING where nobody judges."""
    if not live.active:
        return conversions.NO_TARGET
    if live.paused:
        return conversions.PAUSED
    judged = live.status
    return conversions.TRACKING if judged is None else conversions.STATUS[judged.value]
