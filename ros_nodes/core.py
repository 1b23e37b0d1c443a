"""What both nodes are: images and wishes in, a live tracker that outlives clocks set back, answers out by `Answers`."""

from __future__ import annotations

import threading
from typing import Any, Optional, Tuple

import numpy as np

import pvtpp
from pvtpp import predictors, propagation
from pvtpp.core.event_log import Unlogged
from pvtpp.core.presence import PresenceConfig
from pvtpp.errors import InputError
from pvtpp.live.failures import Failure
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.live.warm_up import warm_up
from pvtpp.tracker import Frame, Tracker
from pvtpp_ros_nodes import conversions, images
from pvtpp_ros_nodes.bearing import Camera
from pvtpp_ros_nodes.config import NodeConfig
from pvtpp_ros_nodes.diagnostics import Health
from pvtpp_ros_nodes.imu import Inertia
from pvtpp_ros_nodes.middleware import Port, Voice
from pvtpp_ros_nodes.pacer import Pacer
from pvtpp_ros_nodes.publications import Answers, status_of
from pvtpp_trackers import registry

WARM_UPS = 3
WARM_UP_SIZE = (360, 640)
ON_ITS_WAY_S = 0.5
"""So long a wish may be ahead of the image that it is about."""
NEAR_NS = 50_000_000
"""An image that the operator saw may have been dropped on its way here; one that is so near serves as well."""


class ImageFrame(Frame):
    """A frame with the header of its message and its size, (width, height), (0, 0) where it is not known yet."""

    __slots__ = ("header", "size")

    def __init__(self, index: int, t_ns: int, image: images.ImageSource, header: Any, size: Tuple[int, int]):
        super().__init__(index, t_ns, image, source=f"image of stamp {conversions.stamp_ns(header.stamp)} ns")
        self.header, self.size = header, size


class Core:
    """`port`: the connection to the middleware. Loads and warms tracker and predictor; raises InputError where it cannot.

    ``on_*`` take messages, from any thread, and never raise for what is in them: they tell. `close` ends all threads.
    """

    def __init__(self, config: NodeConfig, port: Port, image_topic: str):
        self.config, self._port, self._image_topic = config, port, image_topic
        self._voice = Voice(port)
        self._lock = threading.RLock()
        self._arrived = threading.Condition(self._lock)
        self._offset_ns = round(config.capture_offset * 1e9)
        self._lead_ns = round(config.lead_time * 1e9)
        self._back_ns = round(config.back_s * 1e9)
        self._tracker = self._loaded()
        self._index = self._now_ns = 0
        self._newest: Optional[ImageFrame] = None
        self.answers = Answers(config, port, self._complain)
        self.health = Health(config, port, self._voice, image_topic)
        self.inertia = Inertia(config, port, self._voice)
        self.live = self._started()
        self._target_pacer = Pacer(self._target_due, config.rate, "pvtpp target", self._complain)
        self._health_pacer = Pacer(self._health_due, 1.0, "pvtpp health", self._complain)

    def ready(self) -> None:
        """Everything is wired: say so."""
        self.answers.tell_status(self.live, "ready, no target")

    def on_image(self, message: Any) -> None:
        """A sensor_msgs/Image, or CompressedImage as ``~image_transport`` says: checked and left for the tracker."""
        try:
            frame = self._frame(message)
        except InputError as error:
            self.health.refused += 1
            self._voice.tell("error", f"{self._image_topic}: {error}", "image")
            return
        with self._lock:
            if self._newest is not None and frame.t_ns < self._newest.t_ns - self._back_ns:
                self._begin_anew(f"image stamps went back by {(self._newest.t_ns - frame.t_ns) * 1e-9:.3f} s")
            if not self.live.submit(frame):
                return
            self._newest = frame
            self._arrived.notify_all()
        now = self._port.now_ns()
        # Before simulated time has begun nothing has an age.
        self.health.image_arrived(now - frame.t_ns if now else 0)
        self.answers.frame_arrived(frame, self.live)
        self.inertia.frame_arrived(frame, self.live)

    def on_camera_info(self, message: Any) -> None:
        """A sensor_msgs/CameraInfo: from now on bearings are known."""
        try:
            self.answers.camera = Camera(message, self.config.rectified)
        except InputError as error:
            self.answers.camera = None
            self._voice.tell("warning", str(error), "camera_info")
            return
        self.inertia.camera = self.answers.camera
        self._renew()

    def on_imu(self, message: Any) -> None:
        """A sensor_msgs/Imu: how the camera itself turns."""
        with self._lock:
            self.inertia.measured(message, self.live)

    def on_roi(self, roi: Any) -> None:
        """A Roi: the new target, as `init` without an answer."""
        self.init(roi)

    def init(self, roi: Any) -> Tuple[bool, str, int]:
        """A new target at a Roi: whether there is one, why not, its id. Waits a moment for an image that is on its way."""
        try:
            box = conversions.roi_box(roi)
            stamp = conversions.stamp_ns(roi.header.stamp)
            with self._lock:
                if self.live.paused:
                    raise InputError("paused: no images are taken in; resume first")
                at = stamp + self._offset_ns if stamp else 0
                self._arrived.wait_for(lambda: self._newest is not None and self._newest.t_ns >= at, ON_ITS_WAY_S)
                if self._newest is None:
                    raise InputError(f"no image has arrived on {self._image_topic} yet")
                conversions.box_in_image(box, *self._newest.size)
                self.live.init(self.answers.nearest_capture(at, NEAR_NS) if at else self._newest, box)
                target_id = self.answers.stream.target_id
        except InputError as error:
            self._port.tell("error", f"no new target: {error}")
            return False, str(error), 0
        self.answers.tell_status(self.live, "new target")
        return True, f"target {target_id}", target_id

    def reset(self) -> Tuple[bool, str]:
        """Forget the target."""
        with self._lock:
            self.live.reset()
        self.answers.tell_status(self.live, "reset")
        return True, "no target"

    def pause(self, pause: bool) -> Tuple[bool, str]:
        """Take no more images in, or go on; meanwhile the last trajectory stands and grows old."""
        with self._lock:
            (self.live.pause if pause else self.live.resume)()
        text = "paused" if pause else "resumed"
        self.answers.tell_status(self.live, text)
        return True, text

    def close(self) -> None:
        """No more answers; the events that wait are published."""
        self._target_pacer.stop()
        self._health_pacer.stop()
        self.live.close()
        self.inertia.close()
        self.answers.close()

    def _frame(self, message: Any) -> ImageFrame:
        stamp = conversions.stamp_ns(message.header.stamp)
        if stamp == 0:
            raise InputError("the image has no stamp (0), so nobody knows when it was taken")
        if self.config.image_transport == "raw":
            image, size = images.raw_image(message), (message.width, message.height)
        else:
            image, size = images.compressed_image(message), (0, 0)
        self._index += 1
        return ImageFrame(self._index, stamp + self._offset_ns, image, message.header, size)

    def _target_due(self) -> None:
        now = self._port.now_ns()
        with self._lock:
            passed, self._now_ns = now - self._now_ns, now
            if passed < -self._back_ns:
                self._set_back(f"ROS time was set back by {-passed * 1e-9:.3f} s", now)
        # Simulated time may stand still, or not have begun.
        if passed and now > 0:
            self.answers.publish_target(self.live, now + self._lead_ns)

    def _health_due(self) -> None:
        # The IMU's axes may become known by tf, which tells nobody.
        self._renew()
        other = self.inertia.report(self._newest)
        self.health.publish(self.live, self._newest, self.answers.status, self._target_pacer.missed, other)

    def _loaded(self) -> Tracker:
        tracker = registry.create(self.config.tracker, **self.config.tracker_options())
        image = np.random.default_rng(0).integers(0, 255, (*WARM_UP_SIZE, 3), dtype=np.uint8)
        box = np.array([WARM_UP_SIZE[1] / 2, WARM_UP_SIZE[0] / 2, 40.0, 30.0])
        warm_up(tracker, self.config.tracker, Frame(0, 0, image), box, WARM_UPS)
        return tracker

    def _started(self) -> LiveTracker:
        config = self.config
        log = Unlogged(self._meta(), sink=self.answers.stream.put)
        live = LiveTracker(
            self._tracker,
            {config.predictor: predictors.create(config.predictor)},
            None if config.propagation == "none" else propagation.create(config.propagation),
            config.search_region,
            log=log,
            clock=self._port.now_ns,
            on_error=self._failed,
            status=PresenceConfig() if config.judge else None,
            gyro=self.inertia.gyro(),
        )
        # What the live tracker has added is part of it.
        self.answers.meta = log.meta
        return live

    def _set_back(self, why: str, now: int) -> None:
        """Where the images went back before the clock did, all has begun anew already; only what is known now was stamped by
        the clock of before."""
        newest = self._newest
        if newest is None or newest.t_ns > now + self._back_ns:
            self._begin_anew(why)
        else:
            why += ", as the images were before"
            self._port.tell("info", why)
            self._go_on(newest)
            self.answers.tell_status(self.live, why)

    def _begin_anew(self, why: str) -> None:
        """Time went back: whatever was known belongs to another time."""
        self._port.tell("warning", f"{why}: the target is forgotten, waiting for a new one")
        self._replace()
        self._newest, self._now_ns = None, self._port.now_ns()
        self.answers.tell_status(self.live, why)

    def _renew(self) -> None:
        """Where the live tracker needs another gyro, the target goes on in another live tracker, from where it is expected."""
        with self._lock:
            newest, paused = self._newest, self.live.paused
            why = None if newest is None or paused else self.inertia.due(newest.header.frame_id)
            if newest is None or why is None:
                return
            self._port.tell("info", why)
            self._go_on(newest)
        self.answers.tell_status(self.live, why)

    def _go_on(self, newest: ImageFrame) -> None:
        """In another live tracker, with the target, if it is not lost, where it is expected in the newest image."""
        expected = self.live.predict(newest.t_ns) if status_of(self.live) != conversions.LOST else None
        self._replace()
        self.live.submit(newest)
        if expected is not None:
            self.live.init(newest, expected.box)

    def _replace(self) -> None:
        """Another live tracker, which knows nothing of what was before; who had paused it has paused this one."""
        paused = self.live.paused
        if not self.live.close(timeout=1.0):
            self._port.tell("warning", "the tracker hangs, another one is made")
            self._tracker = self._loaded()
        self.answers.stream.forget()
        self.live = self._started()
        if paused:
            self.live.pause()

    def _failed(self, failure: Failure) -> None:
        self._voice.tell("error", f"{failure.stage}: {failure.error}", failure.stage)
        if failure.stage == "init":
            self.answers.tell_status(self.live, f"no target: {failure.error}")

    def _complain(self, error: Exception) -> None:
        self._voice.tell("error", f"{type(error).__name__}: {error}")

    def _meta(self) -> dict:
        config = self.config
        return {
            "tracker": config.tracker,
            "propagation": config.propagation,
            "search_region": config.search_region,
            "schedule": "async",
            "clock": "ros",
            "predictors": [config.predictor],
            "capture_offset": config.capture_offset,
            "version": pvtpp.__version__,
        }
