"""The IMU on a real topic, beside a real camera: it reaches the live tracker, and the log with it replays to the bit."""

from __future__ import annotations

import time

import numpy as np
import pytest
from node_helpers import log_of, until
from swung_flight import clip_message, imu_message, info_message, swung_clip

from pvtpp import predictors
from pvtpp.core.replay import replay

pytestmark = pytest.mark.usefixtures("world")


class RospyMessages:
    """`FakeMiddleware.message` for real ones."""

    generation = 1

    def message(self, kind):
        import roslib.message

        return roslib.message.get_message_class(kind)()


def test_an_imu_at_200_hz_is_used_from_the_first_camera_info_on_and_logged(operator):
    import rospy
    from sensor_msgs.msg import CameraInfo, Imu

    middleware = RospyMessages()
    infos = rospy.Publisher("/camera/camera_info", CameraInfo, queue_size=1, latch=True)
    samples = rospy.Publisher("/camera/imu", Imu, queue_size=100, tcp_nodelay=True)
    node = operator.launch(
        "_tracker:=bright_spot:BrightSpot",
        "_predictor:=constant_velocity",
        "_imu:=true",
        "_camera_from_imu:=0, -1, 0, 0, 0, -1, 1, 0, 0",
    )
    operator.film()
    infos.publish(info_message(middleware, np.array([[300.0, 0, 160], [0, 300, 120], [0, 0, 1]])))

    def sampled(condition):
        """A calm camera's IMU goes on until it is so."""
        time.sleep(0.005)
        samples.publish(imu_message(middleware, rospy.get_rostime().to_nsec(), (0, 0, 0)))
        return condition()

    until(lambda: sampled(lambda: "camera and IMU are known" in node.output), what="a gyro")
    end = time.monotonic() + 0.5
    until(lambda: sampled(lambda: time.monotonic() > end))
    assert operator.init().success
    until(lambda: sampled(lambda: len(operator.heard["trajectory"]) > 10), what="trajectories")
    assert operator.newest("trajectory").stabilised
    operator.reset()
    until(lambda: operator.newest("events").line.startswith('["reset"'))
    log = log_of(
        [event for event in operator.heard["events"] if event.target_id == operator.newest("events").target_id]
    )
    assert len(log.of_kind("gyro")) > 20 and log.meta["gyro"]["camera_from_imu"][0] == [0, -1, 0]
    assert replay(log, {"constant_velocity": predictors.create("constant_velocity")}).rows == log.rows
    for each in (infos, samples):
        each.unregister()


def test_the_error_of_the_stamps_is_found_from_running_topics(world):
    import rospy
    from sensor_msgs.msg import CameraInfo, Image, Imu

    middleware, clip = RospyMessages(), swung_clip(2)
    infos = rospy.Publisher("/turned/camera_info", CameraInfo, queue_size=1, latch=True)
    samples = rospy.Publisher("/turned/imu", Imu, queue_size=1000)
    pictures = rospy.Publisher("/turned/image", Image, queue_size=100)
    infos.publish(info_message(middleware, clip.gyro.camera_matrix))
    events = [(int(t_ns), samples, rate) for t_ns, rate in zip(clip.gyro.t_ns, clip.gyro.rates)]
    events += [(int(t_ns), pictures, index) for index, t_ns in enumerate(clip.camera_t_ns)]
    topics = ["--image=/turned/image", "--camera-info=/turned/camera_info", "--imu=/turned/imu"]
    node = world.node("stamp_offset", *topics, "--seconds", "10")
    until(lambda: pictures.get_num_connections() and samples.get_num_connections() and infos.get_num_connections(), 60)
    time.sleep(0.5)
    for t_ns, publisher, what in sorted(events, key=lambda event: event[0]):
        if publisher is samples:
            publisher.publish(imu_message(middleware, 10**18 + t_ns, what))
        else:
            # The IMU's next samples are a picture's time away.
            time.sleep(0.02)
            publisher.publish(clip_message(middleware, clip, what, 10**18 + t_ns + 30_000_000))
    assert node.wait() == 0, node.output
    assert float(node.output.split('capture_offset" value="')[1].split('"')[0]) == pytest.approx(-0.03, abs=0.005)
    for each in (infos, samples, pictures):
        each.unregister()


def test_without_a_master_the_tool_says_so(world):
    node = world.node("stamp_offset", ROS_MASTER_URI="http://localhost:1")
    assert node.wait() == 1 and "no ROS master answers" in node.output, node.output
