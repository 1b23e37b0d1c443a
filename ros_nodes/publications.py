"""What the node publishes: the target at a steady rate, its own status, and what the event log says as it happens."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Callable, Dict, Optional

import pvtpp
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.trajectory import Prediction
from pvtpp_ros_nodes import conversions
from pvtpp_ros_nodes.bearing import Camera
from pvtpp_ros_nodes.config import NodeConfig
from pvtpp_ros_nodes.debug_image import DebugImage
from pvtpp_ros_nodes.event_stream import Event, EventStream, line
from pvtpp_ros_nodes.middleware import Middleware

HEADERS_KEPT = 512


class Publications:
    """Fills messages and sends them.

    Parameters
    ----------
    config
        Of the node.
    middleware
        Where messages are made and published.
    on_error
        Called with what goes wrong in the threads that publish events and debug images.

    Attributes
    ----------
    config
        Of the node; replaced where parameters change.
    camera
        The camera's calibration; None as long as it is not known.
    status
        The status that was published last, a constant of Target.msg.
    stream
        Where the event log goes.
    """

    def __init__(self, config: NodeConfig, middleware: Middleware, on_error: Callable[[Exception], None]):
        self.config, self._middleware = config, middleware
        self.camera: Optional[Camera] = None
        self.status = conversions.NO_TARGET
        self._score, self._frame_id = 0.0, ""
        # By capture time, for the results that come later.
        self._headers: OrderedDict[int, Any] = OrderedDict()
        self._debug = DebugImage(middleware, on_error)
        self.stream = EventStream(self._publish_event, on_error)

    def close(self) -> None:
        """Publish the events that wait, and end the threads."""
        self.stream.close()
        self._debug.close()

    def frame_arrived(self, frame: Any, live: LiveTracker) -> None:
        """Remember the header of an `ImageFrame` that the live tracker took, and show it where somebody looks."""
        self._frame_id = frame.header.frame_id
        self._headers[frame.t_ns] = frame.header
        while len(self._headers) > HEADERS_KEPT:
            self._headers.popitem(last=False)
        if self._middleware.listeners("debug_image"):
            self._debug.put(frame, live.predict(frame.t_ns), self.status)

    def nearest_capture(self, t_ns: int, within_ns: int) -> int:
        """Find the frame that was captured nearest to a time.

        Parameters
        ----------
        t_ns
            The time, nanoseconds.
        within_ns
            How far away the frame may be.

        Returns
        -------
        int
            Its capture time; `t_ns` itself where no frame is that near.
        """
        nearest = min(list(self._headers), key=lambda capture_ns: abs(capture_ns - t_ns), default=t_ns)
        return nearest if abs(nearest - t_ns) <= within_ns else t_ns

    def publish_target(self, prediction: Optional[Prediction], status: int) -> None:
        """Publish a prediction, its direction where somebody asks for it, and the status where it has changed.

        Parameters
        ----------
        prediction
            Where the target is; None without a target: then there is nothing to publish but the status.
        status
            A constant of Target.msg.
        """
        # Time alone may change it, so it is looked at here.
        if status != self.status:
            self.publish_status(status, "as the results and their age say")
        if prediction is None:
            return
        target = conversions.fill_target(
            self._middleware.message("pvtpp/Target"),
            prediction,
            self._frame_id,
            self.stream.target_id,
            status,
            self._score,
        )
        self._middleware.publish("target", target)
        if self.camera is not None and self._middleware.listeners("bearing"):
            direction = self.camera.direction(prediction)
            message = self._middleware.message("pvtpp/Bearing")
            self._middleware.publish("bearing", conversions.fill_bearing(message, target, *direction))

    def publish_status(self, status: int, why: str) -> None:
        """Publish what the node is doing, for those who come later too.

        Parameters
        ----------
        status
            A constant of Target.msg.
        why
            The reason, as a text.
        """
        message, config = self._middleware.message("pvtpp/Status"), self.config
        self.status = status
        conversions.set_header(message.header, self._middleware.now_ns(), self._frame_id)
        message.status, message.text = status, why
        message.target_id = self.stream.target_id if status != conversions.NO_TARGET else 0
        message.tracker, message.predictor, message.propagation = config.tracker, config.predictor, config.propagation
        message.search_region, message.backend = config.search_region, config.backend
        message.version = pvtpp.__version__
        self._middleware.publish("status", message)

    def _publish_event(self, event: Event) -> None:
        message = self._middleware.message("pvtpp/Event")
        message.target_id, message.number, message.line = event.target_id, event.number, line(event)
        self._middleware.publish("events", message)
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
        message = self._middleware.message("pvtpp/Result")
        result = conversions.fill_result(message, header, target_id, self.status, box, score)
        self._middleware.publish("result", result)
        if self._middleware.listeners("detections"):
            self._middleware.publish("detections", self._detections(result))

    def _trajectory(self, target_id: int, row: list) -> None:
        make = self._middleware.message
        message = conversions.fill_trajectory(
            make("pvtpp/Trajectory"), lambda: make("pvtpp/Knot"), row, self._frame_id, target_id
        )
        self._middleware.publish("trajectory", message)

    def _detections(self, result: Any) -> Any:
        make = self._middleware.message
        return conversions.fill_detections(
            make("vision_msgs/Detection2DArray"),
            lambda: make("vision_msgs/Detection2D"),
            lambda: make("vision_msgs/ObjectHypothesisWithPose"),
            result,
            listed=result.status != conversions.LOST,
        )

    # By kind of row in the event log; other kinds are published as events alone.
    _HANDLERS: Dict[str, Callable[[Any, int, list], None]] = {
        "init": _init,
        "result": _result,
        "trajectory": _trajectory,
    }


def status_of(live: LiveTracker) -> int:
    """Say what a live tracker does, as a constant of Target.msg; TRACKING where it has no monitor of presence."""
    if not live.active:
        return conversions.NO_TARGET
    if live.paused:
        return conversions.PAUSED
    presence = live.presence
    return conversions.TRACKING if presence is None else conversions.STATUS[presence.value]
