"""The node with a real master: a camera at 30 Hz, and everything that happens to cameras, operators and masters."""

from __future__ import annotations

import math
import signal

import numpy as np
import pytest
from node_helpers import until

from pvtpp import predictors
from pvtpp.core.replay import replay
from pvtpp_ros_nodes import conversions

pytestmark = pytest.mark.usefixtures("world")
QUICK = (
    "_tracker:=bright_spot:BrightSpot",
    "_predictor:=constant_velocity",
    "_propagation:=none",
    "_presence:=true",
)


def started(operator, *arguments, **env):
    """A node that follows a target."""
    node = operator.launch(*QUICK, *arguments, **env)
    operator.film()
    operator.init()
    operator.more("result", 3)
    return node


def status_is(operator, status):
    until(lambda: operator.newest("status").status == status, what=f"status {status}")


def test_a_target_is_followed_published_and_logged_and_the_log_replays_to_the_bit(operator):
    started(operator, "_propagation:=optical_flow", "_lead_time:=0.02")
    targets = operator.more("target", 100)
    stamps = np.array([conversions.stamp_ns(each.header.stamp) for each in targets])
    assert (np.diff(stamps) > 0).all()
    for each in targets:
        assert each.horizon == pytest.approx((conversions.stamp_ns(each.header.stamp) - each.capture_ns) * 1e-9)
        assert each.header.frame_id == "camera" and each.target_id == 1
    results = operator.more("result", 5)
    by_stamp = dict(operator.sent)
    for result in results:
        assert result.box[0] == pytest.approx(by_stamp[conversions.stamp_ns(result.header.stamp)], abs=1)
    operator.reset()
    log = operator.finished_log(1)
    assert (
        len(log.of_kind("result")) > 5 and log.of_kind("propagated") and log.meta["predictors"] == ["constant_velocity"]
    )
    assert replay(log, {"constant_velocity": predictors.create("constant_velocity")}).rows == log.rows
    heard = [conversions.trajectory(each) for each in operator.heard["trajectory"]]
    assert [each.to_row() for each in heard] == [row[3:] for row in log.of_kind("trajectory")][-len(heard) :]
    for each, stamp in zip(targets, stamps.tolist()):
        of_same_age = [found.at(stamp) for found in heard if found.evidence_ns == each.capture_ns]
        assert any((found.box == each.box).all() and (found.velocity == each.velocity).all() for found in of_same_age)


def test_a_second_target_on_a_past_image_and_regions_by_topic(operator):
    started(operator)
    operator.more("result", 20)
    assert operator.init(back=10) == 2
    until(lambda: operator.newest("result").target_id == 2)
    stamp, x = operator.sent[-5]
    roi = conversions.fill_roi(_roi(), stamp, "camera", [x - 10, 90, 20, 20])
    until(lambda: operator.rois.get_num_connections() > 0)
    operator.rois.publish(roi)
    until(lambda: operator.newest("status").text == "the target is corrected")
    assert operator.more("result", 3)[-1].target_id == 2
    operator.rois.publish(conversions.fill_roi(_roi(), operator.sent[-1][0], "camera", [30, 30, 20, 20]))
    until(lambda: operator.newest("target").target_id == 3)


def _roi():
    from pvtpp.msg import Roi

    return Roi()


@pytest.mark.parametrize(
    ("xywh", "text"),
    [([90, 90, 0, 20], "region of interest"), ([math.nan] * 4, "region of interest"), ([999, 9, 9, 9], "outside")],
)
def test_a_bad_region_is_refused_in_words(operator, xywh, text):
    from pvtpp.srv import Init

    node = started(operator)
    answer = operator.call("init", Init, conversions.fill_roi(_roi(), 0, "", xywh))
    assert not answer.success and text in answer.message
    until(lambda: answer.message in node.output)
    operator.more("result", 2)


def test_pause_reset_lost_and_found(operator):
    started(operator)
    operator.pause(True)
    status_is(operator, conversions.PAUSED)
    until(lambda: operator.newest("target").horizon > 0.3)
    operator.pause(False)
    until(lambda: operator.newest("target").horizon < 0.3)
    operator.x = lambda index: None
    status_is(operator, conversions.LOST)
    lost = operator.more("target", 5)
    assert lost[-1].status == conversions.LOST
    operator.x = lambda index: 150
    # Where it is looked for is up to the tracker, and this one looks everywhere.
    status_is(operator, conversions.TRACKING)
    assert operator.reset().success
    status_is(operator, conversions.NO_TARGET)
    ended = conversions.stamp_ns(operator.newest("status").header.stamp)
    assert operator.init() == 2
    until(lambda: operator.newest("target").target_id == 2)
    first = [conversions.stamp_ns(each.header.stamp) for each in operator.heard["target"] if each.target_id == 1]
    # One may have been on its way.
    assert len([stamp for stamp in first if stamp > ended]) <= 1


def test_a_camera_that_is_silent_for_three_seconds_and_one_that_sends_rubbish(operator):
    node = started(operator)
    operator.silent = True
    until(lambda: "no image on /camera/image for" in node.output, what="a report of the silence")
    until(lambda: operator.newest("target").horizon > 3)
    operator.silent = False
    until(lambda: "images arrive on /camera/image again" in node.output)
    operator.more("result", 3)
    for changes, text in (
        ({"encoding": "yuv422"}, "encoding 'yuv422' is not supported"),
        ({"data": b"short"}, "the image is cut off: 5 bytes"),
    ):
        operator.spoil = lambda message, changes=changes: [setattr(message, *each) for each in changes.items()]
        until(lambda text=text: text in node.output, what=text)
        operator.spoil = lambda message: None
        operator.more("result", 3)
    assert node.alive


def test_an_interrupt_while_tracking_ends_it_in_peace_with_every_event(operator):
    node = started(operator)
    operator.more("result", 20)
    node.stop(signal.SIGINT)
    assert node.popen.returncode == 0 and "Traceback" not in node.output and "[ERROR]" not in node.output, node.output
    # No number is missing.
    assert len(operator.finished_log(1).of_kind("result")) >= 20


def test_a_node_that_was_killed_starts_again(operator):
    node = started(operator)
    node.stop(signal.SIGKILL)
    operator.launch(*QUICK)
    status_is(operator, conversions.NO_TARGET)
    operator.init()
    assert operator.more("result", 3)[-1].target_id == 1


def test_a_master_that_was_restarted_finds_the_node_again(operator, world):
    import rosgraph

    node = started(operator)
    world.stop_master()
    until(lambda: "the ROS master is gone" in node.output)
    # What is connected goes on.
    operator.more("result", 3)
    world.start_master()
    until(lambda: "registered again" in node.output)
    published, _, services = rosgraph.Master("/test").getSystemState()
    assert "/camera/tracker/target" in dict(published) and "/camera/tracker/init" in dict(services)
    operator.init()
    operator.more("target", 5)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["_rate:=.nan"], "NodeConfig.rate is nan, allowed is a number from 1 to 1000"),
        (["_capture_offset:=soon"], "NodeConfig.capture_offset is 'soon', allowed is a number from -1 to 1"),
        (["_tracker:=none"], "unknown tracker 'none', expected one of"),
    ],
)
def test_a_parameter_that_is_not_allowed_ends_the_node_in_one_sentence(world, arguments, text):
    # The master keeps the parameters of a node that is gone.
    node = world.node("tracker_node", f"__name:=tracker_{abs(hash(text))}", *QUICK, *arguments)
    assert node.wait() == 2
    assert text in node.output and "Traceback" not in node.output
