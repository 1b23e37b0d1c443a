"""tf is asked when somebody wants a rotation, and once connected."""

import sys
from types import ModuleType, SimpleNamespace

import pytest

from pvtpp.errors import InputError
from pvtpp_ros_nodes.rotations import Rotations


class Unknown(Exception):
    pass


@pytest.fixture
def tf(monkeypatch):
    """A stand-in for tf2_ros that knows one rotation; it notes who was connected, and what it was asked."""
    made = ModuleType("tf2_ros")
    made.connected, made.asked = [], []

    class Buffer:
        def lookup_transform(self, to_frame, from_frame, time):
            made.asked.append((to_frame, from_frame, time))
            if from_frame != "imu":
                raise Unknown
            return SimpleNamespace(transform=SimpleNamespace(rotation="a quaternion"))

    made.Buffer, made.TransformException = Buffer, Unknown
    made.TransformListener = lambda buffer, *others: made.connected.append(others)
    monkeypatch.setitem(sys.modules, "tf2_ros", made)
    return made


def test_it_connects_at_the_first_question_and_what_tf_does_not_know_is_none(tf):
    rotations = Rotations(0, "node")
    assert not tf.connected
    assert rotations.ask("camera", "imu") == "a quaternion" and rotations.ask("camera", "base") is None
    assert tf.connected == [("node",)] and tf.asked == [("camera", "imu", 0), ("camera", "base", 0)]


def test_without_tf_that_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2_ros", None)
    with pytest.raises(InputError, match="tf cannot be asked"):
        Rotations(0).ask("camera", "imu")
