"""Rays and their turning agree with a camera that projects the other way round."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from message_fakes import message_class

from pvtpp.errors import InputError
from pvtpp.trajectory import Prediction
from pvtpp_ros_nodes.bearing import Camera

MATRIX = np.array([[500.0, 0, 330], [0, 510.0, 250], [0, 0, 1]])
PLUMB = [-0.2, 0.05, 0.001, -0.002, 0.01]


def info(generation=1, model="plumb_bob", distortion=(), **changed):
    made = message_class("sensor_msgs/CameraInfo", generation)()
    names = ("D", "K", "P") if generation == 1 else ("d", "k", "p")
    projection = np.hstack([MATRIX * [[0.9], [0.9], [1]], np.zeros((3, 1))])
    for name, value in zip(names, (distortion, MATRIX.ravel(), projection.ravel())):
        setattr(made, name, tuple(map(float, value)))
    made.distortion_model = model
    for name, value in changed.items():
        setattr(made, name, value)
    return made


def prediction(box, velocity=(0, 0, 0, 0), sigma=(0, 0, 0, 0)):
    return Prediction(0, *(np.array(values, dtype=np.float64) for values in (box, velocity, sigma)), 0.0)


points = st.tuples(st.floats(-0.4, 0.4), st.floats(-0.4, 0.4))


@given(points, st.sampled_from(["plumb_bob", "equidistant", "none"]), st.sampled_from([1, 2]))
def test_a_point_in_space_is_seen_in_its_own_direction(point, lens, generation):
    space = np.array([[[*point, 1.0]]])
    if lens == "equidistant":
        coefficients = [0.1, 0.01, 0.0, 0.0]
        pixels, _ = cv2.fisheye.projectPoints(space, np.zeros(3), np.zeros(3), MATRIX, np.array(coefficients))
        camera = Camera(info(generation, "equidistant", coefficients))
    else:
        coefficients = PLUMB if lens == "plumb_bob" else []
        pixels, _ = cv2.projectPoints(space, np.zeros(3), np.zeros(3), MATRIX, np.array(coefficients or [0.0] * 5))
        camera = Camera(info(generation, distortion=coefficients))
    (ray,) = camera.rays(pixels.reshape(1, 2))
    np.testing.assert_allclose(ray, space[0, 0] / np.linalg.norm(space), atol=1e-4)


@given(points, st.tuples(st.floats(-300, 300), st.floats(-300, 300)))
def test_the_ray_turns_as_its_angular_velocity_says(point, velocity):
    camera = Camera(info())
    centre = MATRIX[:2, :2] @ point + MATRIX[:2, 2]
    found = camera.direction(prediction([*centre, 20, 20], [*velocity, 0, 0]))
    (before,), (after,) = (
        camera.rays([centre - 0.01 * np.array(velocity)]),
        camera.rays([centre + 0.01 * np.array(velocity)]),
    )
    np.testing.assert_allclose(np.cross(found.rate, found.ray), (after - before) / 0.02, atol=5e-3)
    assert abs(found.rate @ found.ray) < 1e-9 and np.linalg.norm(found.ray) == pytest.approx(1)


def test_the_sigma_of_the_direction_is_that_of_the_pixels_over_the_focal_length():
    found = Camera(info()).direction(prediction([330, 250, 20, 20], sigma=[5, 5.1, 0, 0]))
    np.testing.assert_allclose(found.sigma, [0.01, 0.01], rtol=1e-3)
    np.testing.assert_allclose(found.ray, [0, 0, 1], atol=1e-12)


def test_a_rectified_image_counts_by_its_own_matrix_and_a_part_of_the_sensor_by_where_it_lies():
    rectified = Camera(info(distortion=PLUMB), rectified=True)
    np.testing.assert_allclose(rectified.rays([[330 * 0.9 + 45, 250 * 0.9]])[0, 0], np.sin(np.arctan(0.1)), rtol=1e-6)
    part = info(binning_x=2, binning_y=2)
    part.roi.x_offset, part.roi.y_offset = 30, 50
    np.testing.assert_allclose(Camera(part).rays([[150, 100]]), [[0, 0, 1]], atol=1e-12)


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 99), st.integers(0, 99), points)
def test_the_matrix_is_that_of_the_image_itself(across, down, left, above, point):
    part = info(binning_x=across, binning_y=down)
    part.roi.x_offset, part.roi.y_offset = left, above
    camera = Camera(part)
    seen = camera.matrix @ [*point, 1]
    np.testing.assert_allclose(
        camera.rays([seen[:2]])[0], np.array([*point, 1]) / np.linalg.norm([*point, 1]), atol=1e-9
    )


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"K": (0.0,) * 9}, "not calibrated"),
        ({"K": (float("nan"),) * 9}, "not finite"),
        ({"distortion_model": "magic"}, "unknown distortion model 'magic', expected one of: plumb_bob"),
        ({"distortion_model": "equidistant", "D": (0.1,) * 5}, "5 coefficients of 'equidistant', allowed are 0, 4"),
    ],
)
def test_a_calibration_that_is_none_says_why(changed, text):
    with pytest.raises(InputError, match=text):
        Camera(info(**changed))
