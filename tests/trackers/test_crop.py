"""The crop is PySOT's crop to the last bit, and for the largest windows to within rounding."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pvtpp_trackers.crop import (
    LARGEST,
    bounded,
    channel_average,
    context_side,
    crop,
    first_centre,
    planes_of,
    to_blob,
    window_corner,
)


def smooth_image(width=320, height=240, seed=0):
    """Grey levels that change by a few per pixel, as in a real image."""
    rng = np.random.default_rng(seed)
    return cv2.resize(rng.integers(0, 256, (height // 16, width // 16, 3), dtype=np.uint8), (width, height))


IMAGE = smooth_image()


def padded_crop(image, x, y, side, size, fill):
    """The long way: a padded copy of the image, the window cut out of it, and OpenCV's resize."""
    corner = side // 2 + max(image.shape) + side
    padded = cv2.copyMakeBorder(image, corner, corner, corner, corner, cv2.BORDER_CONSTANT, value=fill)
    left = int(np.floor(x - (side + 1) / 2 + 0.5)) + corner
    top = int(np.floor(y - (side + 1) / 2 + 0.5)) + corner
    window = padded[top : top + side, left : left + side]
    return window if side == size else cv2.resize(window, (size, size))


centres = st.floats(0, 320), st.floats(0, 240)


@given(*centres, st.integers(1, 700), st.sampled_from([127, 255]))
def test_the_crop_is_the_reference_to_the_last_bit(x, y, side, size):
    side, fill = min(side, LARGEST * size), channel_average(IMAGE)
    assert np.array_equal(crop(IMAGE, x, y, side, size, fill), padded_crop(IMAGE, x, y, side, size, fill))


@given(*centres, st.integers(1, 600))
def test_a_window_beyond_that_is_the_reference_to_within_rounding(x, y, more):
    size, side, fill = 127, LARGEST * 127 + more, channel_average(IMAGE)
    got = crop(IMAGE, x, y, side, size, fill).astype(int)
    want = padded_crop(IMAGE, x, y, side, size, fill).astype(int)
    # The outermost row interpolates with the pixel beyond the window, where resize repeats the window's own.
    difference = np.abs(got - want)[1:-1, 1:-1]
    # 1/64 pixel each way at an edge from image to fill, of at most 255 grey levels.
    assert difference.max() <= 9
    assert difference.mean() < 0.5


@given(*centres, st.integers(1, 3))
def test_the_smallest_windows_still_give_a_crop(x, y, side):
    assert crop(IMAGE, x, y, side, 255, (0.0, 0.0, 0.0)).shape == (255, 255, 3)


def test_far_outside_there_is_only_fill():
    assert (crop(IMAGE, 5000.0, 5000.0, 100, 127, (10.0, 20.0, 30.0)) == [10, 20, 30]).all()


def test_crop_and_blob_write_into_the_buffers_given():
    patch, blob = np.empty((127, 127, 3), np.uint8), np.empty((1, 3, 127, 127), np.float32)
    for x in (160.0, 2.0):
        assert np.shares_memory(crop(IMAGE, x, 120.0, 90, 127, (0.0, 0.0, 0.0), patch), patch)
    assert to_blob(patch, blob, planes_of(len(patch))) is blob
    assert np.array_equal(blob[0].transpose(1, 2, 0), patch)
    assert np.array_equal(to_blob(patch), blob)


@given(*centres, st.integers(1, 500))
def test_the_window_is_rounded_to_the_nearest_pixel(x, y, side):
    left, top = window_corner(x, y, side)
    assert abs(left - (x - (side + 1) / 2)) <= 0.5
    assert abs(top - (y - (side + 1) / 2)) <= 0.5


def test_the_channel_average_is_cut_to_whole_grey_levels():
    image = np.zeros((2, 2, 3), np.uint8)
    image[0, 0] = [255, 7, 3]
    assert channel_average(image) == (63.0, 1.0, 0.0)


def test_the_first_centre_is_half_a_pixel_before_the_box_centre():
    left, top, w, h = 10.0, 20.0, 31.0, 40.0
    box = np.array([left + w / 2, top + h / 2, w, h])
    assert first_centre(box).tolist() == [left + (w - 1) / 2, top + (h - 1) / 2]


def test_context_side_of_a_square_target():
    assert context_side(10.0, 10.0, 0.5) == 20.0


def test_bounded_keeps_the_centre_in_the_image_and_the_size_between_minimum_and_image():
    image = np.zeros((100, 200, 3), np.uint8)
    assert bounded(-5.0, 120.0, 3.0, 500.0, image, 10.0) == (0.0, 100.0, 10.0, 100.0)
    assert bounded(50.0, 60.0, 20.0, 30.0, image, 10.0) == (50.0, 60.0, 20.0, 30.0)
