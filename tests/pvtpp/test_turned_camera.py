"""A camera that is turned with its gyro: the offset of its stamps, or what is wrong with them."""

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp.tracker import Frame
from pvtpp.turned_camera import TurnedCamera
from pvtpp_benchmarks.synthetic.clip import render
from pvtpp_benchmarks.synthetic.config import AerialClip

MATRIX = np.array([[300.0, 0, 160], [0, 300, 90], [0, 0, 1]])
AXES = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])


@pytest.fixture(scope="module")
def clip():
    return render(AerialClip(swing=60.0, agility=0.3, occlusions=(), seconds=1.6, width=320, height=180))


def turned(clip, late_ns):
    camera = TurnedCamera(clip.gyro.camera_matrix, "camera 0")
    for index in range(len(clip)):
        camera.add(Frame(index, int(clip.camera_t_ns[index]) + late_ns, clip.frame(index).image))
    return camera


def test_late_stamps_have_a_negative_offset_whatever_the_axes_of_the_gyro(clip):
    camera = turned(clip, 30_000_000)
    samples = [(int(t), rate @ AXES) for t, rate in zip(clip.gyro.t_ns, clip.gyro.rates)]
    offset, explained = camera.offset(samples, AXES, 0.1)
    assert offset == pytest.approx(-0.03, abs=0.005) and explained > 0.8


def test_where_there_is_no_offset_the_error_says_what_would_fit(clip):
    samples = zip(clip.gyro.t_ns.tolist(), -clip.gyro.rates)
    with pytest.raises(InputError, match="check axes and sign first. As stamped: .*the angular velocity is negated"):
        turned(clip, 0).offset(samples, reach_s=0.1)


def test_stamps_that_do_not_increase_are_named():
    camera = TurnedCamera(MATRIX, "camera 0")
    image = np.zeros((180, 320, 3), np.uint8)
    camera.add(Frame(0, 10, image))
    with pytest.raises(InputError, match="camera 0: an image of stamp 10 ns after one of 10 ns"):
        camera.add(Frame(1, 10, image))
    assert camera.t_ns == [10]


def test_a_matrix_that_is_none_is_refused():
    with pytest.raises(InputError, match="camera matrix"):
        TurnedCamera(np.eye(2), "camera 0")
