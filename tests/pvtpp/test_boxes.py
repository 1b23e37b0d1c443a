"""Boxes: conversions, overlap, and errors that name a bad box and its source."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvtpp.boxes import as_box, box_to_xywh, iou, iou_of_two, require_in_image, xywh_to_box
from pvtpp.errors import InputError

positions = st.floats(-1e4, 1e4)
sides = st.floats(0.5, 1e4)
boxes = st.tuples(positions, positions, sides, sides).map(np.array)


@given(boxes)
def test_conversion_there_and_back_is_the_same_box(box):
    np.testing.assert_allclose(xywh_to_box(box_to_xywh(box)), box, rtol=0, atol=1e-9)


@given(boxes, boxes)
def test_overlap_is_symmetric_and_between_0_and_1(a, b):
    assert iou(a, b) == iou(b, a)
    assert 0 <= iou(a, b) <= 1


@given(boxes)
def test_a_box_overlaps_itself_fully(box):
    # Edges are recomputed from centre and size, so far from the origin a few last bits are lost.
    assert iou(box, box) == pytest.approx(1, abs=1e-9 * max(1, abs(box[:2]).max() / box[2:].min()))


@given(boxes, boxes, positions, positions, st.floats(0.1, 10))
def test_overlap_does_not_change_when_both_boxes_are_moved_and_scaled(a, b, dx, dy, scale):
    def moved(box):
        return scale * (box + np.array([dx, dy, 0, 0]))

    assert iou(moved(a), moved(b)) == pytest.approx(iou(a, b), abs=1e-6)


def test_overlap_of_known_boxes():
    assert iou([0, 0, 2, 2], [1, 0, 2, 2]) == pytest.approx(1 / 3)
    assert iou([0, 0, 2, 2], [2, 0, 2, 2]) == 0
    assert iou([0, 0, 0, 0], [0, 0, 0, 0]) == 0
    assert np.isnan(iou([np.nan, 0, 2, 2], [1, 0, 2, 2]))


@given(boxes, boxes)
def test_overlap_of_two_boxes_in_plain_floats_is_the_same_to_the_bit(a, b):
    for one, other in ((a, b), (a, a), (a, a + [a[2] / 3, a[3] / 7, 0, 0])):
        assert iou_of_two(one.tolist(), other.tolist()) == iou(one, other)


def test_overlap_broadcasts_over_leading_dimensions():
    many = np.tile([1.0, 2, 3, 4], (5, 7, 1))
    assert iou(many, many[0, 0]).shape == (5, 7)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([1, 2, np.nan, 4], "not finite"),
        ([1, 2, np.inf, 4], "not finite"),
        ([1, 2, 0, 4], "above 0"),
        ([1, 2, 3, -4], "above 0"),
        ([1, 2, 3], "expected 4 numbers"),
        ("a box", "four numbers"),
        (None, "four numbers|expected 4"),
    ],
)
def test_a_bad_box_is_refused_with_its_value_and_origin(value, words):
    with pytest.raises(InputError, match=words) as caught:
        as_box(value, "groundtruth.txt line 3")
    assert "groundtruth.txt line 3" in str(caught.value)


def test_a_checked_box_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        as_box([1, 2, 3, 4])[0] = 5


@pytest.mark.parametrize(
    "xywh", [(-500, 10, 20, 20), (330, 10, 20, 20), (10, 250, 20, 20), (319.5, 10, 20, 20), (-10, -10, 10.5, 10.5)]
)
def test_a_box_that_is_not_in_the_image_is_refused_by_its_corners(xywh):
    with pytest.raises(
        InputError, match="first box: left, top, width, height .* less than 1 pixels inside the 320 x 240"
    ):
        require_in_image(xywh_to_box(xywh), (320, 240), "first box")


@pytest.mark.parametrize("xywh", [(0, 0, 320, 240), (-10, 5, 12, 20), (310, 230, 40, 40), (100, 100, 1, 1)])
def test_a_box_that_is_partly_in_the_image_is_taken(xywh):
    box = xywh_to_box(xywh)
    assert require_in_image(box, (320, 240)) is box


def test_a_box_much_larger_than_the_image_or_smaller_than_asked_for_is_refused():
    with pytest.raises(InputError, match="is over twice as large as the 320 x 240 image"):
        require_in_image(xywh_to_box((0, 0, 2000, 2000)), (320, 240))
    with pytest.raises(InputError, match="less than 5 pixels inside"):
        require_in_image(xywh_to_box((50, 50, 3, 20)), (320, 240), least=5)
