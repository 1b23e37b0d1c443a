"""How the camera itself turns, as an IMU tells it: samples checked and thinned, its axes found, a gyro for the live tracker.

The IMU is fixed to the camera and its stamps are on the clock of the images' stamps; `capture_offset` moves the images alone.
"""

from __future__ import annotations

import time
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from pvtpp.camera_motion import Gyro
from pvtpp.errors import InputError
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.tracker import Frame
from pvtpp_ros_nodes import conversions
from pvtpp_ros_nodes.bearing import Camera
from pvtpp_ros_nodes.config import NodeConfig
from pvtpp_ros_nodes.diagnostics import ERROR, OK, WARN, Report
from pvtpp_ros_nodes.imu_check import RotationWatch
from pvtpp_ros_nodes.middleware import Port, Voice

SAMPLE_NS = 4_000_000
"""Samples nearer than this are averaged: rotation needs no more of them, and each one is an event in the log."""
SETTLED_S = 1.0
"""A calibration that changes (a zoom) counts when it has stood for so long."""
REMIND_S = 10.0
ZOOM = 1e-3
"""Calibrations that differ by a smaller share are the same."""


class Sample(NamedTuple):
    """Angular velocity (3,), radians per second in IMU axes, and when it was measured."""

    t_ns: int
    rate: np.ndarray


class Samples:
    """sensor_msgs/Imu messages, in order; those of a fast IMU averaged."""

    def __init__(self) -> None:
        self.newest_ns: Optional[int] = None
        self._waiting: List[Tuple[int, List[float]]] = []
        self._passed_ns: Optional[int] = None

    def take(self, message: Any) -> Optional[Sample]:
        """The mean of this one and those that wait; None where it waits as well.

        Raises InputError for a message without stamp or angular velocity, and for one that is not newer than the last.
        """
        t_ns = conversions.stamp_ns(message.header.stamp)
        if t_ns == 0:
            raise InputError("the message has no stamp (0), so nobody knows when it was measured")
        if message.angular_velocity_covariance[0] == -1:
            raise InputError("the first covariance of angular_velocity is -1: this IMU does not measure it")
        if self.newest_ns is not None and t_ns <= self.newest_ns:
            raise InputError(f"a sample of stamp {t_ns} ns came after one of {self.newest_ns} ns; stamps must increase")
        self.newest_ns = t_ns
        rate = message.angular_velocity
        self._waiting.append((t_ns, [rate.x, rate.y, rate.z]))
        if self._passed_ns is not None and t_ns - self._passed_ns < SAMPLE_NS:
            return None
        times, rates = zip(*self._waiting)
        self._waiting, self._passed_ns = [], t_ns
        return Sample(sum(times) // len(times), np.mean(rates, axis=0))


class Inertia:
    """Nothing at all where ``~imu`` is false. `camera` is told by whoever knows the calibration. `due`, `gyro` and `measured`
    are called under the core's lock; a sample that is none is counted (`refused`) and told, and does no harm."""

    def __init__(self, config: NodeConfig, port: Port, voice: Voice):
        self._config, self._port, self._voice = config, port, voice
        self._reminder = Voice(port, REMIND_S)
        self.camera: Optional[Camera] = None
        self.taken = self.refused = 0
        self._rotation = config.rotation()
        self._imu_frame: Optional[str] = None
        self._samples = Samples()
        self._went_back = False
        self._heard = time.monotonic()
        # Fed whatever is believed, so that it can be believed again.
        self._witness: Optional[Gyro] = None
        self._next: Optional[Tuple[np.ndarray, float]] = None
        self._watch = RotationWatch(self._complain) if config.imu else None

    def due(self, image_frame: str) -> Optional[str]:
        """Why the live tracker needs another gyro than it has; None as long as it does not. `image_frame`: of the images."""
        if not self._config.imu or self.camera is None:
            return None
        if self._rotation is None:
            self._rotation = self._looked_up(image_frame)
        if self._rotation is None:
            return None
        if self._witness is None:
            return "camera and IMU are known: the camera's own turning counts from now on"
        if self._went_back:
            return "the stamps of the IMU went back"
        return self._recalibrated(self.camera.matrix, self._witness.camera_matrix)

    def gyro(self) -> Optional[Gyro]:
        """For a new live tracker, without samples; None as long as the camera or the IMU's axes are not known."""
        self._samples, self._went_back, self._next = Samples(), False, None
        if self._watch is None or self.camera is None or self._rotation is None:
            return None
        about = self.camera.matrix, self._rotation, self._config.gyro_config()
        self._witness = Gyro(*about)
        self._watch.begin(self._witness)
        return Gyro(*about)

    def measured(self, message: Any, live: LiveTracker) -> None:
        """A sensor_msgs/Imu."""
        self._heard = time.monotonic()
        try:
            stamp = conversions.stamp_ns(message.header.stamp)
            newest = self._samples.newest_ns
            self._went_back |= newest is not None and 0 < stamp < newest - round(self._config.back_s * 1e9)
            sample = self._samples.take(message)
            if sample is not None and self._witness is not None:
                self._witness.add(*sample)
        except InputError as error:
            self.refused += 1
            self._voice.tell("error", f"imu: {error}", "imu")
            return
        self.taken += 1
        self._imu_frame = message.header.frame_id
        if sample is not None and self._used:
            live.turned(*sample)

    def frame_arrived(self, frame: Frame, live: LiveTracker) -> None:
        """A frame that the live tracker took."""
        if self._watch is not None:
            self._watch.frame_arrived(frame, live)

    def report(self, newest: Optional[Frame]) -> Optional[Report]:
        """How it fares, for /diagnostics; what is wrong is told in the log too, now and then. None without ``~imu``."""
        if self._watch is None:
            return None
        level, text, about = self._judged(self._watch, newest)
        if level != OK:
            self._reminder.tell("warning", f"imu: {text}", about)
        values: Dict[str, Any] = {
            "samples": self.taken,
            "samples refused": self.refused,
            "images looked at": self._watch.looks,
        }
        gyro_ns = None if self._witness is None else self._witness.newest_ns
        if newest is not None and gyro_ns is not None:
            values["newest image minus newest sample (ms)"] = f"{(newest.t_ns - gyro_ns) * 1e-6:.1f}"
        return Report("pvtpp: camera motion", level, text, values)

    def close(self) -> None:
        if self._watch is not None:
            self._watch.close()

    @property
    def _used(self) -> bool:
        """What the live tracker is not told grows stale there, and after a moment it goes on as if there were no gyro."""
        return self._witness is not None and self._watch is not None and self._watch.trusted and self._next is None

    def _judged(self, watch: RotationWatch, newest: Optional[Frame]) -> Tuple[int, str, str]:
        """Level, text, and what it is about."""
        if not watch.trusted:
            return ERROR, f"not used, since {watch.agreement}", "agreement"
        silent = time.monotonic() - self._heard
        if silent > self._config.silent_s:
            return WARN, f"no message for {silent:.1f} s; the camera's own turning is not known", "silent"
        if self.camera is None:
            return (
                WARN,
                "no camera_info of a calibrated camera yet; without it the camera's own turning is not used",
                "camera",
            )
        if self._witness is None:
            return (
                WARN,
                "the way from the IMU's axes to the camera's is not known yet; see ~camera_from_imu",
                "rotation",
            )
        gyro_ns, reach_s = self._witness.newest_ns, self._witness.config.reach_s
        late_s = 0.0 if newest is None or gyro_ns is None else (newest.t_ns - gyro_ns) * 1e-9
        if late_s > reach_s:
            late = f"the newest is {late_s * 1e3:.0f} ms older than the newest image"
            return WARN, f"samples are late, {late} and {reach_s * 1e3:.0f} ms are bridged", "late"
        return OK, str(watch.agreement), "agreement"

    def _recalibrated(self, now: np.ndarray, used: np.ndarray) -> Optional[str]:
        if np.allclose(now, used, rtol=ZOOM):
            self._next = None
            return None
        if self._next is None or not np.allclose(now, self._next[0], rtol=ZOOM):
            self._next = now, time.monotonic()
        return "camera_info has another calibration" if time.monotonic() - self._next[1] >= SETTLED_S else None

    def _looked_up(self, image_frame: str) -> Optional[np.ndarray]:
        """The rotation by tf; the identity where there is no way to ask; None as long as tf does not know."""
        if self._imu_frame is None:
            return None
        if image_frame and self._imu_frame == image_frame:
            return np.eye(3)
        try:
            if not (self._imu_frame and image_frame):
                raise InputError("the messages of IMU and camera do not both name their frames")
            found = self._port.rotation(image_frame, self._imu_frame)
            return None if found is None else conversions.rotation_matrix(found)
        except InputError as error:
            taken = "its axes are taken to be the camera's (x right, y down, z forward); if they are not, set ~camera_from_imu"
            self._port.tell("warning", f"imu: {error}, so {taken}")
            return np.eye(3)

    def _complain(self, error: Exception) -> None:
        self._voice.tell("error", f"imu, images looked at: {type(error).__name__}: {error}", "rotation watch")
