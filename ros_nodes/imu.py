"""How the camera itself turns, measured by an IMU: samples are checked and averaged, the axes looked up, a gyro made.

The IMU is fixed to the camera, and its stamps are on the clock of the images' stamps; `capture_offset` moves the images
alone.
"""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from pvtpp.camera_motion import Gyro
from pvtpp.errors import InputError
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.tracker import Frame
from pvtpp_ros_nodes import conversions
from pvtpp_ros_nodes.bearing import Camera
from pvtpp_ros_nodes.config import NodeConfig
from pvtpp_ros_nodes.diagnostics import ERROR, OK, WARN, Report
from pvtpp_ros_nodes.imu_check import RotationCheck
from pvtpp_ros_nodes.middleware import Middleware, ThrottledLog

SAMPLE_NS = 4_000_000
"""Samples nearer than this are averaged: rotation needs no more of them, and each one is an event in the log."""
SETTLED_S = 1.0
"""A calibration that changes (a zoom) is used when it has not changed for so long."""
REMIND_S = 10.0
ZOOM = 1e-3
"""Calibrations that differ by a smaller share are the same."""


class Sample(NamedTuple):
    """One measurement of the gyro.

    Attributes
    ----------
    t_ns
        When it was measured, nanoseconds.
    rate
        Angular velocity ``(3,)``, radians per second in IMU axes.
    """

    t_ns: int
    rate: np.ndarray


class Samples:
    """Turns sensor_msgs/Imu messages into samples, in order; those of a fast IMU are averaged.

    Attributes
    ----------
    newest_ns
        The stamp of the newest message, nanoseconds; None before the first.
    """

    def __init__(self) -> None:
        self.newest_ns: Optional[int] = None
        self._waiting: List[Tuple[int, List[float]]] = []
        self._passed_ns: Optional[int] = None

    def take(self, message: Any) -> Optional[Sample]:
        """Take a message.

        Returns
        -------
        Sample or None
            The mean of this message and of those that wait. None where it waits as well.

        Raises
        ------
        InputError
            The message has no stamp or no angular velocity, or is not newer than the last.
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


class ImuInput:
    """Gives the live tracker a gyro and its samples; does nothing at all where ``~imu`` is false.

    A message that is no sample is counted and logged, and does no harm.

    Parameters
    ----------
    config
        Of the node.
    middleware
        Asked for rotations by tf.
    log
        For messages that are no samples.
    clock
        Seconds; says for how long no messages came, and paces the check.

    Attributes
    ----------
    config
        Of the node; replaced where parameters change.
    camera
        The camera's calibration, set by whoever receives it; None as long as it is not known.
    taken, refused
        How many messages were samples, and how many were not.
    check
        Compares the gyro with the images; None where ``~imu`` is false.
    """

    def __init__(
        self,
        config: NodeConfig,
        middleware: Middleware,
        log: ThrottledLog,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.config, self._middleware, self._log, self._clock = config, middleware, log, clock
        self._reminder = ThrottledLog(middleware, REMIND_S, clock)
        self.camera: Optional[Camera] = None
        self.taken = self.refused = 0
        self._rotation = config.rotation()
        self._imu_frame: Optional[str] = None
        self._samples = Samples()
        self._went_back = False
        self._newest_s = self._clock()
        # Gets all samples, also while the live tracker gets none: only so can the check find that they are right again.
        self._checked: Optional[Gyro] = None
        # A calibration that may come to be used, and since when there is this one.
        self._next: Optional[Tuple[np.ndarray, float]] = None
        self.check = RotationCheck(self._complain, clock) if config.imu else None

    def due(self, image_frame: str) -> Optional[str]:
        """Say why the live tracker needs another gyro than it has. Asks tf, so it may take a moment; for one thread.

        Parameters
        ----------
        image_frame
            The ``frame_id`` of the images.

        Returns
        -------
        str or None
            None as long as it needs no other gyro.
        """
        if not self.config.imu or self.camera is None:
            return None
        if self._rotation is None:
            self._rotation = self._looked_up(image_frame)
        if self._rotation is None:
            return None
        if self._checked is None:
            return "camera and IMU are known: the camera's own rotation is used from now on"
        if self._went_back:
            return "the stamps of the IMU went back"
        return self._recalibrated(self.camera.matrix, self._checked.camera_matrix)

    def gyro(self) -> Optional[Gyro]:
        """Make the gyro of a new live tracker, without samples; under the core's lock.

        Returns
        -------
        Gyro or None
            None as long as the camera or the IMU's axes are not known.
        """
        self._samples, self._went_back, self._next = Samples(), False, None
        if self.check is None or self.camera is None or self._rotation is None:
            return None
        about = self.camera.matrix, self._rotation, self.config.gyro_config()
        self._checked = Gyro(*about)
        self.check.begin(self._checked)
        return Gyro(*about)

    def measured(self, message: Any, live: LiveTracker) -> None:
        """Take a sensor_msgs/Imu; under the core's lock.

        Parameters
        ----------
        message
            The message.
        live
            Gets the sample where it is to be used.
        """
        self._newest_s = self._clock()
        try:
            stamp = conversions.stamp_ns(message.header.stamp)
            newest = self._samples.newest_ns
            self._went_back |= newest is not None and 0 < stamp < newest - round(self.config.back_s * 1e9)
            sample = self._samples.take(message)
            if sample is not None and self._checked is not None:
                self._checked.add(*sample)
        except InputError as error:
            self.refused += 1
            self._log.log("error", f"imu: {error}", "imu")
            return
        self.taken += 1
        self._imu_frame = message.header.frame_id
        if sample is not None and self._used:
            live.gyro_sample(*sample)

    def frame_arrived(self, frame: Frame, live: LiveTracker) -> None:
        """Take a frame that the live tracker took."""
        if self.check is not None:
            self.check.frame_arrived(frame, live)

    def report(self, newest: Optional[Frame]) -> Optional[Report]:
        """Say how it is, for /diagnostics; what is wrong is logged too, now and then.

        Parameters
        ----------
        newest
            The newest frame, if there is one.

        Returns
        -------
        Report or None
            None without ``~imu``.
        """
        if self.check is None:
            return None
        level, text, about = self._condition(self.check, newest)
        if level != OK:
            self._reminder.log("warning", f"imu: {text}", about)
        values: Dict[str, Any] = {
            "samples": self.taken,
            "samples refused": self.refused,
            "images compared": self.check.compared,
        }
        gyro_ns = None if self._checked is None else self._checked.newest_ns
        if newest is not None and gyro_ns is not None:
            values["newest image minus newest sample (ms)"] = f"{(newest.t_ns - gyro_ns) * 1e-6:.1f}"
        return Report("pvtpp: camera motion", level, text, values)

    def close(self) -> None:
        """End the thread that compares."""
        if self.check is not None:
            self.check.close()

    @property
    def _used(self) -> bool:
        """Whether the live tracker gets the samples; without them, after a moment, it goes on as if it had no gyro."""
        return self._checked is not None and self.check is not None and self.check.trusted and self._next is None

    def _condition(self, check: RotationCheck, newest: Optional[Frame]) -> Tuple[int, str, str]:
        """Level, text, and what it is about."""
        if not check.trusted:
            return ERROR, f"not used, since {check.agreement}", "agreement"
        silent = self._clock() - self._newest_s
        if silent > self.config.silent_s:
            return WARN, f"no message for {silent:.1f} s; the camera's own rotation is not known", "silent"
        if self.camera is None:
            text = "no camera_info of a calibrated camera yet; without it the camera's own rotation is not used"
            return WARN, text, "camera"
        if self._checked is None:
            text = "the rotation from the IMU's axes to the camera's is not known yet; see ~camera_from_imu"
            return WARN, text, "rotation"
        gyro_ns, reach_s = self._checked.newest_ns, self._checked.config.reach_s
        late_s = 0.0 if newest is None or gyro_ns is None else (newest.t_ns - gyro_ns) * 1e-9
        if late_s > reach_s:
            late = f"the newest is {late_s * 1e3:.0f} ms older than the newest image"
            return WARN, f"samples are late, {late}; {reach_s * 1e3:.0f} ms are allowed", "late"
        return OK, str(check.agreement), "agreement"

    def _recalibrated(self, now: np.ndarray, used: np.ndarray) -> Optional[str]:
        if np.allclose(now, used, rtol=ZOOM):
            self._next = None
            return None
        following = self._next
        if following is None or not np.allclose(now, following[0], rtol=ZOOM):
            following = self._next = now, self._clock()
        return "camera_info has another calibration" if self._clock() - following[1] >= SETTLED_S else None

    def _looked_up(self, image_frame: str) -> Optional[np.ndarray]:
        """The rotation by tf; the identity where tf cannot be asked; None as long as tf does not know it."""
        if self._imu_frame is None:
            return None
        if image_frame and self._imu_frame == image_frame:
            return np.eye(3)
        try:
            if not (self._imu_frame and image_frame):
                raise InputError("the messages of IMU and camera do not both name their frames")
            found = self._middleware.rotation(image_frame, self._imu_frame)
            return None if found is None else conversions.rotation_matrix(found)
        except InputError as error:
            axes = "its axes are taken to be the camera's (x right, y down, z forward)"
            self._middleware.log("warning", f"imu: {error}, so {axes}; if they are not, set ~camera_from_imu")
            return np.eye(3)

    def _complain(self, error: Exception) -> None:
        self._log.log("error", f"imu, comparing images: {type(error).__name__}: {error}", "rotation check")
