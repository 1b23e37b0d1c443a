"""A camera without distortion: rays, its field of view, and how fast a direction turns."""

import math

import numpy as np
import pytest

from pvtpp.bearing import Pinhole
from pvtpp.errors import InputError
from pvtpp.trajectory import Prediction

CAMERA = Pinhole(np.array([[600.0, 0, 320], [0, 600, 180], [0, 0, 1]]))


def prediction(centre, velocity=(0.0, 0.0), sigma=(0.0, 0.0)):
    parts = ([*centre, 20, 20], [*velocity, 0, 0], [*sigma, 0, 0])
    return Prediction(0, *(np.array(part, dtype=np.float64) for part in parts), 0.0)


def test_the_border_of_the_image_is_half_of_the_field_of_view_away():
    camera = Pinhole.of_view((640, 360), 70.0)
    (ray, middle) = camera.rays([[640, 180], [320, 180]])
    assert math.degrees(math.atan2(ray[0], ray[2])) == pytest.approx(35)
    np.testing.assert_allclose(middle, [0, 0, 1], atol=1e-12)


def test_a_target_that_moves_right_turns_about_the_axis_that_points_down():
    found = CAMERA.direction(prediction((320, 180), (60.0, 0.0), (6.0, 3.0)))
    np.testing.assert_allclose(found.rate, [0, 0.1, 0], atol=1e-6)
    np.testing.assert_allclose(found.sigma, [0.01, 0.005], atol=1e-6)


@pytest.mark.parametrize("angle", [0, 180, -5, math.nan])
def test_a_field_of_view_that_is_none_is_refused(angle):
    with pytest.raises(InputError, match="horizontal field of view"):
        Pinhole.of_view((640, 360), angle)
    with pytest.raises(InputError, match="camera matrix"):
        Pinhole(np.eye(3) * [[0], [1], [1]])
    with pytest.raises(InputError, match="the image is 0 x 360 pixels"):
        Pinhole.of_view((0, 360), 60)
