"""Gyro and images held against each other while it flies: cheaply, and with a mind that can be changed."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from node_helpers import until
from swung_flight import swung_clip

from pvtpp.camera_motion import Gyro
from pvtpp_ros_nodes import imu_check
from pvtpp_ros_nodes.imu_check import RotationWatch

FLIGHT = np.array([0.0, 0.012, 0.004])
"""What flying past the ground looks like between two frames: a turn, that no gyro feels."""


class Nobody:
    """A live tracker without a target."""

    def predict(self, t_ns):
        return None


@pytest.fixture(scope="module")
def clip():
    return swung_clip(1.5)


@pytest.fixture
def watch(monkeypatch, no_thread_is_left):
    monkeypatch.setattr(imu_check, "PERIOD_S", 0.0)
    monkeypatch.setattr(imu_check, "SHARE", math.inf)
    errors = []
    made = RotationWatch(errors.append)
    yield made
    made.close()
    assert errors == []


def gyro_of(clip, sign=1):
    gyro = Gyro(clip.gyro.camera_matrix)
    for t_ns, rate in zip(clip.gyro.t_ns, clip.gyro.rates):
        gyro.add(int(t_ns), sign * rate)
    return gyro


def show(watch, clip):
    """Every frame; the watch looks at each pair while the camera turns."""
    for index in range(len(clip)):
        looks = watch.looks
        watch.frame_arrived(clip.frame(index), Nobody())
        end = time.monotonic() + 0.05
        while watch.looks == looks and time.monotonic() < end:
            time.sleep(0.001)


def test_the_judgement_follows_the_gyro_that_there_is(watch, clip, monkeypatch):
    watch.begin(gyro_of(clip, -1))
    show(watch, clip)
    until(lambda: watch.agreement.assessment == "inverted")
    assert not watch.trusted
    watch.begin(gyro_of(clip))
    assert watch.trusted and watch.agreement.assessment == "unknown"
    show(watch, clip)
    until(lambda: watch.agreement.assessment == "agrees")


def test_what_was_wrong_and_is_right_again_is_trusted_again(watch, clip, monkeypatch):
    monkeypatch.setattr(imu_check, "KEPT", 20)
    gyro = gyro_of(clip, -1)
    watch.begin(gyro)
    show(watch, clip)
    until(lambda: not watch.trusted)
    gyro.camera_from_imu = -gyro.camera_from_imu
    for t_ns, rate in zip(clip.gyro.t_ns, clip.gyro.rates):
        gyro.add(int(t_ns) + 10**10, -rate)
    later = [clip.frame(index) for index in range(len(clip))]
    for frame in later:
        frame.t_ns += 10**10
        watch.frame_arrived(frame, Nobody())
        time.sleep(0.02)
    until(lambda: watch.trusted)


def test_flight_past_the_ground_is_no_disagreement(watch, clip, monkeypatch):
    own = imu_check.rotation_between
    monkeypatch.setattr(imu_check, "rotation_between", lambda *about: own(*about) + FLIGHT)
    watch.begin(gyro_of(clip))
    show(watch, clip)
    until(lambda: watch.agreement.assessment != "unknown")
    assert watch.trusted


def test_of_a_camera_that_does_not_turn_no_image_is_looked_at(watch, clip):
    gyro = Gyro(clip.gyro.camera_matrix)
    for t_ns in clip.gyro.t_ns:
        gyro.add(int(t_ns), (0, 0, 0.01))
    watch.begin(gyro)
    show(watch, clip)
    assert watch.looks == 0 and watch.trusted


def test_looks_take_no_more_than_their_share(clip, no_thread_is_left):
    watch = RotationWatch(None)
    watch.begin(gyro_of(clip))
    begin = time.monotonic()
    show(watch, clip)
    # The first look is due at once.
    assert 1 <= watch.looks <= 1 + (time.monotonic() - begin) / imu_check.PERIOD_S
    watch.close()


def test_an_image_that_does_not_decode_is_told_and_the_next_one_looked_at(clip, monkeypatch, no_thread_is_left):
    monkeypatch.setattr(imu_check, "PERIOD_S", 0.0)
    monkeypatch.setattr(imu_check, "SHARE", math.inf)
    told, own, count = [], imu_check.rotation_between, [0]

    def once_broken(*about):
        count[0] += 1
        return 1 / 0 if count[0] == 1 else own(*about)

    monkeypatch.setattr(imu_check, "rotation_between", once_broken)
    watch = RotationWatch(told.append)
    watch.begin(gyro_of(clip))
    show(watch, clip)
    assert [type(error) for error in told] == [ZeroDivisionError] and watch.looks > 0
    watch.close()
