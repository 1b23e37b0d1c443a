"""What both nodes do, without ROS: images and requests in, messages out."""

from __future__ import annotations

import math
import re
import threading
from dataclasses import replace

import numpy as np
import pytest
from node_helpers import (
    BEGIN_NS,
    FRAME_NS,
    QUICK,
    begin,
    diagnosis,
    follow,
    image_message,
    newest_evidence,
    roi_message,
    send,
    spot_xywh,
    stamp_of_last,
    target_for,
    until,
)

from pvtpp import predictors
from pvtpp.core.replay import replay
from pvtpp.errors import InputError
from pvtpp_ros_nodes import conversions
from pvtpp_ros_nodes.middleware import camera_info_beside


def test_the_target_is_published_for_the_time_of_publication_plus_lead(start, middleware):
    core = start(middleware, lead_time=0.05)
    assert begin(core, middleware) == 1
    follow(core, middleware, 1, 12)
    target = target_for(middleware, 50_000_000)
    assert target.header.frame_id == "camera" and target.status == conversions.TRACKING and target.target_id == 1
    assert target.capture_ns == BEGIN_NS + 12 * FRAME_NS
    assert target.horizon == pytest.approx((middleware.t_ns + 50_000_000 - target.capture_ns) * 1e-9)
    expected = 100 + 3 * (conversions.stamp_ns(target.header.stamp) - BEGIN_NS) / FRAME_NS
    assert target.box[0] == pytest.approx(expected, abs=1.0) and target.velocity[0] == pytest.approx(90, abs=5)


def test_a_result_has_the_header_of_its_image_and_is_published_once(start, middleware):
    core = start(middleware)
    begin(core, middleware)
    follow(core, middleware, 1, 5)
    until(lambda: len(middleware.published["result"]) == 5)
    for index, result in enumerate(middleware.published["result"], start=1):
        assert conversions.stamp_ns(result.header.stamp) == BEGIN_NS + index * FRAME_NS
        assert result.header.frame_id == "camera"
        np.testing.assert_allclose(result.box, [100 + 3 * index, 100, 20, 20])


def test_the_camera_offset_moves_captures_and_leaves_headers(start, middleware):
    core = start(middleware, capture_offset=-0.02)
    begin(core, middleware)
    send(core, middleware, 1, 103)
    until(lambda: middleware.published["result"])
    assert conversions.stamp_ns(middleware.published["result"][0].header.stamp) == BEGIN_NS + FRAME_NS
    until(lambda: core.live.trajectory().evidence_ns == BEGIN_NS + FRAME_NS - 20_000_000)
    ok, text, _ = core.init(roi_message(middleware, spot_xywh(100, 100), index=0))
    assert ok, text


@pytest.mark.parametrize("propagation", ["none", "optical_flow"])
def test_the_published_events_are_a_log_that_replays_to_the_bit(start, middleware, propagation):
    core = start(middleware, propagation=propagation)
    begin(core, middleware)
    follow(core, middleware, 1, 15)
    core.init(roi_message(middleware, spot_xywh(100 + 3 * 10, 100), index=10))
    follow(core, middleware, 16, 10)
    core.reset()
    until(lambda: any('"reset"' in event.line for event in middleware.published["events"]))
    logs = middleware.logs()
    assert set(logs) == {1, 2}
    for log in logs.values():
        assert [row[0] for row in log.rows[:2]] == ["frame", "init" if log is logs[1] else "frame"] and log.meta[
            "tracker"
        ] == QUICK["tracker"]
        again = replay(log, {"constant_velocity": predictors.create("constant_velocity")})
        assert again.rows == log.rows
    trajectories = [row for log in logs.values() for row in log.of_kind("trajectory")]
    assert [conversions.trajectory(each).to_row() for each in middleware.published["trajectory"]] == [
        row[3:] for row in trajectories
    ]


def test_a_target_given_on_a_past_image_is_caught_up_with(start, middleware):
    core = start(middleware)
    for index in range(20):
        send(core, middleware, index, 100 + 3 * index)
    ok, _, target_id = core.init(roi_message(middleware, spot_xywh(100 + 3 * 5, 100), index=5))
    assert ok and target_id == 1
    until(lambda: newest_evidence(core) == BEGIN_NS + 19 * FRAME_NS)
    until(lambda: core.live.predict(BEGIN_NS + 19 * FRAME_NS).box[0] == pytest.approx(157, abs=2))


@pytest.mark.parametrize(
    ("xywh", "index", "text"),
    [
        ([90, 90, 0, 20], None, "above 0|width and height"),
        ([math.nan, 90, 20, 20], None, "finite|NaN|nan"),
        ([900, 90, 20, 20], None, "outside the image of 320 x 240"),
        ([90, 90, 20, 20], 77, "no frame captured at"),
    ],
)
def test_a_request_that_cannot_be_met_says_why_and_leaves_the_target(start, middleware, xywh, index, text):
    core = start(middleware)
    begin(core, middleware)
    ok, why, target_id = core.init(roi_message(middleware, xywh, index))
    assert not ok and target_id == 0
    assert core.live.active and middleware.has_logged(why) and re.search(text, why), why


def test_a_target_on_an_image_that_was_dropped_begins_on_its_neighbour(start, middleware):
    core = start(middleware)
    for index in (0, 1, 3, 4, 5):
        send(core, middleware, index, 100 + 3 * index)
    ok, text, _ = core.init(roi_message(middleware, spot_xywh(106, 100), index=2))
    assert ok, text
    until(lambda: 1 in middleware.logs() and middleware.logs()[1].of_kind("init"))
    assert middleware.logs()[1].of_kind("init")[0][3] in (BEGIN_NS + FRAME_NS, BEGIN_NS + 3 * FRAME_NS)


def test_a_request_may_be_ahead_of_its_image(start, middleware, monkeypatch):
    monkeypatch.setattr("pvtpp_ros_nodes.core.ON_ITS_WAY_S", 60.0)
    core, waits = start(middleware), threading.Event()
    wait_for = core._arrived.wait_for
    monkeypatch.setattr(core._arrived, "wait_for", lambda *about: waits.set() or wait_for(*about))
    sender = threading.Thread(target=lambda: waits.wait(60) and send(core, middleware, 7))
    sender.start()
    ok, text, _ = core.init(roi_message(middleware, spot_xywh(100, 100), index=7))
    sender.join()
    assert ok, text


def test_a_request_before_the_first_image_says_so(start, middleware):
    core = start(middleware)
    assert core.init(roi_message(middleware, spot_xywh(100, 100))) == (
        False,
        "no image has arrived on /camera/image yet",
        0,
    )


def test_pause_keeps_the_target_and_lets_it_age(start, middleware):
    core = start(middleware)
    begin(core, middleware)
    follow(core, middleware, 1, 5)
    assert core.pause(True) == (True, "paused")
    before = newest_evidence(core)
    for index in range(6, 12):
        send(core, middleware, index)
    assert target_for(middleware).status == conversions.PAUSED
    assert newest_evidence(core) == before and core.live.predict(middleware.t_ns).age == pytest.approx(6 / 30, abs=0.02)
    assert core.init(roi_message(middleware, spot_xywh(100, 100)))[:2] == (
        False,
        "paused: no images are taken in; resume first",
    )
    core.pause(False)
    follow(core, middleware, 12, 1)
    assert middleware.published["status"][-1].status == conversions.TRACKING


def test_a_target_that_vanishes_is_lost_and_still_published_and_found_again(start, middleware):
    core = start(middleware)
    begin(core, middleware)
    follow(core, middleware, 1, 15, step=0)
    index = 16
    while shown(core, middleware, index, None).status != conversions.LOST:
        index += 1
        assert index < 400
    while shown(core, middleware, index + 1, 100).status != conversions.TRACKING:
        index += 1
        assert index < 800
    statuses = [each.status for each in middleware.published["status"]]
    assert conversions.LOST in statuses and statuses[-1] == conversions.TRACKING


def shown(core, middleware, index, x):
    """The target that is published when the tracker has processed frame `index`."""
    send(core, middleware, index, x)
    until(lambda: stamp_of_last(middleware, "result") == BEGIN_NS + index * FRAME_NS, what="a result")
    return target_for(middleware)


def test_reset_forgets_and_the_next_target_has_another_id(start, middleware):
    core = start(middleware)
    begin(core, middleware)
    assert core.reset() == (True, "no target")
    status = middleware.published["status"][-1]
    assert (status.status, status.target_id, status.text) == (conversions.NO_TARGET, 0, "reset")
    assert core.live.predict(middleware.t_ns) is None
    assert begin(core, middleware, 1) == 2


def test_the_diagnostics_say_how_old_images_and_evidence_are_and_what_was_dropped(start, middleware):
    core = start(middleware)
    begin(core, middleware)
    follow(core, middleware, 1, 5)
    middleware.published["diagnostics"].clear()
    until(lambda: middleware.published["diagnostics"])
    (entry,) = middleware.published["diagnostics"][-1].status
    values = {pair.key: pair.value for pair in entry.values}
    assert entry.level == entry.OK and entry.message == "tracking" and values["status"] == "TRACKING"
    assert {"image age (ms)", "evidence age (ms)", "horizon (ms)", "track median, p95 (ms)", "tracker_dropped"} <= set(
        values
    )
    assert float(values["image age (ms)"]) == pytest.approx(5.0, abs=0.1)


def test_bearing_and_debug_image_are_made_for_readers_alone(start, middleware):
    core = start(middleware)
    info = middleware.message("sensor_msgs/CameraInfo")
    core.on_camera_info(info)
    assert middleware.has_logged("not calibrated") and core.publications.camera is None
    matrix, projection = (300.0, 0.0, 160.0, 0.0, 300.0, 120.0, 0.0, 0.0, 1.0), (0.0,) * 12
    setattr(info, "K" if middleware.generation == 1 else "k", matrix)
    setattr(info, "P" if middleware.generation == 1 else "p", projection)
    core.on_camera_info(info)
    begin(core, middleware)
    follow(core, middleware, 1, 3)
    assert (
        not middleware.published["bearing"]
        and not middleware.published["debug_image"]
        and not middleware.published["detections"]
    )
    middleware.read |= {"bearing", "debug_image", "detections"}
    send(core, middleware, 4, 112)
    until(
        lambda: (
            middleware.published["bearing"]
            and middleware.published["debug_image"]
            and middleware.published["detections"]
        )
    )
    bearing = middleware.published["bearing"][-1]
    assert math.hypot(bearing.ray.x, bearing.ray.y, bearing.ray.z) == pytest.approx(1)
    image = middleware.published["debug_image"][-1]
    assert (image.height, image.width, image.encoding) == (240, 320, "bgr8")


def test_a_stream_of_regions_corrects_its_target_in_one_log(start, middleware):
    """At 30 Hz, right each time: tracking goes on under the same id. One elsewhere is another target."""
    core = start(middleware)
    begin(core, middleware)
    for index in range(1, 40):
        follow(core, middleware, index, 1)
        core.on_roi(roi_message(middleware, spot_xywh(100 + 3 * index, 100), index))
        middleware.seconds += 1 / 30
    until(lambda: len(middleware.published["result"]) >= 35, what="results")
    assert {each.target_id for each in middleware.published["result"]} == {1}
    core.on_roi(roi_message(middleware, spot_xywh(30, 30), 39))
    assert core.publications.stream.target_id == 2
    core.reset()
    until(lambda: 2 in middleware.logs() and middleware.logs()[2].of_kind("reset"))
    log = middleware.logs()[1]
    # The first region stands alone, so it is taken in.
    assert len(log.of_kind("init")) == 2
    assert replay(log, {"constant_velocity": predictors.create("constant_velocity")}).rows == log.rows


def test_a_region_corrects_a_target_that_was_lost(start, middleware):
    core = start(middleware)
    begin(core, middleware)
    follow(core, middleware, 1, 15, step=0)
    index = 16
    while shown(core, middleware, index, None).status != conversions.LOST:
        index += 1
        assert index < 400
    send(core, middleware, index + 1, 106)
    middleware.seconds += 5
    core.on_roi(roi_message(middleware, spot_xywh(106, 100), index + 1))
    assert middleware.published["status"][-1].text == "the target is corrected"
    assert middleware.published["status"][-1].status == conversions.TRACKING
    assert core.publications.stream.target_id == 1


def test_the_service_always_begins_with_a_new_target(start, middleware):
    core = start(middleware)
    begin(core, middleware)
    follow(core, middleware, 1, 3)
    assert core.init(roi_message(middleware, spot_xywh(109, 100), 3))[2] == 2


def detections(middleware, *found, index=None):
    """A Detection2DArray for a frame (None: the newest), of score and x of each."""
    array = middleware.message("vision_msgs/Detection2DArray")
    array.header = roi_message(middleware, spot_xywh(0, 0), index).header
    for score, x in found:
        result = middleware.message("pvtpp/Result")
        result.box, result.score = [x, 100.0, 20.0, 20.0], score
        one = conversions.fill_detections(
            middleware.message("vision_msgs/Detection2DArray"),
            lambda: middleware.message("vision_msgs/Detection2D"),
            lambda: middleware.message("vision_msgs/ObjectHypothesisWithPose"),
            result,
            listed=True,
        )
        array.detections = [*array.detections, *one.detections]
    return array


def test_the_detection_of_the_highest_score_is_the_target_and_later_ones_correct_it(start, middleware):
    core = start(middleware)
    send(core, middleware, 0)
    core.on_detections(detections(middleware))
    assert core.publications.stream.target_id == 0
    core.on_detections(detections(middleware, (0.4, 200.0), (0.9, 100.0)))
    assert core.live.predict(middleware.t_ns).box.tolist() == [100, 100, 20, 20]
    for index in range(1, 20):
        follow(core, middleware, index, 1)
        # Another object of a higher score is no reason to leave the target.
        core.on_detections(detections(middleware, (0.9, 250.0), (0.4, 100.0 + 3 * index), index=index))
        middleware.seconds += 1 / 30
    assert core.publications.stream.target_id == 1
    assert core.live.predict(middleware.t_ns).box[0] == pytest.approx(157, abs=3)


def test_paused_is_no_silence_and_lost_is_a_warning(start, middleware):
    core = start(middleware, silent_s=1.0)
    begin(core, middleware)
    follow(core, middleware, 1, 3)
    core.pause(True)
    middleware.seconds += 5
    assert diagnosis(middleware) == ("OK", "paused: no images are taken in")
    core.pause(False)
    follow(core, middleware, 4, 15, step=0)
    index = 19
    while shown(core, middleware, index, None).status != conversions.LOST:
        index += 1
        assert index < 400
    level, text = diagnosis(middleware)
    assert level == "WARN" and text.startswith("the target is lost")


def test_images_that_are_lost_on_the_way_are_a_warning_until_they_are_not(start, middleware):
    core = start(middleware)
    for index in range(90):
        if index % 3:
            send(core, middleware, index)
    level, text = diagnosis(middleware)
    assert level == "WARN" and "images on /camera/image were lost on the way (30.0 Hz)" in text
    until(lambda: middleware.has_logged("lost on the way (30.0 Hz); mend the link"))
    for index in range(90, 250):
        send(core, middleware, index)
    assert diagnosis(middleware) == ("OK", "no target")
    assert middleware.has_logged("images on /camera/image are not lost any more")


def test_parameters_that_change_in_flight_take_effect_and_others_are_refused(start, middleware):
    core = start(middleware)
    begin(core, middleware)
    follow(core, middleware, 1, 5)
    core.reconfigure(replace(core.config, lead_time=0.1, rate=300.0))
    assert target_for(middleware, 100_000_000).target_id == 1
    for changed, text in (
        ({"tracker": "csrt"}, "~tracker cannot be changed in flight"),
        ({"predictor": "motion:/no/such/file"}, "no runtime for files of kind"),
    ):
        with pytest.raises(InputError, match=text):
            core.reconfigure(replace(core.config, **changed))
    assert core.config.predictor == "constant_velocity"
    core.reconfigure(replace(core.config, predictor="hold", presence=False))
    send(core, middleware, 6, 118)
    until(lambda: newest_evidence(core) == BEGIN_NS + 6 * FRAME_NS, what="evidence of the target that goes on")
    middleware.t_ns += 50_000_000
    target = target_for(middleware, 100_000_000)
    assert target.target_id == 2 and target.box[0] == pytest.approx(118, abs=1) and target.velocity[0] == 0
    assert middleware.published["status"][-1].predictor == "hold" and core.live.presence is None
    # What was made for the parameters of before is not used when time goes back.
    middleware.t_ns = BEGIN_NS + 7 * FRAME_NS
    core.on_image(image_message(middleware, -60))
    until(lambda: not core.live.active)
    assert core.live.presence is None and list(core.live._predictors) == ["hold"]


def test_the_calibration_is_beside_the_image():
    assert camera_info_beside("/camera/image_raw") == "/camera/camera_info"
    assert camera_info_beside("/image") == "/camera_info"
