"""A swung camera and its gyro: the rate is that of the rotation, and the swing does not move the camera."""

import numpy as np
import pytest

from pvtpp.camera_motion import Gyro
from pvtpp.errors import InputError
from pvtpp_benchmarks.synthetic.config import AerialClip
from pvtpp_benchmarks.synthetic.scene import AerialScene


def test_the_rate_integrates_to_the_rotation_of_the_camera():
    scene = AerialScene(AerialClip(swing=60.0))
    first, last = scene.camera_at(0.5), scene.camera_at(1.1)
    lens = np.array([[first.focal, 0, first.centre[0]], [0, first.focal, first.centre[1]], [0, 0, 1]])
    gyro = Gyro(lens)
    for t in np.arange(0.4, 1.2, 0.001):
        gyro.add(round(t * 1e9), scene.rate_at(t))
    expected = lens @ last.rotation @ first.rotation.T @ np.linalg.inv(lens)
    np.testing.assert_allclose(gyro.homography(5 * 10**8, 11 * 10**8), expected, atol=0.05)


def test_the_swing_reaches_its_peak_rate_and_leaves_the_position_alone():
    calm, swung = AerialScene(AerialClip(agility=0.0)), AerialScene(AerialClip(agility=0.0, swing=60.0))
    times = np.arange(0, 3, 0.01)
    peak = max(np.linalg.norm(swung.rate_at(t) - calm.rate_at(t)) for t in times)
    assert np.degrees(peak) == pytest.approx(60, rel=0.06)
    for t in times[::50]:
        np.testing.assert_array_equal(calm.camera_at(t).position, swung.camera_at(t).position)


def test_a_swing_beyond_180_degrees_per_second_is_refused():
    with pytest.raises(InputError, match="swing is 200"):
        AerialClip(swing=200)
