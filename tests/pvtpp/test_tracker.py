"""Frames, outputs and wrapped trackers: bad images and bad answers are refused where they appear."""

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp.tracker import Frame, TrackerOutput, as_tracker

IMAGE = np.zeros((24, 36, 3), np.uint8)


class Plain:
    """A toolkit-style tracker with a given answer."""

    def __init__(self, answer):
        self.answer = answer
        self.given = None

    def init(self, image, xywh):
        self.given = xywh

    def update(self, image):
        return self.answer


def test_an_image_is_loaded_once_at_the_first_access():
    calls = []
    frame = Frame(0, 0, lambda: calls.append(1) or IMAGE)
    assert calls == []
    assert frame.image is IMAGE and frame.image is IMAGE
    assert calls == [1]


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((0, 6, 3), np.uint8), "shape"),
        (np.zeros((4, 6), np.uint8), "shape"),
        (np.zeros((4, 6, 3), np.float32), "float32"),
        ("photo.jpg", "str"),
    ],
)
def test_a_bad_image_is_refused_with_its_source(image, words):
    with pytest.raises(InputError, match=words) as caught:
        _ = Frame(3, 0, lambda: image, source="img/000004.jpg").image
    assert "img/000004.jpg" in str(caught.value)


def test_a_frame_without_image_says_so():
    with pytest.raises(InputError, match="no image"):
        _ = Frame(3, 0).image


def test_a_frame_holds_no_bytes_before_its_image_is_loaded():
    frame = Frame(0, 0, lambda: IMAGE)
    assert frame.nbytes == Frame(0, 0).nbytes == 0
    assert frame.image.nbytes == frame.nbytes == IMAGE.nbytes


@pytest.mark.parametrize("similarity", [-0.1, 1.1, float("nan")])
def test_a_similarity_outside_0_to_1_is_refused(similarity):
    assert TrackerOutput([1, 2, 3, 4]).similarity is None
    with pytest.raises(InputError, match="similarity .* is outside"):
        TrackerOutput([1, 2, 3, 4], similarity=similarity)


@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan")])
def test_a_score_outside_0_to_1_is_refused(score):
    with pytest.raises(InputError, match="outside"):
        TrackerOutput(np.array([1.0, 2, 3, 4]), score)


@pytest.mark.parametrize(
    ("answer", "box", "score"),
    [
        ([10, 20, 4, 6], [12, 23, 4, 6], 1.0),
        (([10, 20, 4, 6], 0.5), [12, 23, 4, 6], 0.5),
        ((True, (10, 20, 4, 6)), [12, 23, 4, 6], 1.0),
        ((False, (0, 0, 0, 0)), [7, 9, 4, 8], 0.0),
    ],
)
def test_a_plain_tracker_is_wrapped_with_boxes_converted(answer, box, score):
    plain = Plain(answer)
    tracker = as_tracker(plain)
    tracker.init(Frame(0, 0, IMAGE), [7, 9, 4, 8])
    np.testing.assert_array_equal(plain.given, [5, 5, 4, 8])
    output = tracker.track(Frame(1, 33, IMAGE))
    np.testing.assert_array_equal(output.box, box)
    assert output.score == score


@pytest.mark.parametrize("answer", [[1, 2, np.nan, 4], [1, 2, 0, 4], [1, 2], None, "box"])
def test_a_wrapped_trackers_bad_answer_names_the_tracker(answer):
    tracker = as_tracker(Plain(answer))
    tracker.init(Frame(0, 0, IMAGE), [7, 9, 4, 8])
    with pytest.raises(InputError, match="Plain"):
        tracker.track(Frame(1, 33, IMAGE))


def test_tracking_before_init_is_refused():
    with pytest.raises(InputError, match="before init"):
        as_tracker(Plain([1, 2, 3, 4])).track(Frame(1, 33, IMAGE))


def test_an_object_that_is_no_tracker_is_refused_with_what_is_missing():
    with pytest.raises(InputError, match="track"):
        as_tracker(object())
