"""A camera that is swung by hand, with its IMU, on simulated time, and a tracker that takes 85 ms."""

from __future__ import annotations

import time
from functools import partial

import numpy as np
from node_helpers import BEGIN_NS, newest_evidence, roi_message, until

from pvtpp.boxes import xywh_to_box
from pvtpp.tracker import TrackerOutput
from pvtpp_benchmarks.synthetic.clip import render
from pvtpp_benchmarks.synthetic.config import AerialClip
from pvtpp_ros_nodes import conversions, images

TRACKER = "swung_flight:SlowOracle"
TOOK_NS, MS = 85_000_000, 1_000_000


def swung_clip(seconds=2.5):
    """The target and the camera's gyro of a camera that is swung at 60 degrees per second."""
    return render(
        AerialClip(swing=60.0, agility=0.3, occlusions=(), seconds=seconds, width=320, height=180, distractor=False)
    )


class SlowOracle:
    """Right, and late by the time of its `middleware`. `begun_ns`: when it took its frame."""

    truth, middleware = {}, None
    frame_ns = begun_ns = 0

    def init(self, frame, box):
        self.box = np.array(box, dtype=np.float64)

    def track(self, frame, search_box=None):
        if frame.t_ns not in self.truth:
            return TrackerOutput(self.box)
        SlowOracle.begun_ns, SlowOracle.frame_ns = self.middleware.t_ns, frame.t_ns
        while self.middleware.t_ns < SlowOracle.begun_ns + TOOK_NS:
            time.sleep(0.001)
        return TrackerOutput(self.truth[frame.t_ns])


def imu_message(middleware, t_ns, rate, frame_id="imu"):
    message = middleware.message("sensor_msgs/Imu")
    conversions.set_header(message.header, t_ns, frame_id)
    message.angular_velocity.x, message.angular_velocity.y, message.angular_velocity.z = map(float, rate)
    return message


def info_message(middleware, matrix):
    message = middleware.message("sensor_msgs/CameraInfo")
    names = ("K", "P") if middleware.generation == 1 else ("k", "p")
    projection = np.hstack([matrix, np.zeros((3, 1))])
    for name, value in zip(names, (matrix, projection)):
        setattr(message, name, tuple(map(float, np.ravel(value))))
    return message


def clip_message(middleware, clip, index, t_ns):
    message = images.fill_image(middleware.message("sensor_msgs/Image"), clip.frame(index).image)
    conversions.set_header(message.header, t_ns, "camera")
    return message


def fly(core, middleware, clip, rates=None, late_ns=2 * MS):
    """The centre's error at every frame, pixels (n,), as it was predicted at the frame's own time. `rates`: what the
    IMU measures, so late; None: there is no IMU."""
    frames = [BEGIN_NS + int(t_ns) for t_ns in clip.camera_t_ns]
    boxes = xywh_to_box(clip.ground_truth_xywh)
    SlowOracle.truth, SlowOracle.middleware = dict(zip(frames, boxes)), middleware
    SlowOracle.frame_ns = 0
    events = [(t_ns, "frame", index) for index, t_ns in enumerate(frames)]
    measured = [] if rates is None else [(BEGIN_NS + int(t_ns), rate) for t_ns, rate in zip(clip.gyro.t_ns, rates)]
    events += [(t_ns + late_ns, "imu", index) for index, (t_ns, _) in enumerate(measured)]
    events += [(BEGIN_NS + step * 5 * MS, "step", 0) for step in range(int(clip.camera_t_ns[-1]) // (5 * MS))]
    middleware.t_ns = frames[0] - 10**9
    core.on_image(clip_message(middleware, clip, 0, middleware.t_ns))
    camera_known(core, info_message(middleware, clip.gyro.camera_matrix))
    errors, delivered = [], 0
    for t_ns, kind, index in sorted(event for event in events if event[0] <= frames[-1]):
        middleware.t_ns = max(t_ns, middleware.t_ns)
        if at_work(core) and middleware.t_ns >= SlowOracle.begun_ns + TOOK_NS:
            until(partial(has_ended, core, SlowOracle.frame_ns, delivered))
        if kind == "imu":
            core.on_imu(imu_message(middleware, *measured[index]))
        elif kind == "frame":
            core.on_image(clip_message(middleware, clip, index, t_ns))
            delivered = t_ns
            if index == 0:
                ok, text, _ = core.init(roi_message(middleware, clip.ground_truth_xywh[0], index=0))
                assert ok, text
            else:
                until(partial(at_work, core))
            errors.append(np.linalg.norm(core.live.predict(t_ns).box[:2] - boxes[index, :2]))
            until(lambda: core.imu.check is None or core.imu.check.idle, what="the comparison of images")
    until(lambda: landed(core, middleware, delivered))
    return np.array(errors)


def camera_known(core, info):
    """The calibration, and with an IMU the live tracker that uses it."""
    before = core.live
    core.on_camera_info(info)
    until(lambda: core.imu.check is None or core.live is not before, what="a live tracker with a gyro")


def at_work(core):
    return SlowOracle.frame_ns > newest_evidence(core)


def has_ended(core, frame_ns, newest_ns):
    """The pass over this frame, and another one has begun where there is a newer frame."""
    return newest_evidence(core) >= frame_ns and (at_work(core) or newest_evidence(core) == newest_ns)


def landed(core, middleware, last_ns):
    """Time goes on until the last frame was tracked."""
    middleware.t_ns += MS
    return newest_evidence(core) == last_ns
