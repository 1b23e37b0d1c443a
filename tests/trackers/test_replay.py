"""Recorded boxes come back by frame index, and what is no box is a loss, not an error."""

from __future__ import annotations

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp.tracker import Frame
from pvtpp_trackers.registry import create

NAN = float("nan")
ROWS = [[0, 0, 10, 10], [5, 5, 10, 20], [NAN] * 4, [3, 3, 0, 5], [8, 8, 4, 4]]
FIRST = np.array([50.0, 50.0, 10.0, 10.0])


def started(rows=ROWS):
    tracker = create("replay", xywh_boxes=rows)
    tracker.init(Frame(0, 0), FIRST)
    return tracker


def test_rows_are_found_by_frame_index_in_any_order():
    tracker = started()
    assert tracker.track(Frame(4, 0)).box.tolist() == [10, 10, 4, 4]
    assert tracker.track(Frame(1, 0)).box.tolist() == [10, 15, 10, 20]
    assert tracker.track(Frame(1, 0)).score == 1.0


@pytest.mark.parametrize("index", [2, 3])
def test_a_row_that_is_no_box_repeats_the_last_one_at_score_zero(index):
    output = started().track(Frame(index, 0))
    assert output.box.tolist() == [10, 15, 10, 20]
    assert output.score == 0.0


def test_before_any_box_the_first_box_stands():
    output = started([[NAN] * 4, [1, 1, 2, 2]]).track(Frame(0, 0))
    assert output.box.tolist() == FIRST.tolist()
    assert output.score == 0.0


@pytest.mark.parametrize("index", [5, -1])
def test_a_frame_beyond_the_recording_is_refused(index):
    with pytest.raises(InputError, match=f"frame index {index} is outside the 5 recorded rows"):
        started().track(Frame(index, 0))


@pytest.mark.parametrize("rows", [[], [1, 2, 3, 4], [[1, 2, 3]], "boxes", [["a", "b", "c", "d"]]])
def test_what_is_no_table_of_boxes_is_refused(rows):
    with pytest.raises(InputError, match="xywh_boxes"):
        create("replay", xywh_boxes=rows)


def test_track_before_init_is_refused():
    with pytest.raises(InputError, match="before init"):
        create("replay", xywh_boxes=ROWS).track(Frame(0, 0))
