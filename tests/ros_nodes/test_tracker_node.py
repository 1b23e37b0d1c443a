"""The node against a real master: a camera at 30 Hz, and everything that happens to cameras, operators and masters."""

from __future__ import annotations

import math
import signal
import time

import numpy as np
import pytest
from node_helpers import log_of, until

from pvtpp import predictors
from pvtpp.core.replay import replay
from pvtpp_ros_nodes import conversions

pytestmark = pytest.mark.usefixtures("world")
QUICK = ("_tracker:=bright_spot:BrightSpot", "_predictor:=constant_velocity", "_propagation:=none")


def started(operator, *arguments, **env):
    """A node that follows a target."""
    node = operator.launch(*QUICK, *arguments, **env)
    operator.film()
    answer = operator.init()
    assert answer.success, answer.message
    operator.more("result", 3)
    return node


def logs(operator):
    """The logs among the events heard, by target."""
    found = {}
    for event in list(operator.heard["events"]):
        found.setdefault(event.target_id, []).append(event)
    return {target: log_of(events) for target, events in found.items()}


def status_is(operator, status):
    until(lambda: operator.newest("status").status == status, what=f"status {status}")


def test_a_target_is_followed_told_and_logged_and_the_log_replays_to_the_bit(operator):
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
    # The camera's pictures go back to the left now and then; between that the target moves at 30 px/s.
    assert np.median([each.velocity[0] for each in targets]) == pytest.approx(30, abs=10)
    operator.reset()
    until(lambda: operator.newest("events").line.startswith('["reset"'))
    log = logs(operator)[1]
    assert (
        len(log.of_kind("result")) > 5 and log.of_kind("propagated") and log.meta["predictors"] == ["constant_velocity"]
    )
    assert replay(log, {"constant_velocity": predictors.create("constant_velocity")}).rows == log.rows
    told = [conversions.trajectory(each).to_row() for each in operator.heard["trajectory"]]
    assert told == [row[3:] for row in log.of_kind("trajectory")][-len(told) :]


def test_a_second_target_on_a_past_image_and_a_region_by_topic(operator):
    started(operator)
    operator.more("result", 20)
    answer = operator.init(back=10)
    assert answer.success and answer.target_id == 2, answer.message
    until(lambda: operator.newest("result").target_id == 2)
    stamp, x = operator.sent[-5]
    roi = conversions.fill_roi(_roi(), stamp, "camera", [x - 10, 90, 20, 20])
    until(lambda: operator.rois.get_num_connections() > 0)
    operator.rois.publish(roi)
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
    count = len(operator.heard["target"])
    time.sleep(0.3)
    assert len(operator.heard["target"]) <= count + 2


def test_a_camera_that_is_silent_for_three_seconds_and_one_that_sends_rubbish(operator):
    node = started(operator)
    operator.silent = True
    until(lambda: "no image on /camera/image for" in node.output, what="a word on the silence")
    time.sleep(2)
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


def test_a_node_that_was_killed_starts_again(operator):
    node = started(operator)
    node.stop(signal.SIGKILL)
    operator.launch(*QUICK)
    status_is(operator, conversions.NO_TARGET)
    until(lambda: operator.init().success)
    assert operator.more("result", 3)[-1].target_id == 1


def test_a_master_that_was_restarted_finds_the_node_again(operator, world):
    import rosgraph

    node = started(operator)
    world.stop_master()
    until(lambda: "the ROS master is gone" in node.output)
    # What is connected goes on.
    operator.more("result", 3)
    world.start_master()
    until(lambda: "registered anew" in node.output)
    published, _, services = rosgraph.Master("/test").getSystemState()
    assert "/camera/tracker/target" in dict(published) and "/camera/tracker/init" in dict(services)
    assert operator.init().success
    operator.more("target", 5)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["_rate:=.nan"], "~rate is nan, allowed is 1 to 1000"),
        (["_capture_offset:=soon"], "~capture_offset is 'soon', expected a value of type float"),
        (["_tracker:=none"], "unknown tracker 'none', expected one of"),
    ],
)
def test_a_parameter_that_is_not_allowed_ends_the_node_in_one_sentence(world, arguments, text):
    # The master keeps the parameters of a node that is gone.
    node = world.node("tracker_node", f"__name:=tracker_{abs(hash(text))}", *QUICK, *arguments)
    assert node.wait() == 2
    assert text in node.output and "Traceback" not in node.output
