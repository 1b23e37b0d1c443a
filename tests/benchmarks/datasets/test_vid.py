"""ImageNet VID in miniature: one sequence per target, gathered once from a file per frame."""

from __future__ import annotations

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets import load

VIDEO = "ILSVRC2015_VID_train_0001/ILSVRC2015_train_00017000"


def target(track, left):
    sides = {"xmin": left, "ymin": 3, "xmax": left + 9, "ymax": 8}
    box = "".join(f"<{name}>{value}</{name}>" for name, value in sides.items())
    return (
        f"<object><trackid>{track}</trackid><name>n02084071</name><bndbox>{box}</bndbox><occluded>0</occluded></object>"
    )


def annotate(tree, video, frames, split="train"):
    """`frames`: for each frame its objects."""
    for number, objects in enumerate(frames):
        size = "<size><width>32</width><height>24</height></size>"
        text = f"<annotation><filename>{number:06d}</filename>{size}{''.join(objects)}</annotation>"
        tree.text(f"Annotations/VID/{split}/{video}/{number:06d}.xml", text)


def test_every_target_is_a_sequence_from_its_first_frame_to_its_last(tree):
    annotate(
        tree, VIDEO, [[target(0, 4)], [target(0, 5), target(1, 20)], [target(1, 21)], [target(0, 7), target(1, 22)], []]
    )
    tree.images(f"Data/VID/train/{VIDEO}/%06d.JPEG", 0, 5)
    dataset = load("imagenet-vid", tree.root, "train")
    assert dataset.names == ("ILSVRC2015_train_00017000.0", "ILSVRC2015_train_00017000.1")
    first, second = dataset
    np.testing.assert_array_equal(first.ground_truth_xywh[[0, 1, 3]], [[4, 3, 10, 6], [5, 3, 10, 6], [7, 3, 10, 6]])
    assert np.isnan(first.ground_truth_xywh[2]).all() and first.size == (32, 24)
    assert [path[-11:] for path in second.image_paths] == ["000001.JPEG", "000002.JPEG", "000003.JPEG"]


def test_videos_of_val_lie_one_level_higher_and_images_may_be_missing(tree):
    annotate(tree, "ILSVRC2015_val_00000001", [[target(0, 4)], [target(0, 6)], [target(3, 6)]], "val")
    (only,) = load("VID", tree.root)
    assert only.name == "ILSVRC2015_val_00000001.0" and len(only) == 2 and only.image_paths is None


def test_a_video_is_gathered_once_and_again_when_it_changes(tree):
    annotate(tree, VIDEO, [[target(0, 4)], [target(0, 5)]])
    assert len(load("imagenet-vid", tree.root, "train")[0]) == 2
    broken = tree.root / "Annotations" / "VID" / "train" / VIDEO / "000001.xml"
    text = broken.read_text()
    broken.write_text("<annotation>")
    assert len(load("imagenet-vid", tree.root, "train")[0]) == 2
    tree.text(f"Annotations/VID/train/{VIDEO}/000002.xml", text)
    with pytest.raises(InputError, match=r"000001\.xml: not an annotation in XML"):
        load("imagenet-vid", tree.root, "train")


def test_another_folder_is_refused_with_what_is_expected(tree):
    tree.text("readme.txt", "nothing")
    with pytest.raises(InputError, match="no sequence of imagenet-vid"):
        load("imagenet-vid", tree.root)
