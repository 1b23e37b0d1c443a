"""The IMU and the camera on real topics: samples reach the live tracker, and the log with them replays to the bit."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from node_helpers import until
from swung_flight import clip_message, imu_message, info_message, swung_clip

from pvtpp import predictors
from pvtpp.core.replay import replay
from pvtpp_ros_nodes import stamp_offset
from pvtpp_ros_nodes.connection import connect

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
        """The IMU of a camera at rest goes on until it is so."""
        time.sleep(0.005)
        samples.publish(imu_message(middleware, rospy.get_rostime().to_nsec(), (0, 0, 0)))
        return condition()

    until(lambda: sampled(lambda: "camera and IMU are known" in node.output), what="a gyro")
    target_id = operator.init()

    def used():
        rows = [event.line for event in operator.heard["events"] if event.target_id == target_id]
        return len([row for row in rows if row.startswith('["gyro"')]) > 20 and operator.newest("trajectory").stabilised

    until(lambda: sampled(lambda: operator.heard["trajectory"] and used()), what="stabilised trajectories")
    operator.reset()
    log = operator.finished_log(target_id)
    assert len(log.of_kind("gyro")) > 20 and log.meta["gyro"]["camera_from_imu"][0] == [0, -1, 0]
    assert replay(log, {"constant_velocity": predictors.create("constant_velocity")}).rows == log.rows
    for each in (infos, samples):
        each.unregister()


def test_the_error_of_the_stamps_is_found_from_running_topics(world, monkeypatch):
    import rospy
    from sensor_msgs.msg import CameraInfo, Image, Imu

    middleware, clip = RospyMessages(), swung_clip(2)
    infos = rospy.Publisher("/turned/camera_info", CameraInfo, queue_size=1, latch=True)
    samples = rospy.Publisher("/turned/imu", Imu, queue_size=1000)
    recorded = rospy.Publisher("/turned/image", Image, queue_size=100)
    infos.publish(info_message(middleware, clip.gyro.camera_matrix))
    options = ["--image=/turned/image", "--camera-info=/turned/camera_info", "--imu=/turned/imu"]
    parsed = stamp_offset.parsed(options)
    parsed.camera_from_imu = np.eye(3)
    recording = stamp_offset.Recording(parsed)
    # This process is a node already.
    monkeypatch.setattr(rospy, "init_node", lambda *about, **settings: None)
    ros = connect("stamp_offset", several=True)
    taken = dict.fromkeys(recording.on, 0)

    def counted(topic, take):
        def count(message):
            take(message)
            taken[topic] += 1

        return count

    recording.on = {topic: counted(topic, take) for topic, take in recording.on.items()}
    listener = threading.Thread(target=stamp_offset.listen, args=(recording, ros, 300.0))
    listener.start()
    until(lambda: all(each.get_num_connections() for each in (infos, samples, recorded)), what="a listener")
    until(lambda: taken["/turned/camera_info"], what="the calibration")
    for t_ns, rate in zip(clip.gyro.t_ns, clip.gyro.rates):
        samples.publish(imu_message(middleware, 10**18 + int(t_ns), rate))
    for index, t_ns in enumerate(clip.camera_t_ns):
        recorded.publish(clip_message(middleware, clip, index, 10**18 + int(t_ns) + 30_000_000))
    expected = {"/turned/imu": len(clip.gyro.t_ns), "/turned/image": len(clip)}
    until(lambda: expected.items() <= taken.items(), what="all messages")
    # It listens until all has arrived.
    ros.over.set()
    listener.join()
    assert recording.offset()[0] == pytest.approx(-0.03, abs=0.005)
    for each in (infos, samples, recorded):
        each.unregister()


def test_without_a_master_the_tool_says_so(world):
    node = world.node("stamp_offset", ROS_MASTER_URI="http://localhost:1")
    assert node.wait() == 1 and "no ROS master answers" in node.output, node.output
