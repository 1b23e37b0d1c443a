from __future__ import annotations

import os

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.sequence_files import SequenceFiles, annotation_clips, list_images, numbered_images


def names(paths):
    return [os.path.basename(path) for path in paths]


def test_images_are_listed_by_number_and_other_files_left_out(tree):
    for name in ("10.jpg", "9.PNG", "1.jpeg", ".2.jpg", "Thumbs.db", "notes.txt"):
        tree.text(f"img/{name}", "x")
    assert names(list_images(str(tree.root / "img"))) == ["1.jpeg", "9.PNG", "10.jpg"]


def test_images_are_chosen_by_the_number_in_their_name():
    paths = [f"/x/img{number:06d}.jpg" for number in range(5, 12)]
    assert numbered_images(paths, 7, 2, "/x") == ["/x/img000007.jpg", "/x/img000008.jpg"]
    with pytest.raises(InputError, match="/x: image number 12 is missing, expected 10 to 12"):
        numbered_images(paths, 10, 3, "/x")


def test_a_clip_without_image_folder_is_read_from_its_annotation_alone(tree):
    gt = tree.boxes("gt.txt")
    for clip in (SequenceFiles("a", str(gt)), SequenceFiles("a", str(gt), str(tree.root / "absent"))):
        assert clip.read().image_paths is None and len(clip.read()) == 4


def test_a_missing_image_folder_is_named_when_an_image_is_requested(tree):
    clip = SequenceFiles("a", str(tree.boxes("gt.txt")), str(tree.root / "img"))
    with pytest.raises(InputError, match=r"a frame 1, expected in the folder .*/img, which does not exist"):
        _ = clip.read().frame(1).image
    with pytest.raises(InputError, match=r"a frame 1 of .*gt\.txt"):
        _ = clip.read(images=False).frame(1).image


def test_images_can_be_left_out_although_present(tree):
    clip = SequenceFiles("a", str(tree.boxes("gt.txt")), str(tree.root / "img"))
    tree.images("img/%04d.jpg")
    assert len(clip.read().image_paths) == 4
    assert clip.read(images=False).image_paths is None


@pytest.mark.parametrize("count", [0, 3, 5])
def test_another_number_of_images_than_boxes_is_an_error_naming_both(tree, count):
    clip = SequenceFiles("a", str(tree.boxes("gt.txt")), str(tree.root / "img"))
    (tree.root / "img").mkdir()
    tree.images("img/%04d.jpg", count=count)
    with pytest.raises(InputError, match=rf"gt\.txt: {count} images for 4 camera frames"):
        clip.read()


def test_numbered_images_follow_the_camera_where_it_is_slower_than_the_world(tree):
    tree.images("img/%04d.jpg", first=1, count=9)
    gt = tree.boxes("gt.txt", count=7)
    sequence = SequenceFiles("a", str(gt), str(tree.root / "img"), first=4, world_fps=30, camera_fps=10).read()
    assert names(sequence.image_paths) == ["0004.jpg", "0005.jpg", "0006.jpg"]


def test_flagged_frames_become_nan_before_rows_are_skipped(tree):
    gt = tree.boxes("gt.txt")
    flags = tree.text("absent.txt", "1\n0\n1\n0\n")
    clip = SequenceFiles("a", str(gt), skip=1, absent=((str(flags), 1), (str(tree.root / "none.txt"), 1)))
    assert np.isnan(clip.read().ground_truth_xywh[:, 0]).tolist() == [False, True, False]
    flags.write_text("1\n0\n1\n")
    with pytest.raises(InputError, match=r"absent\.txt: 3 flags for 4 annotated frames"):
        clip.read()


def test_an_annotation_of_the_first_box_alone_spans_all_images(tree):
    gt = tree.boxes("gt.txt", count=1)
    tree.images("img/%04d.jpg")
    sequence = SequenceFiles("a", str(gt), str(tree.root / "img"), init_only=True).read()
    assert np.isnan(sequence.ground_truth_xywh[:, 0]).tolist() == [False, True, True, True]
    assert len(SequenceFiles("a", str(gt), init_only=True).read()) == 1


def test_flat_annotations_drop_the_gt_ending_of_a_name(tree):
    tree.boxes("S0101_gt.txt")
    tree.boxes("car1.txt")
    tree.text("readme.md", "x")
    assert [clip.name for clip in annotation_clips(str(tree.root))] == ["S0101", "car1"]
