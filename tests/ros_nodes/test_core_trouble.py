"""What cameras, clocks and trackers do wrong: each is reported in words, and the node goes on."""

from __future__ import annotations

import cv2
import pytest
from node_helpers import (
    BEGIN_NS,
    FRAME_NS,
    QUICK,
    begin,
    follow,
    image_message,
    newest_evidence,
    roi_message,
    send,
    spot_image,
    spot_xywh,
    target_for,
    until,
)

from pvtpp.errors import InputError
from pvtpp_ros_nodes import conversions, images
from pvtpp_ros_nodes.config import NodeConfig
from pvtpp_ros_nodes.core import Core


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"encoding": "yuv422"}, "encoding 'yuv422' is not supported"),
        ({"data": b"12"}, "cut off: 2 bytes"),
        ({"width": 0}, "expected at least one pixel"),
    ],
)
def test_a_message_that_is_no_image_is_reported_and_the_next_one_taken(start, middleware, changed, text):
    core = start(middleware)
    begin(core, middleware)
    for index in range(1, 4):
        send(core, middleware, index, **changed)
    assert middleware.has_logged("/camera/image: ") and middleware.has_logged(text)
    assert middleware.count_logged(text) == 1 and core.health.refused.count == 3
    follow(core, middleware, 4, 2)


def test_an_image_without_a_stamp_is_refused(start, middleware):
    core = start(middleware)
    message = image_message(middleware, 0)
    conversions.set_stamp(message.header.stamp, 0)
    core.on_image(message)
    assert middleware.has_logged("no stamp (0)")


@pytest.mark.parametrize("how", ["clock", "stamps"])
def test_time_that_goes_back_begins_anew_with_a_word(start, middleware, how):
    core = start(middleware)
    begin(core, middleware, 60)
    follow(core, middleware, 61, 3)
    if how == "clock":
        middleware.t_ns = BEGIN_NS
        until(lambda: middleware.has_logged("ROS time was set back by 2.105"))
    else:
        core.on_image(image_message(middleware, 0))
        assert middleware.has_logged("image stamps went back by 2.100")
    until(lambda: middleware.published["status"][-1].status == conversions.NO_TARGET)
    assert not core.live.active
    # By the same clock, wherever that is now: `send` would set it.
    core.on_image(image_message(middleware, 1))
    ok, text, target_id = core.init(roi_message(middleware, spot_xywh(100, 100)))
    assert ok and target_id == 2, text
    core.on_image(image_message(middleware, 2))
    until(lambda: newest_evidence(core) == BEGIN_NS + 2 * FRAME_NS)
    assert core.live.errors == []


def test_a_clock_that_follows_the_images_back_does_not_forget_the_target_given_in_between(start, middleware):
    core = start(middleware)
    begin(core, middleware, 60)
    follow(core, middleware, 61, 3)
    core.on_image(image_message(middleware, 0))
    assert core.init(roi_message(middleware, spot_xywh(100, 100)))[0]
    middleware.t_ns = BEGIN_NS
    until(lambda: middleware.has_logged("ROS time was set back by 2.105 s, as the images were before"))
    assert middleware.count_logged("the target is forgotten") == 1
    follow(core, middleware, 1, 3, step=0)
    assert core.live.active and core.live.predict(middleware.t_ns).box[0] == pytest.approx(100, abs=2)
    until(lambda: core.publications.stream.target_id in middleware.logs(), what="the log of the target")
    log = middleware.logs()[core.publications.stream.target_id]
    assert all(row[1] < BEGIN_NS + 10**9 for row in log.rows), "an event is stamped by the clock of before"


def test_a_pause_outlives_time_that_goes_back(start, middleware):
    core = start(middleware)
    begin(core, middleware, 60)
    core.pause(True)
    core.on_image(image_message(middleware, 0))
    assert middleware.has_logged("image stamps went back by 2.000") and core.live.paused
    core.pause(False)
    core.on_image(image_message(middleware, 1))
    assert core.init(roi_message(middleware, spot_xywh(100, 100)))[0]


def test_silence_is_reported_and_so_is_its_end(start, middleware):
    core = start(middleware, silent_s=2.0)
    begin(core, middleware)
    middleware.seconds += 2.1
    until(lambda: middleware.has_logged("no image on /camera/image for"))
    until(lambda: any(each.status[0].level == each.status[0].ERROR for each in middleware.published["diagnostics"]))
    send(core, middleware, 1)
    assert middleware.has_logged("images arrive on /camera/image again")


def test_images_from_the_future_are_reported(start, middleware):
    core = start(middleware)
    middleware.t_ns = BEGIN_NS - 10**8
    core.on_image(image_message(middleware, 0))
    until(lambda: middleware.has_logged("100.0 ms in the future"))


def test_before_simulated_time_has_begun_nothing_is_published(start, middleware):
    core = start(middleware)
    begin(core, middleware)
    target_for(middleware)
    middleware.t_ns = 0
    until(lambda: middleware.has_logged("ROS time was set back"))
    count = len(middleware.published["target"])
    send_at = middleware.t_ns
    core.on_image(image_message(middleware, 1))
    assert send_at == 0 and len(middleware.published["target"]) == count


def test_a_tracker_that_fails_is_reported_once_a_second(start, middleware, monkeypatch):
    import bright_spot

    core = start(middleware)
    begin(core, middleware)
    follow(core, middleware, 1, 2)
    monkeypatch.setattr(bright_spot.BrightSpot, "track", lambda *_: 1 / 0)
    for index in range(3, 9):
        send(core, middleware, index)
        until(lambda index=index: core.live.counts["errors"] >= index - 2)
    assert middleware.count_logged("division") == 1
    middleware.seconds += 1.0
    send(core, middleware, 9)
    until(lambda: middleware.count_logged("division") == 2, what="another report")
    assert middleware.has_logged("division by zero (and 5 more of this kind)")


def test_what_cannot_be_loaded_is_refused_at_the_start(middleware):
    with pytest.raises(InputError, match="unknown tracker 'none-such', expected one of"):
        Core(NodeConfig(tracker="none-such"), middleware, "/image")
    with pytest.raises(InputError, match="option|argument"):
        Core(NodeConfig(**QUICK, backend="tensorrt"), middleware, "/image")


def compressed_message(middleware, index, x, cut=None):
    message = middleware.message("sensor_msgs/CompressedImage")
    message.format, message.data = "png", cv2.imencode(".png", spot_image(x, 100))[1].tobytes()[:cut]
    conversions.set_header(message.header, BEGIN_NS + index * FRAME_NS, "camera")
    return message


def test_compressed_images_are_followed_and_one_that_is_cut_off_costs_itself_alone(start, middleware):
    core = start(middleware, image_transport="compressed", propagation="optical_flow")
    core.on_image(compressed_message(middleware, 0, 100))
    ok, text, _ = core.init(roi_message(middleware, spot_xywh(100, 100)))
    assert ok, text
    core.on_image(compressed_message(middleware, 1, 103, cut=40))
    until(lambda: middleware.has_logged("a compressed image of 40 bytes (png) does not decode"))
    for index in range(2, 5):
        core.on_image(compressed_message(middleware, index, 100 + 3 * index))
        until(lambda index=index: newest_evidence(core) == BEGIN_NS + index * FRAME_NS)
    assert core.live.active


def wide_image(middleware, index, scale=2):
    """The image of frame `index`, its sides `scale` times as long, the target at (100, 100) times `scale`."""
    pixels = cv2.resize(spot_image(100, 100), None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
    message = images.fill_image(middleware.message("sensor_msgs/Image"), pixels)
    conversions.set_header(message.header, BEGIN_NS + index * FRAME_NS, "camera")
    middleware.t_ns = BEGIN_NS + index * FRAME_NS + 5_000_000
    return message


def test_an_image_size_that_changes_is_reported_and_the_target_goes_on(start, middleware):
    core = start(middleware)
    begin(core, middleware)
    follow(core, middleware, 1, 5, step=0)
    for index in range(6, 12):
        core.on_image(wide_image(middleware, index))
        until(lambda index=index: newest_evidence(core) == BEGIN_NS + index * FRAME_NS, what="evidence")
    assert middleware.has_logged("the image is 640 x 480 pixels, those before were 320 x 240")
    assert core.live.active and core.live.predict(middleware.t_ns).box == pytest.approx([200, 200, 40, 40], abs=4)


def test_an_image_size_that_changes_without_a_target_is_reported(start, middleware):
    core = start(middleware)
    send(core, middleware, 0)
    core.on_image(wide_image(middleware, 1))
    assert middleware.has_logged("images on /camera/image are 640 x 480 pixels from now on, they were 320 x 240")


def test_16_bit_images_are_followed_and_their_levels_logged(start, middleware):
    core = start(middleware)
    for index in range(5):
        grey = cv2.cvtColor(spot_image(100 + 3 * index, 100), cv2.COLOR_BGR2GRAY)
        deep = 7000 + 9 * grey.astype("<u2")
        # The margin of the levels leaves the first image's spot below white.
        deep[grey == 255] += 2000 * bool(index)
        message = image_message(middleware, index, encoding="mono16", step=640, data=deep.tobytes())
        middleware.t_ns = BEGIN_NS + index * FRAME_NS + 5_000_000
        core.on_image(message)
        if index == 0:
            assert core.init(roi_message(middleware, spot_xywh(100, 100)))[0]
        until(lambda index=index: newest_evidence(core) == BEGIN_NS + index * FRAME_NS, what="evidence")
    assert middleware.count_logged("/camera/image: images of 16 bits are stretched") == 1
