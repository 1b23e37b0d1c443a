from __future__ import annotations

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets import VideoSequence, load
from pvtpp_benchmarks.datasets.dataset_check import check, check_sequence


@pytest.fixture
def sound(tree):
    for name in ("a", "b"):
        tree.boxes(f"{name}/groundtruth.txt")
        tree.images(f"{name}/img/%06d.jpg")
    return tree


def only(problems):
    assert len(problems) == 1
    return problems[0]


def test_a_sound_data_set_has_rows_and_no_problems(sound):
    report = check(load("folder", sound.root))
    assert report.dataset == "data" and report.problems == ()
    row = report.rows[1]
    assert (row.name, row.frames, row.world_frames, row.camera_fps, row.world_fps) == ("b", 4, 4, 30, 30)
    assert (row.absent, row.images, row.size, row.outside) == (0, 4, (32, 24), 0)


def test_checking_goes_on_after_a_sequence_that_cannot_be_read(sound):
    sound.text("a/groundtruth.txt", "1,2\n")
    report = check(load("folder", sound.root))
    assert "groundtruth.txt, line 1" in only(report.problems)
    assert [len(row.problems) for row in report.rows] == [1, 0]


def test_a_missing_image_is_a_problem(sound):
    (sound.root / "b" / "img" / "000003.jpg").unlink()
    assert "3 images for 4 camera frames" in only(check(load("folder", sound.root)).problems)


@pytest.mark.parametrize("number, seen_by", [(1, ("ends", "all")), (4, ("ends", "all")), (2, ("all",))])
def test_images_that_do_not_decode_are_found_where_they_are_opened(sound, number, seen_by):
    sound.text(f"b/img/{number:06d}.jpg", "no image")
    for decode in ("ends", "all", "none"):
        problems = check(load("folder", sound.root), decode).problems
        assert len(problems) == (decode in seen_by)
        assert all(f"{number:06d}.jpg: not an image" in problem for problem in problems)


def test_an_unknown_decode_choice_lists_the_valid_ones(sound):
    with pytest.raises(InputError, match="valid: ends, all, none"):
        check(load("folder", sound.root), "some")


def test_images_of_changing_size_are_a_problem(sound):
    sound.images("b/img/%06d.jpg", 4, 1, size=(16, 24))
    assert "image is 16x24, the sequence began with 32x24" in only(check(load("folder", sound.root)).problems)


def test_boxes_wholly_outside_are_a_problem_and_partly_outside_are_not():
    rows = np.array([[-3, -2, 8, 6], [30, 20, 8, 6], [32, 5, 4, 4], [np.nan] * 4, [5, -9, 8, 9]])
    row = check_sequence(VideoSequence("a", rows, size=(32, 24)))
    assert (row.outside, row.absent) == (2, 1)
    assert "2 boxes lie wholly outside the 32x24 image, the first in row 3" in only(row.problems)


@pytest.mark.parametrize("first", [[np.nan] * 4, [1, 2, 0, 5], [1, 2, 5, -1]])
def test_a_first_box_where_no_tracker_can_start_is_a_problem(first):
    row = check_sequence(VideoSequence("a", np.array([first, [1, 2, 3, 4]], dtype=float)))
    assert row.absent == 1 and "no tracker can start" in only(row.problems)


def test_a_stated_size_that_the_images_contradict_is_a_problem(sound):
    sequence = load("folder", sound.root)["a"]
    wrong = VideoSequence("a", sequence.ground_truth_xywh, image_paths=sequence.image_paths, size=(64, 48))
    assert "images are 32x24, the annotation says 64x48" in only(check_sequence(wrong).problems)


def test_a_partial_copy_of_a_published_set_says_how_much_is_there(tree):
    tree.boxes("a/groundtruth_rect.txt")
    assert check(load("dtb70", tree.root)).problems == ("dtb70: 1 of the 70 published sequences are here",)
