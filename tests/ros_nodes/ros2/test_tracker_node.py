"""The node of ROS 2 as a process, with a camera at 30 Hz, and what happens to cameras, operators and clocks."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="this Python has no ROS 2: make ros2, then make test-ros2")

from diagnostic_msgs.msg import DiagnosticStatus
from node_helpers import log_of, spot_xywh, until
from pvtpp_msgs.msg import Roi

from pvtpp import predictors
from pvtpp.core.replay import replay
from pvtpp_ros_nodes import conversions
from pvtpp_ros_nodes.ros2.rclpy_basics import profile

IMAGE = "/camera/image"


@pytest.fixture(scope="module")
def flown(world2):
    """One node for all tests that leave it as it was, and its operator."""
    from ros2_operator import Operator

    made = Operator(world2)
    made.launch("-p", "lead_time:=0.02", "-p", "rate:=100")
    made.film()
    yield made
    made.close()
    (node,) = made.processes
    assert node.popen.returncode == 0 and "Traceback" not in node.output, node.output


@pytest.fixture
def flight(flown):
    """The operator of a node that follows a target, with an honest camera."""
    flown.forget()
    flown.init()
    flown.more("result", 3)
    return flown


def output(operator):
    return operator.processes[-1].output


def test_it_says_that_it_is_ready_with_what(flown):
    said = output(flown)
    assert "ready: pvtpp " in said and "tracker bright_spot:BrightSpot" in said and f"images on {IMAGE}" in said


def test_a_target_is_followed_published_and_logged_and_the_log_replays_to_the_bit(flight):
    target_id = flight.newest("status").target_id
    for each in flight.more("target", 50):
        assert each.horizon == pytest.approx((conversions.stamp_ns(each.header.stamp) - each.capture_ns) * 1e-9)
        assert each.header.frame_id == "camera" and each.target_id == target_id
    results = flight.more("result", 5)
    by_stamp = dict(flight.sent)
    for result in results:
        assert result.box[0] == pytest.approx(by_stamp[conversions.stamp_ns(result.header.stamp)], abs=1)
    flight.reset()
    log = flight.finished_log(target_id)
    assert replay(log, {"constant_velocity": predictors.create("constant_velocity")}).rows == log.rows
    heard = [conversions.trajectory(each) for each in flight.heard["trajectory"] if each.target_id == target_id]
    assert [each.to_row() for each in heard] == [row[3:] for row in log.of_kind("trajectory")]


def test_a_second_target_on_a_past_image(flight):
    first = flight.newest("result").target_id
    flight.more("result", 15)
    assert flight.init(back=10) == first + 1
    until(lambda: flight.newest("result").target_id == first + 1)
    flight.reset()
    (begun,) = flight.finished_log(first + 1).of_kind("init")
    assert begun[1] - begun[3] > 0.2e9


@pytest.mark.parametrize("reliable", [True, False], ids=["reliable", "best effort"])
def test_a_region_by_topic_counts_once_whatever_the_publishers_profile(flight, reliable):
    flight.reset()
    before = flight.newest("status").header.stamp
    first = flight.newest("result").target_id
    rois = flight.node.create_publisher(Roi, "init_roi", profile(1, reliable=reliable))
    until(lambda: rois.get_subscription_count() == (2 if reliable else 1), what="the node's subscriptions")

    def begun():
        rois.publish(flight.roi())
        return flight.newest("status").header.stamp != before

    until(begun, what="a target")
    until(lambda: flight.newest("target").target_id == first + 1)
    flight.more("result", 5)
    assert flight.newest("result").target_id == first + 1
    flight.node.destroy_publisher(rois)


def test_a_stream_of_regions_corrects_the_target_it_is_about(flight):
    """A detector at 30 Hz: tracking goes on, under one id, and a region elsewhere is another target."""
    first, count = flight.newest("result").target_id, len(flight.heard["result"])
    began = len(flight.sent)
    while len(flight.sent) < began + 60:
        seen = len(flight.sent)
        flight.rois.publish(flight.roi())
        until(lambda seen=seen: len(flight.sent) > seen)
    until(lambda: len(flight.heard["result"]) > count + 30, what="results beside the stream")
    assert {each.target_id for each in flight.heard["result"][count:]} == {first}
    flight.x = lambda index: 280
    flight.more("result", 3)
    # Half a second later the stream is over; a region far away is a target of its own.
    stamp, _ = flight.sent[-1]
    flight.rois.publish(conversions.fill_roi(Roi(), stamp, "camera", spot_xywh(60, 60)))
    until(lambda: flight.newest("target").target_id == first + 1, what="another target")


@pytest.mark.parametrize(
    ("xywh", "text"),
    [([90.0, 90, 0, 20], "region of interest"), ([math.nan] * 4, "region of interest"), ([999.0, 9, 9, 9], "outside")],
    ids=["zero", "nan", "outside"],
)
def test_a_bad_region_is_refused_in_words(flight, xywh, text):
    answer = flight.call("init", roi=conversions.fill_roi(Roi(), 0, "", xywh))
    assert not answer.success and text in answer.message
    until(lambda: answer.message in output(flight))
    flight.more("result", 2)


@pytest.mark.parametrize(
    ("seconds", "text"), [(3600, "no frame captured at"), (-3600, "no frame captured at")], ids=["future", "past"]
)
def test_a_region_of_an_image_that_never_was_is_refused(flight, seconds, text):
    stamp = flight.sent[-1][0] + seconds * 10**9
    answer = flight.call("init", roi=conversions.fill_roi(Roi(), stamp, "", spot_xywh(100, 100)))
    assert not answer.success and text in answer.message
    flight.more("result", 2)


@pytest.mark.parametrize(("seconds", "text"), [(3600, "ahead of ROS time"), (-3600, "behind ROS time")])
def test_images_of_the_future_and_of_the_past_are_refused(flight, seconds, text):
    def moved(message):
        conversions.set_stamp(message.header.stamp, conversions.stamp_ns(message.header.stamp) + seconds * 10**9)

    flight.spoil = moved
    until(lambda: text in flight.diagnosis()[1], what=text)
    assert flight.diagnosis()[0] == DiagnosticStatus.ERROR and "images are refused: image stamp" in output(flight)
    flight.spoil = lambda message: None
    flight.more("result", 3)


def test_paused_is_no_silence_and_lost_is_a_warning(flight):
    flight.pause(True)
    flight.status_is(conversions.PAUSED)
    until(lambda: flight.newest("target").horizon > 1.2, what="a pause of more than silent_s")
    level, said, _ = flight.diagnosis()
    assert (level, said) == (DiagnosticStatus.OK, "paused: no images are taken in")
    flight.pause(False)
    until(lambda: flight.newest("target").horizon < 0.3)
    flight.x = lambda index: None
    flight.status_is(conversions.LOST)
    level, said, _ = flight.diagnosis()
    assert level == DiagnosticStatus.WARN and said.startswith("the target is lost")
    flight.x = lambda index: 150
    flight.status_is(conversions.TRACKING)
    assert flight.reset().success
    flight.status_is(conversions.NO_TARGET)


def test_a_camera_that_is_silent_for_three_seconds_and_one_that_sends_rubbish(flight):
    flight.silent = True
    until(lambda: f"no image on {IMAGE} for" in output(flight), what="a report of the silence")
    until(lambda: flight.newest("target").horizon > 3)
    flight.silent = False
    until(lambda: f"images arrive on {IMAGE} again" in output(flight))
    flight.more("result", 3)
    for changes, text in (
        ({"encoding": "yuv422"}, "encoding 'yuv422' is not supported"),
        ({"data": b"short"}, "the image is cut off: 5 bytes"),
    ):
        flight.spoil = lambda message, changes=changes: [setattr(message, *each) for each in changes.items()]
        until(lambda text=text: text in output(flight), what=text)
        flight.spoil = lambda message: None
        flight.more("result", 3)
    # rclpy allows one severity for each line that logs.
    assert all(f"[{level}]" in output(flight) for level in ("INFO", "WARN", "ERROR"))


def test_images_that_are_lost_on_the_way_are_noticed(flight):
    flight.lost = lambda index: index % 3 == 0
    until(lambda: "were lost on the way" in output(flight), what="a warning")
    assert "FASTRTPS_DEFAULT_PROFILES_FILE" in output(flight)
    until(lambda: flight.diagnosis()[0] == DiagnosticStatus.WARN, what="a warning on /diagnostics")
    _, said, values = flight.diagnosis()
    assert "were lost on the way" in said and float(values["camera rate (Hz)"]) > 20
    flight.lost = lambda index: False
    until(lambda: "are not lost any more" in output(flight), what="the end of it")


def test_events_of_two_targets_do_not_mix(flight):
    first = flight.newest("result").target_id
    flight.init()
    flight.more("result", 2)
    events = [event for event in list(flight.heard["events"]) if event.target_id == first]
    assert np.diff([event.number for event in events]).tolist() == [1] * (len(events) - 1)
    assert log_of(events).of_kind("init")
