"""A clip answers with the truth of a time or of its frames, and keeps no image that somebody looked at."""

from __future__ import annotations

import weakref

import numpy as np
import pytest

from pvtpp.clip import Clip
from pvtpp.errors import InputError
from pvtpp.tracker import Frame
from pvtpp_benchmarks.datasets.sequence import VideoSequence

XYWH = np.array([[10.0 * i, 20, 8, 6] for i in range(6)])
BOXES = XYWH + [4, 3, 0, 0]


def test_a_sequence_becomes_a_clip_with_the_truth_of_every_world_frame():
    clip = Clip.of(VideoSequence("walk", XYWH, world_fps=30.0, camera_fps=15.0))
    assert (clip.name, clip.length) == ("walk", 3) and clip.frame_t_ns() == [0, 66666667, 133333333]
    np.testing.assert_array_equal(clip.truth, BOXES)
    np.testing.assert_array_equal(clip.frame_truth(), BOXES[::2])


def test_there_is_no_truth_between_annotations_after_them_and_while_the_target_is_absent():
    absent = XYWH.copy()
    absent[2] = np.nan
    clip = Clip.of(VideoSequence("walk", absent))
    times = clip.truth_t_ns
    np.testing.assert_array_equal(clip.box_at(times[1]), BOXES[1])
    for t_ns in (times[1] + 1, times[2], times[-1] + 1):
        assert np.isnan(clip.box_at(t_ns)).all()
    assert np.isfinite(clip.frame_truth()).all(1).tolist() == [True, True, False, True, True, True]


def test_a_decoded_image_is_not_kept():
    clip = Clip(
        "c", 2, lambda index: Frame(index, index, lambda: np.zeros((4, 4, 3), np.uint8)), np.arange(2), BOXES[:2]
    )
    image = weakref.ref(clip.frame(0).image)
    assert image() is None


@pytest.mark.parametrize(("length", "times"), [(0, 2), (2, 3)])
def test_a_clip_without_frames_and_one_whose_truth_does_not_fit_are_refused(length, times):
    with pytest.raises(InputError, match="clip c: .* expected at least one frame"):
        Clip("c", length, lambda index: Frame(index, index), np.arange(times), BOXES[:2])
