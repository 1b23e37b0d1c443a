"""The camera component of MAVLink: messages in, messages out. No clock, no sockets, no threads.

It is a camera that tracks (Camera Protocol v2, <https://mavlink.io/en/services/camera.html>): a ground station finds it
by its heartbeat, asks for CAMERA_INFORMATION, gives a target by a point or a rectangle, and gets
CAMERA_TRACKING_IMAGE_STATUS at the interval that it asks for. That message has no time: so its rectangle is where the
target will be when the message arrives.
"""

from __future__ import annotations

import math
import struct
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

import pvtpp
from pvtpp.core.presence import Presence
from pvtpp.errors import InputError
from pvtpp.live.image_size import size_of
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.mavlink import dialect, selection
from pvtpp.mavlink.config import MavlinkConfig
from pvtpp.mavlink.gimbal import GimbalPointer
from pvtpp.mavlink.timesync import TimeSync
from pvtpp.tracker import Frame

SECOND_NS = 1_000_000_000
DEFAULT_INTERVAL_NS = 100_000_000
"""Of the tracking status, where nobody asked for another."""
IDLE_INTERVAL_NS = SECOND_NS
"""Of the tracking status without a target."""
SHORTEST_US, LONGEST_US = 5_000, 2_000_000_000
"""Intervals that may be asked for, microseconds."""
REPEATED_NS = 3 * SECOND_NS
"""The same command within this time, marked as sent again, is answered and not executed again."""
UNIX_NS = 10**18
"""A clock beyond this counts from 1970; others have an epoch of their own, and SYSTEM_TIME does not say the time."""
Handler = Callable[[List[float], int], Tuple[int, List[Any]]]
BoxIn = Callable[[Tuple[int, int], int, Frame], np.ndarray]
"""A box in an image: of its size, its capture time and its frame."""
IDS = range(1, 256)
"""Of cameras."""


class _Done(NamedTuple):
    """The newest command that is executed once: sender, number and parameters; when it came; what it was answered."""

    request: Tuple[Tuple[int, int], int, bytes]
    t_ns: int
    result: int


class CameraComponent:
    """Answers a ground station, and says where the target is. Not for two threads at once.

    Parameters
    ----------
    config
        Settings.
    live
        Returns the live tracker that answers at present.

    Raises
    ------
    InputError
        Where pymavlink is not installed.
    """

    def __init__(self, config: MavlinkConfig, live: Callable[[], LiveTracker]):
        self.config = config
        self._live = live
        self._common = common = dialect.messages()
        self._started_ns: Optional[int] = None
        self._sync = TimeSync(common)
        self._gimbal: Optional[GimbalPointer] = None
        if config.gimbal is not None:
            self._gimbal = GimbalPointer(config.gimbal, config.system_id, config.component_id, live, common)
        # By message number: interval and when it is due next; without an interval it is not sent.
        self._status = common.MAVLINK_MSG_ID_CAMERA_TRACKING_IMAGE_STATUS
        self._intervals: Dict[int, int] = {self._status: DEFAULT_INTERVAL_NS}
        self._due: Dict[int, int] = {}
        self._done: Optional[_Done] = None
        self._said: Tuple[str, int] = ("", 0)
        self._texts = 0
        self._idle_ns: Optional[int] = None
        self._sent: Dict[int, Callable[[int], Any]] = {
            common.MAVLINK_MSG_ID_CAMERA_INFORMATION: self._information,
            common.MAVLINK_MSG_ID_CAMERA_SETTINGS: self._settings,
            common.MAVLINK_MSG_ID_SYSTEM_TIME: self._system_time,
            self._status: self._tracking_status,
        }
        self._handlers: Dict[int, Handler] = {
            common.MAV_CMD_REQUEST_MESSAGE: self._request_message,
            common.MAV_CMD_SET_MESSAGE_INTERVAL: self._set_interval,
            common.MAV_CMD_REQUEST_CAMERA_INFORMATION: self._request_information,
            common.MAV_CMD_REQUEST_CAMERA_SETTINGS: self._request_settings,
            common.MAV_CMD_CAMERA_TRACK_POINT: self._track_point,
            common.MAV_CMD_CAMERA_TRACK_RECTANGLE: self._track_rectangle,
            common.MAV_CMD_CAMERA_STOP_TRACKING: self._stop_tracking,
        }
        # Which parameter may name a camera: several may have the system's number in common.
        self._named = {
            common.MAV_CMD_CAMERA_TRACK_POINT: 3,
            common.MAV_CMD_CAMERA_TRACK_RECTANGLE: 4,
            common.MAV_CMD_CAMERA_STOP_TRACKING: 0,
        }
        # Executed once, however often the sender repeats them for want of an answer.
        self._once = (common.MAV_CMD_CAMERA_TRACK_POINT, common.MAV_CMD_CAMERA_TRACK_RECTANGLE)

    @property
    def lead_s(self) -> float:
        """For how long after the moment of sending the target is predicted, seconds."""
        lead = self.config.lead_s
        return (self._sync.delay_s or 0.0) if lead is None else lead

    @property
    def link_delay_s(self) -> Optional[float]:
        """How long the link takes one way by TIMESYNC, seconds; None where nobody answers, or nobody was asked."""
        return self._sync.delay_s

    @property
    def next_ns(self) -> int:
        """When `due` must be called next, nanoseconds."""
        times = [*self._due.values()]
        if self._gimbal is not None and self._gimbal.next_ns is not None:
            times.append(self._gimbal.next_ns)
        return min(times, default=0)

    def received(self, message: Any, now_ns: int) -> List[Any]:
        """Take a message in; return the answers.

        Parameters
        ----------
        message
            As pymavlink decodes it.
        now_ns
            The time, nanoseconds on the clock of the live tracker.
        """
        own = self.config.system_id, self.config.component_id
        if (message.get_srcSystem(), message.get_srcComponent()) == own:
            # Its own message, sent back by a router.
            return []
        kind = message.get_type()
        if kind == "TIMESYNC":
            return self._sync.received(message, now_ns) if self._is_meant(message) else []
        if self._gimbal is not None:
            said = self._gimbal.received(message, now_ns, self._sync.delay_s or 0.0)
            if said:
                return self._text(said, now_ns)
        if kind in ("COMMAND_LONG", "COMMAND_INT") and self._is_meant(message):
            return self._command(message, now_ns)
        return []

    def due(self, now_ns: int) -> List[Any]:
        """Return the messages that are due."""
        if self._started_ns is None:
            self._started_ns = now_ns
        found: List[Any] = []
        common = self._common
        if self._is_due(common.MAVLINK_MSG_ID_HEARTBEAT, SECOND_NS, now_ns):
            found.append(
                common.MAVLink_heartbeat_message(
                    common.MAV_TYPE_CAMERA, common.MAV_AUTOPILOT_INVALID, 0, 0, common.MAV_STATE_ACTIVE, 3
                )
            )
        measures = self.config.lead_s is None or self._gimbal is not None
        if measures and self._is_due(common.MAVLINK_MSG_ID_TIMESYNC, SECOND_NS, now_ns):
            found.append(self._sync.request(now_ns))
        for number, interval in list(self._intervals.items()):
            if self._is_due(number, interval, now_ns) and not (number == self._status and self._is_idle(now_ns)):
                found.append(self._sent[number](now_ns))
        if self._gimbal is not None:
            found += self._gimbal.due(now_ns)
        return found

    def close(self) -> List[Any]:
        """Return what must be sent before it ends: a gimbal stops."""
        return [] if self._gimbal is None else self._gimbal.release()

    def _is_due(self, number: int, interval: int, now_ns: int) -> bool:
        at = self._due.get(number, now_ns)
        # A clock that was set back stops nothing.
        at = min(at, now_ns + interval)
        missed = (now_ns - at) // interval
        # In step with the times before, and never twice to catch up.
        self._due[number] = at + (missed + 1) * interval if now_ns >= at else at
        return now_ns >= at

    def _is_idle(self, now_ns: int) -> bool:
        """Whether the tracking status can wait: there is no target, and that was said a moment ago."""
        if not self._live().active:
            if self._idle_ns is not None and 0 <= now_ns - self._idle_ns < IDLE_INTERVAL_NS:
                return True
            self._idle_ns = now_ns
        return False

    def _is_meant(self, message: Any) -> bool:
        system, component = getattr(message, "target_system", 0), getattr(message, "target_component", 0)
        return system in (0, self.config.system_id) and component in (0, self.config.component_id)

    # Commands

    def _command(self, message: Any, now_ns: int) -> List[Any]:
        common, number = self._common, message.command
        handler = self._handlers.get(number)
        if handler is None:
            # What is sent to all is for those who can do it.
            return [self._ack(message, common.MAV_RESULT_UNSUPPORTED)] if message.target_component else []
        long = message.get_type() == "COMMAND_LONG"
        last = (message.param5, message.param6, message.param7) if long else (message.x, message.y, message.z)
        params = [float(each) for each in (message.param1, message.param2, message.param3, message.param4, *last)]
        if number in self._named and params[self._named[number]] in IDS:
            named = round(params[self._named[number]])
            if named != self.config.component_id:
                text = f"camera {named} is asked for, this one is {self.config.component_id}"
                # What is sent to all is for that one.
                denied = [self._ack(message, common.MAV_RESULT_DENIED), *self._text(text, now_ns)]
                return denied if message.target_component else []
        sender = message.get_srcSystem(), message.get_srcComponent()
        request = sender, number, struct.pack("<7d", *params)
        before = self._done if number in self._once and long and message.confirmation else None
        if before is not None and before.request == request and 0 <= now_ns - before.t_ns < REPEATED_NS:
            return [self._ack(message, before.result)]
        try:
            result, answers = handler(params, now_ns)
        except InputError as error:
            result, answers = common.MAV_RESULT_DENIED, self._text(str(error), now_ns)
        if number in self._once:
            self._done = _Done(request, now_ns, result)
        return [self._ack(message, result), *answers]

    def _ack(self, message: Any, result: int) -> Any:
        return self._common.MAVLink_command_ack_message(
            message.command, result, 0, 0, message.get_srcSystem(), message.get_srcComponent()
        )

    def _text(self, text: str, now_ns: int) -> List[Any]:
        before, at = self._said
        if text == before and 0 <= now_ns - at < SECOND_NS:
            return []
        self._said, self._texts = (text, now_ns), self._texts % 65535 + 1
        return dialect.status_texts(self._common, self._common.MAV_SEVERITY_WARNING, text, self._texts)

    def _request_message(self, params: List[float], now_ns: int) -> Tuple[int, List[Any]]:
        common, number = self._common, _number(params[0], "message")
        if number == common.MAVLINK_MSG_ID_MESSAGE_INTERVAL:
            asked = _number(params[1], "message")
            interval = self._intervals.get(asked)
            sent_us = (0 if asked not in self._sent else -1) if interval is None else interval // 1000
            return common.MAV_RESULT_ACCEPTED, [common.MAVLink_message_interval_message(asked % 65536, sent_us)]
        if number not in self._sent:
            return common.MAV_RESULT_UNSUPPORTED, []
        return common.MAV_RESULT_ACCEPTED, [self._sent[number](now_ns)]

    def _request_information(self, params: List[float], now_ns: int) -> Tuple[int, List[Any]]:
        return self._common.MAV_RESULT_ACCEPTED, [self._information(now_ns)]

    def _request_settings(self, params: List[float], now_ns: int) -> Tuple[int, List[Any]]:
        return self._common.MAV_RESULT_ACCEPTED, [self._settings(now_ns)]

    def _set_interval(self, params: List[float], now_ns: int) -> Tuple[int, List[Any]]:
        common, number, interval = self._common, _number(params[0], "message"), params[1]
        if number not in self._sent:
            return common.MAV_RESULT_UNSUPPORTED, []
        if interval == -1:
            self._intervals.pop(number, None)
            self._due.pop(number, None)
        elif interval == 0 and number != self._status:
            # By default only the tracking status is sent.
            self._intervals.pop(number, None)
            self._due.pop(number, None)
        elif interval == 0 or SHORTEST_US <= interval <= LONGEST_US:
            self._intervals[number] = round(interval * 1e3) or DEFAULT_INTERVAL_NS
            self._due[number] = now_ns
        else:
            raise InputError(f"interval {interval:g} us: allowed is -1 (none), 0 (default), {SHORTEST_US} or more")
        return common.MAV_RESULT_ACCEPTED, []

    def _track_rectangle(self, params: List[float], now_ns: int) -> Tuple[int, List[Any]]:
        return self._track(lambda size, *seen: selection.rectangle(params[:4], size), now_ns)

    def _track_point(self, params: List[float], now_ns: int) -> Tuple[int, List[Any]]:
        x, y, radius = params[:3]

        def box_in(size: Tuple[int, int], t_ns: int, frame: Frame) -> np.ndarray:
            given = selection.point(x, y, radius, size, self.config.point_size)
            found = self._moving(given[:2], t_ns, frame) if self.config.point_by_motion else None
            return given if found is None else found

        return self._track(box_in, now_ns)

    def _moving(self, point: np.ndarray, t_ns: int, frame: Frame) -> Optional[np.ndarray]:
        """The box of what moves together with a point of a frame; None where that is not known."""
        from pvtpp.point_selection import APART_NS, box_of_motion

        before = self._live().frame_near(t_ns - APART_NS)
        if before is None or before[0] >= t_ns or size_of(before[1]) != size_of(frame):
            return None
        images = before[1].image, frame.image
        return box_of_motion(*images, point) if images[0].shape == images[1].shape else None

    def _track(self, box_in: BoxIn, now_ns: int) -> Tuple[int, List[Any]]:
        live = self._live()
        if live.paused:
            raise InputError("paused: no new target until it is resumed")
        seen = live.frame_near(now_ns - round(self.config.video_delay_s * 1e9))
        size = None if seen is None else size_of(seen[1])
        if seen is None or size is None:
            raise InputError("no image yet: no target")
        live.init(seen[0], box_in(size, *seen))
        # A ground station draws nothing until the first status.
        return self._common.MAV_RESULT_ACCEPTED, [self._tracking_status(now_ns)]

    def _stop_tracking(self, params: List[float], now_ns: int) -> Tuple[int, List[Any]]:
        self._live().reset()
        return self._common.MAV_RESULT_ACCEPTED, [self._tracking_status(now_ns)]

    # Messages

    def _boot_ms(self, now_ns: int) -> int:
        return 0 if self._started_ns is None else max(now_ns - self._started_ns, 0) // 1_000_000 % 2**32

    def _information(self, now_ns: int) -> Any:
        common = self._common
        flags = common.CAMERA_CAP_FLAGS_HAS_TRACKING_POINT | common.CAMERA_CAP_FLAGS_HAS_TRACKING_RECTANGLE
        seen = self._live().frame_near(now_ns)
        width, height = (None if seen is None else size_of(seen[1])) or (0, 0)
        device = 0 if self.config.gimbal is None else self.config.gimbal.device_id
        return common.MAVLink_camera_information_message(
            self._boot_ms(now_ns),
            _name(self.config.vendor),
            _name(self.config.model),
            _firmware(pvtpp.__version__),
            math.nan,
            math.nan,
            math.nan,
            min(width, 65535),
            min(height, 65535),
            0,
            flags,
            0,
            b"",
            device,
        )

    def _settings(self, now_ns: int) -> Any:
        common = self._common
        return common.MAVLink_camera_settings_message(
            self._boot_ms(now_ns), common.CAMERA_MODE_VIDEO, math.nan, math.nan
        )

    def _system_time(self, now_ns: int) -> Any:
        unix_us = now_ns // 1000 if now_ns >= UNIX_NS else 0
        return self._common.MAVLink_system_time_message(unix_us, self._boot_ms(now_ns))

    def _tracking_status(self, now_ns: int) -> Any:
        common, live = self._common, self._live()
        prediction, size = live.predict(now_ns + round(self.lead_s * 1e9)), live.size
        rectangle: Tuple[float, ...] = (math.nan,) * 4
        status, mode, data = common.CAMERA_TRACKING_STATUS_FLAGS_IDLE, common.CAMERA_TRACKING_MODE_NONE, 0
        if prediction is not None and size is not None:
            rectangle = selection.shares(prediction.box, size)
            mode, data = common.CAMERA_TRACKING_MODE_RECTANGLE, common.CAMERA_TRACKING_TARGET_DATA_IN_STATUS
            # QGroundControl draws a box only where ACTIVE is the one flag, so a target that is UNCERTAIN has no other.
            status = common.CAMERA_TRACKING_STATUS_FLAGS_ACTIVE
            if live.presence is Presence.LOST:
                status = common.CAMERA_TRACKING_STATUS_FLAGS_ERROR | common.CAMERA_TRACKING_STATUS_FLAGS_COASTING
        return common.MAVLink_camera_tracking_image_status_message(
            status, mode, data, math.nan, math.nan, math.nan, *rectangle
        )


def _number(value: float, what: str) -> int:
    """The number of a message; InputError for what is none."""
    if not (math.isfinite(value) and value == int(value) and 0 <= value < 2**24):
        raise InputError(f"{value:g} is no number of a {what}")
    return int(value)


def _name(text: str) -> List[int]:
    return [*text.encode("ascii"), *bytes(32)][:32]


def _firmware(version: str) -> int:
    """Major, minor and patch version as CAMERA_INFORMATION has them."""
    parts = [int(part) for part in version.split(".")[:3] if part.isdigit()]
    return sum(min(part, 255) << 8 * at for at, part in enumerate(parts))
