"""The operator's box carries the stamp of the image it was drawn on, whichever ROS the image came by."""

from __future__ import annotations

import threading

import cv2
import pytest
from node_helpers import BEGIN_NS, FRAME_NS, image_message

from pvtpp.errors import InputError
from pvtpp_ros_nodes import conversions
from pvtpp_ros_nodes.roi_selector import RoiSelector, SelectorConfig


class FakeConnection:
    """A `Connection` that remembers; whoever subscribes gets `messages` at once."""

    def __init__(self, middleware, messages=(), readers=1):
        self.over, self.message = threading.Event(), middleware.message
        self.sent, self.logged, self.subscribed = [], [], []
        self._messages, self._readers = messages, readers

    def resolved(self, topic):
        return f"/camera/{topic}"

    def publisher(self, topic, kind, queue):
        made = type("Publisher", (), {"topic": self.resolved(topic)})()
        made.publish, made.readers = self.sent.append, lambda: self._readers
        return made

    def subscribe(self, topic, kind, take, queue):
        self.subscribed.append((topic, kind, queue))
        for message in self._messages:
            take(message)

    def log(self, level, text):
        self.logged.append((level, text))


@pytest.fixture
def window(monkeypatch):
    """A window in which the operator presses these keys and draws this box."""

    def operated(keys, drawn=(90, 90, 20, 30)):
        pressed = iter(keys)
        shown = []
        monkeypatch.setattr(cv2, "imshow", lambda name, image: shown.append(image))
        monkeypatch.setattr(cv2, "waitKey", lambda wait: next(pressed))
        monkeypatch.setattr(cv2, "selectROI", lambda name, image, showCrosshair: drawn)
        return shown

    return operated


def test_the_box_has_the_stamp_of_the_image_it_was_drawn_on(middleware, window):
    messages = [image_message(middleware, index) for index in range(3)]
    ros = FakeConnection(middleware, messages)
    shown = window([ord("x"), ord(" "), ord("q")])
    RoiSelector(ros, SelectorConfig()).run()
    (roi,) = ros.sent
    # The newest; older ones are not shown.
    assert len(shown) == 1 and conversions.stamp_ns(roi.header.stamp) == BEGIN_NS + 2 * FRAME_NS
    assert list(roi.xywh) == [90, 90, 20, 30] and roi.header.frame_id == "camera"
    assert ros.subscribed == [("/camera/image", "sensor_msgs/Image", 1)]


def test_nothing_is_sent_where_nothing_was_drawn_and_before_the_first_image(middleware1, window):
    for messages, drawn in (([image_message(middleware1, 0)], (0, 0, 0, 0)), ([], (1, 1, 5, 5))):
        ros = FakeConnection(middleware1, messages)
        window([ord(" "), ord("q")], drawn)
        RoiSelector(ros, SelectorConfig()).run()
        assert ros.sent == []


def test_images_that_cannot_be_shown_are_reported_once(middleware, window):
    ros = FakeConnection(middleware)
    selector = RoiSelector(ros, SelectorConfig())
    for _ in range(3):
        assert selector._image(image_message(middleware, 0, encoding="yuv422")) is None
    ((level, text),) = ros.logged
    assert level == "error" and "encoding 'yuv422' is not supported" in text
    assert selector._image(image_message(middleware, 1)) is not None
    assert selector._image(image_message(middleware, 0, encoding="yuv422")) is None and len(ros.logged) == 2


def test_a_box_that_nobody_reads_is_refused(middleware1, monkeypatch):
    monkeypatch.setattr("pvtpp_ros_nodes.roi_selector.READER_S", 0.0)
    ros = FakeConnection(middleware1, readers=0)
    with pytest.raises(InputError, match="nobody reads /camera/init_roi; is the tracker node running?"):
        RoiSelector(ros, SelectorConfig(xywh="1,2,3,4")).run()
    assert ros.sent == []
