"""What cameras, clocks and trackers do wrong: each is told in words, and the node goes on."""

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
    until,
)

from pvtpp.errors import InputError
from pvtpp_ros_nodes import conversions
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
def test_an_image_that_is_none_is_told_and_the_next_one_taken(start, port, changed, text):
    core = start(port)
    begin(core, port)
    for index in range(1, 4):
        send(core, port, index, **changed)
    assert port.heard("/camera/image: ") and port.heard(text)
    assert len([each for each in port.told if text in each[1]]) == 1 and core.health.refused == 3
    follow(core, port, 4, 2)


def test_an_image_without_a_stamp_is_refused(start, port):
    core = start(port)
    message = image_message(port, 0)
    conversions.set_stamp(message.header.stamp, 0)
    core.on_image(message)
    assert port.heard("no stamp (0)")


@pytest.mark.parametrize("how", ["clock", "stamps"])
def test_time_that_goes_back_begins_anew_with_a_word(start, port, how):
    core = start(port)
    begin(core, port, 60)
    follow(core, port, 61, 3)
    if how == "clock":
        port.t_ns = BEGIN_NS
        until(lambda: port.heard("ROS time was set back by 2.105"))
    else:
        core.on_image(image_message(port, 0))
        assert port.heard("image stamps went back by 2.100")
    until(lambda: port.published["status"][-1].status == conversions.NO_TARGET)
    assert not core.live.active
    # By the same clock, wherever that is now: `send` would set it.
    core.on_image(image_message(port, 1))
    ok, text, target_id = core.init(roi_message(port, spot_xywh(100, 100)))
    assert ok and target_id == 2, text
    core.on_image(image_message(port, 2))
    until(lambda: newest_evidence(core) == BEGIN_NS + 2 * FRAME_NS)
    assert core.live.errors == []


def test_a_clock_that_follows_the_images_back_does_not_forget_the_target_given_in_between(start, port):
    core = start(port)
    begin(core, port, 60)
    follow(core, port, 61, 3)
    core.on_image(image_message(port, 0))
    assert core.init(roi_message(port, spot_xywh(100, 100)))[0]
    port.t_ns = BEGIN_NS
    until(lambda: port.heard("ROS time was set back by 2.105 s, as the images were before"))
    assert len([each for each in port.told if "the target is forgotten" in each[1]]) == 1
    follow(core, port, 1, 3, step=0)
    assert core.live.active and core.live.predict(port.t_ns).box[0] == pytest.approx(100, abs=2)
    log = port.logs()[core.answers.stream.target_id]
    assert all(row[1] < BEGIN_NS + 10**9 for row in log.rows), "an event is stamped by the clock of before"


def test_a_pause_outlives_time_that_goes_back(start, port):
    core = start(port)
    begin(core, port, 60)
    core.pause(True)
    core.on_image(image_message(port, 0))
    assert port.heard("image stamps went back by 2.000") and core.live.paused
    core.pause(False)
    core.on_image(image_message(port, 1))
    assert core.init(roi_message(port, spot_xywh(100, 100)))[0]


def test_silence_is_told_and_so_is_its_end(start, port):
    core = start(port, silent_s=0.05)
    begin(core, port)
    until(lambda: port.heard("no image on /camera/image for"))
    until(lambda: any(each.status[0].level == each.status[0].ERROR for each in port.published["diagnostics"]))
    send(core, port, 1)
    assert port.heard("images arrive on /camera/image again")


def test_images_from_the_future_are_told(start, port):
    core = start(port, silent_s=60.0)
    port.t_ns = BEGIN_NS - 10**8
    core.on_image(image_message(port, 0))
    until(lambda: port.heard("100.0 ms in the future"))


def test_before_simulated_time_has_begun_nothing_is_told(start, port):
    core = start(port)
    begin(core, port)
    port.t_ns += 1_000_000
    until(lambda: port.published["target"])
    port.t_ns = 0
    until(lambda: port.heard("ROS time was set back"))
    count = len(port.published["target"])
    send_at = port.t_ns
    core.on_image(image_message(port, 1))
    assert send_at == 0 and len(port.published["target"]) == count


def test_a_tracker_that_fails_is_told_once_a_second(start, port, monkeypatch):
    import bright_spot

    core = start(port)
    begin(core, port)
    follow(core, port, 1, 2)
    monkeypatch.setattr(bright_spot.BrightSpot, "track", lambda *_: 1 / 0)
    for index in range(3, 9):
        send(core, port, index)
        until(lambda index=index: core.live.counts["errors"] >= index - 2)
    assert len([each for each in port.told if "division" in each[1]]) == 1


def test_what_cannot_be_loaded_is_refused_at_the_start(port):
    with pytest.raises(InputError, match="unknown tracker 'none-such', expected one of"):
        Core(NodeConfig(tracker="none-such"), port, "/image")
    with pytest.raises(InputError, match="option|argument"):
        Core(NodeConfig(**QUICK, backend="tensorrt"), port, "/image")


def compressed_message(port, index, x, cut=None):
    message = port.message("sensor_msgs/CompressedImage")
    message.format, message.data = "png", cv2.imencode(".png", spot_image(x, 100))[1].tobytes()[:cut]
    conversions.set_header(message.header, BEGIN_NS + index * FRAME_NS, "camera")
    return message


def test_compressed_images_are_followed_and_one_that_is_cut_off_costs_itself_alone(start, port):
    core = start(port, image_transport="compressed", propagation="optical_flow")
    core.on_image(compressed_message(port, 0, 100))
    ok, text, _ = core.init(roi_message(port, spot_xywh(100, 100)))
    assert ok, text
    core.on_image(compressed_message(port, 1, 103, cut=40))
    until(lambda: port.heard("a compressed image of 40 bytes (png) does not decode"))
    for index in range(2, 5):
        core.on_image(compressed_message(port, index, 100 + 3 * index))
        until(lambda index=index: newest_evidence(core) == BEGIN_NS + index * FRAME_NS)
    assert core.live.active
