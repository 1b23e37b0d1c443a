"""What a camera sees: planes and points have one geometry, and an overpass hides what it was made to hide."""

import numpy as np
import pytest

from pvtpp_benchmarks.synthetic import scenery
from pvtpp_benchmarks.synthetic.view import Camera, _draw, about, box_xywh, hidden, overpass_between

SIZE = (640, 360)
EYE = np.array([5.0, 40.0, -30.0])
CAMERA = Camera(about(0, np.radians(40) - np.pi / 2) @ about(2, 0.2), EYE, 600.0, np.array(SIZE) / 2)


def car_at(x):
    return x, 0.5, 0.0


def placed(x):
    return scenery.vehicle((60, 60, 190), (70, 80, 210)).placed(*car_at(x))


def test_a_point_on_a_plane_is_where_the_planes_homography_has_it():
    for height in (0.0, 6.0):
        made = CAMERA.plane(height) @ [2.0, -3.0, 1.0]
        np.testing.assert_allclose(made[:2] / made[2], CAMERA.project(np.array([2.0, -3.0, -height])), atol=1e-9)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_rotations_turn_right_handed_about_their_axis(axis):
    made = about(axis, 0.3)
    np.testing.assert_allclose(made @ made.T, np.eye(3), atol=1e-12)
    second, third = np.eye(3)[(axis + 1) % 3], np.eye(3)[(axis + 2) % 3]
    np.testing.assert_allclose(made @ second, np.cos(0.3) * second + np.sin(0.3) * third, atol=1e-12)


def test_the_box_holds_every_corner_and_no_more():
    left, top, width, height = box_xywh(CAMERA, placed(0.0))
    seen = CAMERA.project(placed(0.0).faces.reshape(-1, 3))
    np.testing.assert_allclose(seen.min(axis=0), [left, top])
    np.testing.assert_allclose(seen.max(axis=0), [left + width, top + height])


@pytest.mark.filterwarnings("error")
def test_a_car_that_passes_under_the_camera_is_drawn_without_a_warning():
    low = Camera(CAMERA.rotation, placed(0.0).faces.mean(axis=(0, 1)), CAMERA.focal, CAMERA.centre)
    _draw(np.zeros((SIZE[1], SIZE[0], 3), np.uint8), low, [placed(0.0), placed(1.0)])


def test_an_overpass_hides_the_car_at_its_moments_and_between_and_not_elsewhere():
    overpass = overpass_between([EYE] * 3, [car_at(x) for x in (-4.0, 0.0, 4.0)], 12.0, np.random.default_rng(0))
    assert all(hidden(CAMERA, SIZE, placed(x), [overpass]) > 0.95 for x in (-4.0, -1.5, 0.0, 2.0, 4.0))
    assert all(hidden(CAMERA, SIZE, placed(x), [overpass]) == 0 for x in (-10.0, 10.0))
    assert hidden(CAMERA, SIZE, placed(0.0), []) == 0


def test_what_is_out_of_the_image_is_hidden_too():
    assert hidden(CAMERA, SIZE, placed(200.0), []) == 1
