"""Gyro and images compared while the camera turns: seldom enough, and a decision can be changed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from node_helpers import until
from swung_flight import swung_clip

from pvtpp.camera_motion import Gyro
from pvtpp_ros_nodes import imu_check
from pvtpp_ros_nodes.imu_check import RotationCheck

FLIGHT = np.array([0.0, 0.012, 0.004])
"""What flying past the ground looks like between two frames: a rotation that no gyro measures."""


class NoTarget:
    """A live tracker without a target."""

    def predict(self, t_ns):
        return None


class Seconds:
    """A clock that stands unless it is moved."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture(scope="module")
def clip():
    return swung_clip(1.5)


@pytest.fixture
def every_pair(monkeypatch):
    """Every pair of images is compared."""
    monkeypatch.setattr(imu_check, "PERIOD_S", 0.0)
    monkeypatch.setattr(imu_check, "SHARE", math.inf)


@pytest.fixture
def check(every_pair, no_thread_is_left):
    errors = []
    made = RotationCheck(errors.append)
    yield made
    made.close()
    assert errors == []


def gyro_of(clip, sign=1):
    gyro = Gyro(clip.gyro.camera_matrix)
    for t_ns, rate in zip(clip.gyro.t_ns, clip.gyro.rates):
        gyro.add(int(t_ns), sign * rate)
    return gyro


def show(check, frames):
    """Every frame, the next one when the images before have been compared."""
    for frame in frames:
        check.frame_arrived(frame, NoTarget())
        until(lambda: check.idle, what="the comparison of images")


def frames_of(clip):
    return [clip.frame(index) for index in range(len(clip))]


def test_the_decision_is_on_the_gyro_that_there_is(check, clip):
    check.begin(gyro_of(clip, -1))
    show(check, frames_of(clip))
    assert check.assessment == "inverted" and not check.trusted
    check.begin(gyro_of(clip))
    assert check.trusted and check.assessment == "unknown"
    show(check, frames_of(clip))
    assert check.assessment == "agrees" and check.trusted


def test_what_was_wrong_and_is_right_again_is_trusted_again(check, clip, monkeypatch):
    monkeypatch.setattr(imu_check, "KEPT", 20)
    gyro = gyro_of(clip, -1)
    check.begin(gyro)
    show(check, frames_of(clip))
    assert not check.trusted
    gyro.camera_from_imu = -gyro.camera_from_imu
    for t_ns, rate in zip(clip.gyro.t_ns, clip.gyro.rates):
        gyro.add(int(t_ns) + 10**10, -rate)
    later = frames_of(clip)
    for frame in later:
        frame.t_ns += 10**10
    show(check, later)
    assert check.trusted


def test_flight_past_the_ground_is_no_disagreement(check, clip, monkeypatch):
    own = imu_check.rotation_between
    monkeypatch.setattr(imu_check, "rotation_between", lambda *about: own(*about) + FLIGHT)
    check.begin(gyro_of(clip))
    show(check, frames_of(clip))
    assert check.assessment != "unknown" and check.trusted


def test_while_the_camera_does_not_turn_no_images_are_compared(check, clip):
    gyro = Gyro(clip.gyro.camera_matrix)
    for t_ns in clip.gyro.t_ns:
        gyro.add(int(t_ns), (0, 0, 0.01))
    check.begin(gyro)
    show(check, frames_of(clip))
    assert check.compared == 0 and check.trusted


@pytest.mark.parametrize(("takes_s", "every_s"), [(0.0, imu_check.PERIOD_S), (0.02, 0.02 / imu_check.SHARE)])
def test_comparing_takes_no_more_than_its_share_of_the_time(clip, monkeypatch, no_thread_is_left, takes_s, every_s):
    seconds, begun, own = Seconds(), [], imu_check.rotation_between

    def slow(*about):
        begun.append(seconds.now)
        seconds.now += takes_s
        return own(*about)

    monkeypatch.setattr(imu_check, "rotation_between", slow)
    check = RotationCheck(None, seconds)
    check.begin(gyro_of(clip))
    for index in range(len(clip)):
        seconds.now = max(seconds.now, index / 30)
        show(check, [clip.frame(index)])
    check.close()
    # Some frames of the swung camera turn too little to be compared: the next one is then as good.
    assert 3 <= len(begun) == check.compared and np.diff(begun).min() >= every_s - 1e-9


def test_an_image_that_does_not_decode_is_reported_and_the_next_one_compared(
    clip, monkeypatch, every_pair, no_thread_is_left
):
    reported, own, count = [], imu_check.rotation_between, [0]

    def once_broken(*about):
        count[0] += 1
        return 1 / 0 if count[0] == 1 else own(*about)

    monkeypatch.setattr(imu_check, "rotation_between", once_broken)
    check = RotationCheck(reported.append)
    check.begin(gyro_of(clip))
    show(check, frames_of(clip))
    assert [type(error) for error in reported] == [ZeroDivisionError] and check.compared > 0
    check.close()
