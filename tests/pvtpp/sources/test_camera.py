"""Cameras by their driver: its time stamps where it has them, else the arrival. OpenCV is a stand-in here."""

import time

import cv2
import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp.sources import live_source
from pvtpp.sources.camera import camera_clock, open_camera, open_pipeline
from pvtpp.sources.source import Condition, Timing

MS = 10**6
IMAGE = np.zeros((12, 16, 3), np.uint8)


class FakeCapture:
    """Delivers `count` images, each stamped by the driver `age_ms` before on the monotonic clock; or not at all."""

    count, age_ms, opens = 5, 12.0, True

    def __init__(self, *source):
        self.source, self.left = source, FakeCapture.count

    def isOpened(self):
        return FakeCapture.opens

    def set(self, *setting):
        return True

    def get(self, what):
        if what == cv2.CAP_PROP_FPS:
            return 25.0
        return 0.0 if FakeCapture.age_ms is None else time.monotonic_ns() / MS - FakeCapture.age_ms

    def read(self):
        time.sleep(0.01)
        self.left -= 1
        return (True, IMAGE) if self.left >= 0 else (False, None)

    def release(self):
        pass


@pytest.fixture(autouse=True)
def capture(monkeypatch):
    monkeypatch.setattr(cv2, "VideoCapture", FakeCapture)
    monkeypatch.setattr(live_source, "FIRST_PAUSE_S", 0.01)
    for name, value in (("count", 5), ("age_ms", 12.0), ("opens", True)):
        monkeypatch.setattr(FakeCapture, name, value)
    return FakeCapture


def test_the_drivers_stamp_is_the_capture_time(capture):
    source = open_camera(0, camera_clock(0.0))
    frames = list(source.frames())
    assert source.timing is Timing.DRIVER and source.fps == 25 and source.delay_s >= 0.011
    assert frames and all(time.time_ns() - frame.t_ns > 11 * MS for frame in frames)


@pytest.mark.parametrize("age_ms", [None, 5000.0, -50.0])
def test_a_stamp_that_cannot_be_is_not_used(capture, age_ms):
    capture.age_ms = age_ms
    source = open_camera(0, camera_clock(0.004))
    list(source.frames())
    assert source.timing is Timing.ARRIVAL and source.delay_s == pytest.approx(0.004)


def test_a_camera_that_is_unplugged_ends_it_or_is_opened_again(capture):
    source, said = open_camera(0, camera_clock(0.0)), []
    list(source.frames(said.append))
    assert said == ["camera 0: it delivers no images any more"] and source.status.condition is Condition.ENDED
    source, said = open_camera(0, camera_clock(0.0), patient=True), []
    frames = source.frames(said.append)
    while source.connections < 3:
        next(frames)
    source.close()
    assert said.count("camera 0: playing again") >= 2 and list(frames) == []


def test_a_camera_that_does_not_open_is_one_error_with_what_there_is(capture):
    capture.opens = False
    with pytest.raises(InputError, match=r"camera 7: cannot be opened \(missing, or in use\); video devices here"):
        list(open_camera(7, camera_clock(0.0)).frames())


def test_a_pipeline_needs_an_appsink_and_an_opencv_that_knows_gstreamer(capture, monkeypatch):
    with pytest.raises(InputError, match="must end in appsink"):
        open_pipeline("videotestsrc ! autovideosink", camera_clock(0.0))
    known = []
    monkeypatch.setattr(cv2.videoio_registry, "getBackends", lambda: known)
    with pytest.raises(InputError, match="built without GStreamer"):
        open_pipeline("videotestsrc ! appsink", camera_clock(0.0))
    known.append(cv2.CAP_GSTREAMER)
    assert len(list(open_pipeline("videotestsrc ! appsink", camera_clock(0.0)).frames())) >= 1
