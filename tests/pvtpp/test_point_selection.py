"""A click becomes the box of what moves there, and nothing where the target does not stand out by its motion."""

import cv2
import numpy as np
import pytest

from pvtpp.boxes import iou, xywh_to_box
from pvtpp.errors import InputError
from pvtpp.point_selection import APART_NS, box_of_motion
from pvtpp_benchmarks.synthetic.clip import render
from pvtpp_benchmarks.synthetic.config import AerialClip

SIZE = (320, 180)


@pytest.fixture(scope="module")
def ground():
    """A textured plane, larger than the image."""
    rng = np.random.default_rng(4)
    coarse = rng.integers(40, 200, (45, 80), dtype=np.uint8)
    return cv2.GaussianBlur(cv2.resize(coarse, (480, 270), interpolation=cv2.INTER_CUBIC), (3, 3), 0)


@pytest.fixture(scope="module")
def car():
    return cv2.resize(
        np.random.default_rng(5).integers(0, 255, (4, 7), dtype=np.uint8), (36, 20), interpolation=cv2.INTER_CUBIC
    )


def scene(ground, camera=(0, 0), car=None, at=(0, 0)):
    """The image of a camera above the plane, with a car's left upper corner at a place of the image."""
    image = ground[40 + camera[1] : 40 + camera[1] + SIZE[1], 60 + camera[0] : 60 + camera[0] + SIZE[0]].copy()
    if car is not None:
        image[at[1] : at[1] + car.shape[0], at[0] : at[0] + car.shape[1]] = car
    return image


def test_what_moves_over_the_ground_is_found_also_by_a_camera_that_moves(ground, car):
    truth = np.array([138, 90, 36, 20])
    for camera in ((0, 0), (5, -3)):
        before, after = scene(ground, (0, 0), car, (115, 79)), scene(ground, camera, car, (120, 80))
        assert iou(box_of_motion(before, after, truth[:2]), truth) > 0.6
        # Where exactly it is clicked matters little.
        assert iou(box_of_motion(before, after, truth[:2] + [9, -4]), truth) > 0.6


def test_large_images_are_reduced_and_the_box_is_in_their_pixels(ground, car):
    before, after = scene(ground, (0, 0), car, (115, 79)), scene(ground, (0, 0), car, (120, 80))
    small = box_of_motion(before, after, (138, 90))
    large = [cv2.cvtColor(cv2.resize(each, (1280, 720)), cv2.COLOR_GRAY2BGR) for each in (before, after)]
    assert iou(box_of_motion(*large, (4 * 138, 4 * 90)), 4 * small) > 0.6


@pytest.mark.parametrize("point", [(30, 40), (0, 0), (320, 180)])
def test_the_ground_is_no_target(ground, car, point):
    before, after = scene(ground, (0, 0), car, (115, 79)), scene(ground, (5, -3), car, (120, 80))
    assert box_of_motion(before, after, point) is None


def test_a_target_that_stands_still_is_not_found_and_an_image_without_texture_has_none(ground, car):
    standing = scene(ground, (0, 0), car, (115, 79))
    assert box_of_motion(standing, scene(ground, (5, 0), car, (110, 79)), (128, 89)) is None
    blank = np.full((180, 320), 90, np.uint8)
    assert box_of_motion(blank, blank, (100, 90)) is None


def test_where_everything_moves_by_itself_nothing_is_found(ground):
    rng = np.random.default_rng(6)
    before, after = scene(ground), scene(ground)
    for image in (before, after):
        image[50:130, 90:190] = rng.integers(0, 255, (80, 100), dtype=np.uint8)
    assert box_of_motion(before, after, (140, 90)) is None


def test_on_generated_flights_it_is_better_than_a_square():
    clip = render(AerialClip("flight", 1, seconds=2.0, occlusions=()))
    times, truth = clip.camera_t_ns, xywh_to_box(clip.ground_truth_xywh)[:: clip.stride]
    steps = int(np.searchsorted(times, times[0] + APART_NS))
    overlaps = []
    for index in range(steps, len(clip), 9):
        box = truth[index]
        found = box_of_motion(clip.frame(index - steps).image, clip.frame(index).image, box[:2])
        overlaps.append([0.0 if found is None else iou(found, box), iou([*box[:2], 64.0, 64.0], box)])
    found, square = np.mean(overlaps, axis=0)
    assert found > 0.6 and found > square + 0.1


def test_the_images_and_the_point_are_checked(ground):
    image = scene(ground)
    with pytest.raises(InputError, match="images of two sizes"):
        box_of_motion(image, image[:100], (5, 5))
    for point in ((-1, 5), (5, 181), (np.nan, 5)):
        with pytest.raises(InputError, match="is outside of the image of 320 x 180 pixels"):
            box_of_motion(image, image, point)
