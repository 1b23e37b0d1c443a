"""What both nodes are: images and requests in, a live tracker that is replaced where time goes back, messages out."""

from __future__ import annotations

import threading
import time
from dataclasses import fields
from functools import partial
from typing import Any, Callable, Optional, Tuple

import numpy as np

import pvtpp
from pvtpp.boxes import iou
from pvtpp.errors import InputError
from pvtpp.live.failures import Failure
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.mavlink.config import MavlinkConfig
from pvtpp.mavlink.link import MavlinkLink
from pvtpp.tracker import Frame
from pvtpp_ros_nodes import conversions, images
from pvtpp_ros_nodes.bearing import Camera
from pvtpp_ros_nodes.config import ANEW, IN_FLIGHT, NodeConfig
from pvtpp_ros_nodes.corrections import SAME, About, Corrections
from pvtpp_ros_nodes.diagnostics import Health
from pvtpp_ros_nodes.imu import ImuInput
from pvtpp_ros_nodes.middleware import Middleware, ThrottledLog
from pvtpp_ros_nodes.pacer import Pacer
from pvtpp_ros_nodes.publications import Publications
from pvtpp_ros_nodes.refused import NO_INCREASE, NO_STAMP, REPEATED, why_implausible, why_not_newer
from pvtpp_ros_nodes.replaceable import Parts, ReplaceableTracker, loaded

ON_ITS_WAY_S = 0.5
"""How long a request waits for the image that it is about."""
NEAR_NS = 50_000_000
"""An image that the operator saw may have been dropped on its way here; one that is so near serves as well."""

CLOCK_FOLLOWS_S = 0.05
"""At the turn of a bag images may come before the clock that is set back with them, seconds."""


class ImageFrame(Frame):
    """A frame with what its message says.

    Parameters
    ----------
    index, t_ns, image
        As of `Frame`.
    header
        Of the message.
    size
        Width and height, pixels; (0, 0) where they are not known yet.
    """

    __slots__ = ("header", "size")

    def __init__(self, index: int, t_ns: int, image: images.ImageSource, header: Any, size: Tuple[int, int]):
        super().__init__(index, t_ns, image, source=f"image of stamp {conversions.stamp_ns(header.stamp)} ns")
        self.header, self.size = header, size


class Core:
    """Takes messages, follows the target, and publishes.

    ``on_*`` take messages, from any thread; what is wrong in them is logged, not raised.

    Its lock is held for a moment only: nothing is loaded and no thread is waited for under it. Publishing the target
    needs no lock. Where another live tracker is needed, the one at work goes on until the other is ready, see
    `ReplaceableTracker`.

    Parameters
    ----------
    config
        Of the node.
    middleware
        The connection to ROS.
    image_topic
        Named in texts.
    clock
        Seconds; for how long nothing came, and how often something is logged.

    Attributes
    ----------
    publications
        What is published.
    health
        What /diagnostics says.
    imu
        The IMU.

    Raises
    ------
    InputError
        Tracker or predictor cannot be loaded, or not start.
    """

    def __init__(
        self,
        config: NodeConfig,
        middleware: Middleware,
        image_topic: str,
        clock: Callable[[], float] = time.monotonic,
    ):
        tracker = loaded(config)
        self.config, self._middleware, self._image_topic = config, middleware, image_topic
        self._log = ThrottledLog(middleware, clock=clock)
        self._lock = threading.RLock()
        self._arrived = threading.Condition(self._lock)
        self._offset_ns = round(config.capture_offset * 1e9)
        self._lead_ns = round(config.lead_time * 1e9)
        self._back_ns = round(config.back_s * 1e9)
        self._index = self._now_ns = 0
        self._newest: Optional[ImageFrame] = None
        self._closed = False
        self._stretch = images.StreamStretch(lambda text: middleware.log("info", f"{image_topic}: {text}"))
        # Its target is of another time.
        self._outdated: Optional[LiveTracker] = None
        self._corrections = Corrections(clock)
        # How the clock was set, as long as the live tracker still counts in the time of before.
        self._clock_set = ""
        self.publications = Publications(config, middleware, self._complain)
        self.health = Health(config, middleware, self._log, image_topic, clock)
        self.imu = ImuInput(config, middleware, self._log, clock)
        self._tracking = ReplaceableTracker(
            config, middleware, self.publications.stream, self.imu.gyro, self._failed, self._complain, tracker
        )
        self._mavlink: Optional[MavlinkLink] = None
        if config.mavlink:
            # It asks for the live tracker each time, since that may be replaced.
            settings = MavlinkConfig(lead_s=config.mavlink_lead)
            self._mavlink = MavlinkLink(config.mavlink, lambda: self.live, middleware.now_ns, settings, self._complain)
        self._target_pacer = Pacer(self._target_due, config.rate, "pvtpp target", self._complain)
        self._health_pacer = Pacer(self._health_due, 1.0, "pvtpp health", self._complain)

    @property
    def live(self) -> LiveTracker:
        """The live tracker that answers at present."""
        return self._tracking.live

    def ready(self) -> None:
        """Publish and log that everything is connected."""
        config = self.config
        runtime = config.backend or "the runtime of its weights"
        text = f"pvtpp {pvtpp.__version__}, tracker {config.tracker} ({runtime}), predictor {config.predictor}"
        self._middleware.log("info", f"ready: {text}, images on {self._image_topic}")
        self._publish_status("ready, no target")

    def on_image(self, message: Any) -> None:
        """Take a sensor_msgs/Image, or a CompressedImage as ``~image_transport`` says, and leave it for the tracker."""
        try:
            frame = self._frame(message)
        except InputError as error:
            self.health.refused.refuse("image", str(error), after=1, log=False)
            self._log.log("error", f"{self._image_topic}: {error}", "image")
            return
        if frame is None:
            self.health.refused.refuse("stamp 0", NO_STAMP, after=1)
            return
        self.health.gaps.arrived(frame.t_ns)
        self._wait_for_clock(frame)
        with self._lock:
            if not self._taken(frame):
                return
            live = self.live
        self.health.image_taken(self._middleware.now_ns() - frame.t_ns)
        self.publications.frame_arrived(frame, live)
        self.imu.frame_arrived(frame, live)

    def on_camera_info(self, message: Any) -> None:
        """Take a sensor_msgs/CameraInfo: from now on bearings are known."""
        try:
            self.publications.camera = Camera(message, self.config.rectified)
        except InputError as error:
            self.publications.camera = None
            self._log.log("warning", str(error), "camera_info")
            return
        self.imu.camera = self.publications.camera
        self._tracking.in_background(self._renew)

    def on_imu(self, message: Any) -> None:
        """Take a sensor_msgs/Imu: how the camera itself turns."""
        with self._lock:
            self.imu.measured(message, self.live)

    def on_roi(self, roi: Any) -> None:
        """Take a Roi, perhaps one of a stream: it corrects the target that it overlaps, or begins with a new one."""
        self._begin(lambda: conversions.roi_box(roi), conversions.stamp_ns(roi.header.stamp), correct=True)

    def on_detections(self, message: Any) -> None:
        """Take a vision_msgs/Detection2DArray of a detector.

        With a target, the detection that overlaps it most corrects it, as `on_roi`, and all others are left out.
        Without, the one of the highest score is the new target.
        """
        stamp = conversions.stamp_ns(message.header.stamp)
        found = conversions.detected(message)
        newest = self._newest
        expected = None if newest is None else self._expected(stamp + self._offset_ns if stamp else newest.t_ns)
        if expected is not None:
            found = [each for each in found if iou(each[1], expected) >= SAME]
            found.sort(key=lambda each: -float(iou(each[1], expected)))
        if found:
            self._begin(lambda: found[0][1], stamp, correct=True)

    def init(self, roi: Any) -> Tuple[bool, str, int]:
        """Begin with a new target; waits a moment for an image that is on its way.

        Parameters
        ----------
        roi
            A Roi.

        Returns
        -------
        bool
            Whether there is a new target.
        str
            Why there is none.
        int
            Its id; 0 where there is none.
        """
        return self._begin(lambda: conversions.roi_box(roi), conversions.stamp_ns(roi.header.stamp), correct=False)

    def _begin(self, read_box: Callable[[], np.ndarray], stamp: int, correct: bool) -> Tuple[bool, str, int]:
        """As `init`; with `correct`, a region that overlaps the target corrects it, and begins with no new one."""
        try:
            box, about = read_box(), About.NEW
            with self._lock:
                if self.live.paused:
                    raise InputError("paused: no images are taken in; resume first")
                at = stamp + self._offset_ns if stamp else 0
                self._arrived.wait_for(lambda: self._newest is not None and self._newest.t_ns >= at, ON_ITS_WAY_S)
                refused = self.health.refused
                if refused.lasting or (refused.in_a_row and self._newest is None):
                    raise InputError(f"images on {self._image_topic} are refused: {refused.reason}")
                if self._newest is None:
                    raise InputError(f"no image has arrived on {self._image_topic} yet")
                conversions.box_in_image(box, *self._newest.size)
                capture_ns = self.publications.nearest_capture(at, NEAR_NS) if at else self._newest.t_ns
                if correct:
                    tracked = self._tracking.status() == conversions.TRACKING
                    about = self._corrections.about(box, self._expected(capture_ns), tracked)
                if about is not About.AGREEMENT:
                    if about is About.CORRECTION:
                        self.publications.stream.correct(capture_ns)
                    self.live.init(capture_ns if at else self._newest, box)
                target_id = self.publications.stream.target_id
        except InputError as error:
            self._log.log("error", f"no new target: {error}")
            return False, str(error), 0
        if about is not About.AGREEMENT:
            self._publish_status("new target" if about is About.NEW else "the target is corrected")
        return True, f"target {target_id}", target_id

    def _expected(self, capture_ns: int) -> Optional[np.ndarray]:
        """Where the target was at the time of a capture, ``[cx, cy, w, h]``, pixels; None without a target."""
        found = self.live.predict(capture_ns)
        return None if found is None else found.box

    def reset(self) -> Tuple[bool, str]:
        """Forget the target, and the levels of 16-bit images; returns whether it was done, and a text."""
        with self._lock:
            self.live.reset()
            # An image of a closed shutter may have chosen them.
            self._stretch.forget()
        self._publish_status("reset")
        return True, "no target"

    def pause(self, pause: bool) -> Tuple[bool, str]:
        """Take no more images in, or go on; meanwhile the last trajectory stands and grows old.

        Parameters
        ----------
        pause
            False to go on.

        Returns
        -------
        bool
            Whether it was done.
        str
            What was done.
        """
        with self._lock:
            (self.live.pause if pause else self.live.resume)()
        text = "paused" if pause else "resumed"
        self._publish_status(text)
        return True, text

    def reconfigure(self, config: NodeConfig) -> None:
        """Go on with other parameters. What has to be loaded for it is loaded before anything changes.

        Parameters
        ----------
        config
            All parameters.

        Raises
        ------
        InputError
            One that differs cannot be changed in flight, or what it asks for cannot be loaded.
        """
        before = self.config
        changed = {each.name for each in fields(config) if getattr(config, each.name) != getattr(before, each.name)}
        for name in sorted(changed.difference(IN_FLIGHT)):
            raise InputError(f"~{name} cannot be changed in flight: start the node with it")
        parts = self._tracking.parts(config) if changed.intersection(ANEW) else None
        with self._lock:
            self.config = self.publications.config = self.health.config = self.imu.config = config
            self.health.gaps.longest_s = config.silent_s
            self._lead_ns, self._back_ns = round(config.lead_time * 1e9), round(config.back_s * 1e9)
            if parts is not None and not self._closed:
                self._tracking.reconfigure(parts, self._newest)
        if "rate" in changed:
            self._target_pacer.set_rate(config.rate)
        if changed:
            why = "parameters changed: " + ", ".join(f"{name} {getattr(config, name)}" for name in sorted(changed))
            self._middleware.log("info", why)
            self._publish_status(why)

    def close(self) -> None:
        """Publish no more targets; the events that wait are published. Ends all threads."""
        self._target_pacer.stop()
        self._health_pacer.stop()
        if self._mavlink is not None:
            self._mavlink.close()
        with self._lock:
            self._closed = True
        self._tracking.close()
        self.imu.close()
        self.publications.close()

    def _frame(self, message: Any) -> Optional[ImageFrame]:
        """Make the frame of a message; None where it has no stamp."""
        stamp = conversions.stamp_ns(message.header.stamp)
        if stamp == 0:
            return None
        if self.config.image_transport == "raw":
            image, size = images.raw_image(message, self._stretch), (message.width, message.height)
        else:
            image, size = images.compressed_image(message, self._stretch), (0, 0)
        self._index += 1
        return ImageFrame(self._index, stamp + self._offset_ns, image, message.header, size)

    def _wait_for_clock(self, frame: ImageFrame) -> None:
        """Wait a moment where this may be the first image of a time that the clock has not been set to yet."""
        if self._newest is None or frame.t_ns >= self._newest.t_ns - self._back_ns or self.health.refused.in_a_row:
            return
        until, before = time.monotonic() + CLOCK_FOLLOWS_S, self._middleware.now_ns()
        while time.monotonic() < until and self._middleware.now_ns() >= before:
            time.sleep(0.001)

    def _taken(self, frame: ImageFrame) -> bool:
        """Under the lock: whether the live tracker took this frame, another one where time has gone back."""
        newest, refused = self._newest, self.health.refused
        if self._closed:
            return False
        # Before anything is concluded from it: a stamp that cannot be right is no sign that time went back.
        reason = why_implausible(frame.t_ns, self._middleware.now_ns())
        if reason is not None:
            refused.refuse("stamp", reason)
            return False
        if newest is not None and frame.t_ns < newest.t_ns - self._back_ns:
            parts = self._tracking.spare_parts()
            if parts is None:
                # Time has gone back twice in a moment. The target is of another time; a later image will find parts.
                self.live.reset()
                refused.refuse("back", "image stamps went back twice in a moment")
                return False
            self._begin_anew(f"image stamps went back by {(newest.t_ns - frame.t_ns) * 1e-9:.3f} s", parts)
        if not self.live.submit(frame):
            if self.live.paused:
                self.health.image_arrived()
                return False
            reason = NO_INCREASE if newest is None else why_not_newer(frame.t_ns, newest.t_ns)
            refused.refuse("order", reason, after=REPEATED)
            return False
        if newest is not None and not self.live.active and (0, 0) != newest.size != frame.size:
            # With a target the live tracker reports it, and the target goes on in the new scale.
            size = "images on {} are {} x {} pixels from now on, they were {} x {}"
            self._middleware.log("info", size.format(self._image_topic, *frame.size, *newest.size))
        self._newest = frame
        self._arrived.notify_all()
        return True

    def _target_due(self) -> None:
        now = self._middleware.now_ns()
        passed, self._now_ns = now - self._now_ns, now
        if passed < -self._back_ns:
            live = self.live
            self._clock_set = ""
            if self._is_later(self._newest, now):
                self._outdated = live
            self._tracking.in_background(
                partial(self._set_back, f"ROS time was set back by {-passed * 1e-9:.3f} s", now)
            )
        # Simulated time may stand still, or not have begun.
        if passed and now > 0 and self.live is not self._outdated:
            self.publications.publish_target(*self._tracking.answer(now + self._lead_ns))

    def _health_due(self) -> None:
        # The IMU's axes may have become known to tf, which notifies nobody.
        self._tracking.in_background(self._renew)
        other = self.imu.report(self._newest)
        missed = self._target_pacer.missed
        self.health.publish(self.live, self._newest, self.publications.status, missed, other)

    def _publish_status(self, why: str) -> None:
        self.publications.publish_status(self._tracking.status(), why)

    def _set_back(self, why: str, now: int) -> None:
        """In the background: the clock was set back to `now`.

        Where the images went back before, their target belongs to the new time. It goes on in another live tracker all
        the same, since the events of this one were stamped by the clock of before.
        """
        parts = self._tracking.parts()
        with self._lock:
            newest = self._newest
            if self._closed:
                return
            if parts.config is not self._tracking.config:
                # Parameters have changed while they were made.
                self._tracking.in_background(partial(self._set_back, why, now))
                return
            if newest is None or self._is_later(newest, now):
                self._begin_anew(why, parts)
                return
            why += ", as the images were before"
            self._middleware.log("info", why)
            self._clock_set = ""
            self._tracking.replace(parts, newest, by_images=True)
        self._publish_status(why)

    def _is_later(self, newest: Optional[ImageFrame], now: int) -> bool:
        """Whether the newest frame is of a time before the clock was set back to `now`."""
        return newest is not None and newest.t_ns > now + self._back_ns

    def _renew(self) -> None:
        """In the background: where the live tracker needs another gyro, its target goes on in another live tracker."""
        newest = self._newest
        if newest is None or self.live.paused or self._due(newest) is None:
            return
        parts = self._tracking.parts()
        with self._lock:
            # It may have been replaced in the meantime.
            newest = self._newest
            if newest is None or self._closed or self.live.paused or parts.config is not self._tracking.config:
                return
            why = self._due(newest)
            if why is None:
                return
            self._middleware.log("info", why)
            self._clock_set = ""
            self._tracking.replace(parts, newest)
        self._publish_status(why)

    def _due(self, newest: ImageFrame) -> Optional[str]:
        """Say why the target must go on in another live tracker; None where it need not.

        Where the clock was set by less than `back_s`, or forward, the live tracker goes on in the time of before, and
        what it says is converted. Its events are not: so another one takes over with the first image of the new time.
        """
        now = self._middleware.now_ns()
        in_step = abs(now - self._now_ns) < self._back_ns and why_implausible(newest.t_ns, now) is None
        if self._clock_set and in_step and newest.t_ns <= now:
            return self._clock_set
        return self.imu.due(newest.header.frame_id)

    def _begin_anew(self, why: str, parts: Parts) -> None:
        """Under the lock: time went back, so whatever was known belongs to another time."""
        self._middleware.log("warning", f"{why}: the target is forgotten, waiting for a new one")
        self._clock_set = ""
        self._tracking.replace(parts)
        self._newest, self._now_ns = None, self._middleware.now_ns()
        self._publish_status(why)

    def _failed(self, failure: Failure) -> None:
        if failure.stage == "clock":
            # How far it was set decides what becomes of the target: `_target_due`, `_renew`.
            self._clock_set = str(failure.error)
            self.health.clock_set(self._clock_set)
            return
        if failure.stage == "capture time":
            # Counted and reported with all other refused images.
            return
        level = "warning" if failure.stage == "size" else "error"
        self._log.log(level, f"{failure.stage}: {failure.error}", failure.stage)
        if failure.stage == "init":
            self._publish_status(f"no target: {failure.error}")

    def _complain(self, error: Exception) -> None:
        self._log.log("error", f"{type(error).__name__}: {error}")
