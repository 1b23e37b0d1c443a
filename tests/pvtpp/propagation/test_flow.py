"""One measured step on generated images, in which the motion of the target is known."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pvtpp.propagation.flow import BACKGROUND, measure, patch

BOX = np.array([160.0, 120, 40, 30])


def errors(scene, box, shift, scale=1.0, camera=(0.0, 0.0), guess=(0.0, 0.0, 1.0)):
    moved = np.array([box[0] + shift[0], box[1] + shift[1], box[2] * scale, box[3] * scale])
    step = measure(scene.grey(box), scene.grey(moved, camera), np.asarray(box, float), guess)
    return step, float(np.hypot(step.dx - shift[0], step.dy - shift[1])), abs(step.scale - scale)


@pytest.mark.parametrize("shift", [(0, 0), (0.4, -0.3), (3, 2), (-7.5, 6), (12, -9)])
def test_the_target_is_followed_to_a_tenth_of_a_pixel(scene, shift):
    step, centre, scale = errors(scene, BOX, shift)
    assert centre < 0.1 and scale < 0.01 and step.quality > 0.4


@pytest.mark.parametrize("scale", [0.92, 0.97, 1.03, 1.08])
def test_growing_and_shrinking_are_seen(scene, scale):
    step, centre, error = errors(scene, BOX, (2, -1), scale)
    assert centre < 0.3 and error < 0.25 * abs(scale - 1) and step.quality > 0.2


@pytest.mark.parametrize("size", [(10, 8), (20, 16), (60, 80), (150, 120), (12, 60)])
def test_any_size_of_target_is_followed_to_a_small_share_of_its_side(scene, size):
    box = np.array([160.0, 120, *size])
    side = np.sqrt(size[0] * size[1])
    _, centre, scale = errors(scene, box, (0.15 * side, -0.1 * side))
    assert centre < 0.04 * side and scale < 0.03


@pytest.mark.parametrize("size", [(16, 12), (40, 30)])
def test_the_target_is_followed_while_the_background_moves_the_other_way(scene, size):
    shift = np.array([0.2, 0.12]) * size[0]
    step, centre, _ = errors(scene, np.array([160.0, 120, *size]), shift, camera=-shift)
    assert centre < 0.03 * size[0] and step.quality > 0.3


def test_corners_of_the_box_that_are_background_do_not_pull(make_scene):
    """A round target in a square box, with a background of more contrast than its own."""
    scene = make_scene(seed=3)
    rows, columns = np.mgrid[:240, :320]

    def grey(x, camera):
        ground = scene.grey(None, camera)
        figure = 128 + 0.3 * (scene.grey((x, 120, 44, 44)).astype(float) - 128)
        inside = (columns + 0.5 - x) ** 2 + (rows + 0.5 - 120) ** 2 < 20**2
        return np.where(inside, figure, ground).astype(np.uint8)

    step = measure(grey(160, (0, 0)), grey(165, (-5, 0)), np.array([160.0, 120, 44, 44]))
    assert abs(step.dx - 5) < 0.5 and abs(step.dy) < 0.5


@pytest.mark.parametrize("shift", [(38, 0), (-30, 35), (0, 60)])
def test_a_jump_beyond_the_reach_of_the_pyramid_is_found_again(scene, shift):
    step, centre, _ = errors(scene, BOX, shift, camera=shift)
    assert centre < 0.2 and step.quality > 0.3


def test_a_guess_is_refined_not_taken_as_it_is(scene):
    _, centre, scale = errors(scene, BOX, (90, -40), guess=(84.0, -36.0, 1.02))
    assert centre < 0.2 and scale < 0.01


def test_the_background_alone_gives_at_most_a_low_quality(scene):
    """The target is flat in both images; only the ring around it shows motion."""

    def grey(camera):
        image = scene.grey(None, camera)
        x, y = 160 + camera[0], 120 + camera[1]
        cv2.rectangle(image, (x - 30, y - 30), (x + 30, y + 30), 128, -1)
        return image

    step = measure(grey((0, 0)), grey((3, -2)), np.array([160.0, 120, 40, 40]))
    assert 0 < step.quality <= BACKGROUND
    np.testing.assert_allclose([step.dx, step.dy, step.scale], [3, -2, 1], atol=0.2)


def test_where_nothing_is_seen_the_step_is_the_guess_at_quality_0():
    blank = np.full((240, 320), 90, np.uint8)
    step = measure(blank, blank, BOX, (3.0, -2.0, 1.1))
    assert (step.dx, step.dy, step.scale, step.quality) == (3.0, -2.0, 1.1, 0.0)


def test_unrelated_images_give_a_low_quality(scene, make_scene):
    assert measure(scene.grey(BOX), make_scene(seed=50).grey(None), BOX).quality < 0.1


@pytest.mark.parametrize("light", [-40, 25, 60])
def test_a_change_of_exposure_is_not_motion(scene, light):
    before = cv2.add(scene.grey(BOX) // 2, 60)
    after = np.clip(scene.grey(BOX + [5, 3, 0, 0], (5, 3)).astype(int) // 2 + 60 + light, 0, 255).astype(np.uint8)
    step = measure(before, after, BOX)
    assert abs(step.dx - 5) < 0.2 and abs(step.dy - 3) < 0.2 and step.quality > 0.3


@pytest.mark.parametrize("box", [(4, 120, 40, 30), (310, 230, 40, 30)])
def test_a_target_half_outside_is_followed_by_its_visible_half(scene, box):
    step, centre, _ = errors(scene, np.array(box, float), (3, -2), camera=(3, -2))
    assert centre < 0.5 and 0 < step.quality < 0.9


@pytest.mark.parametrize(
    "box", [(-500, 120, 40, 30), (160, 1e9, 40, 30), (160, 120, 0.2, 0.2), (160, 120, 1e200, 1e200), (1e-300,) * 4]
)
def test_a_box_that_is_no_target_of_this_image_is_not_followed(scene, box):
    grey = scene.grey(BOX)
    assert measure(grey, grey, np.array(box, float)).quality == 0


PLACES, SIDES, PIXELS = st.floats(-700, 700), st.floats(0.5, 3000), st.integers(1, 60)


@settings(max_examples=40)
@given(PLACES, PLACES, SIDES, SIDES, PIXELS, PIXELS)
def test_any_box_on_any_image_gives_a_finite_step(x, y, w, h, rows, columns):
    images = np.random.default_rng(rows * 61 + columns).integers(0, 256, (2, rows, columns), dtype=np.uint8)
    step = measure(images[0], images[1], np.array([x, y, w, h]))
    assert np.isfinite([step.dx, step.dy, step.scale]).all() and step.scale > 0
    assert 0 <= step.quality <= 1


@pytest.mark.parametrize("zoom", [2.5, 1.0, 0.6, 0.2])
def test_a_patch_is_centred_where_it_was_asked_for(zoom):
    rows, columns = np.mgrid[:240, :320] + 0.5
    middle = [patch(np.float32(axis), 130.3, 98.6, zoom, 41, 31)[15, 20] for axis in (columns, rows)]
    np.testing.assert_allclose(middle, [130.3, 98.6], atol=0.05)


def test_the_same_images_give_the_same_step_to_the_bit(scene):
    images = scene.grey(BOX), scene.grey(BOX + [6, -4, 1, 1], (-3, 2))
    first, second = measure(*images, BOX), measure(*images, BOX)
    assert first[1:] == second[1:]
