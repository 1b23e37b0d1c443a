from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets import load
from pvtpp_benchmarks.datasets.box_files import read_xywh
from pvtpp_benchmarks.datasets.dataset_check import check


def sequence(tree, place, count=4):
    tree.boxes(f"{place}/groundtruth.txt", count)
    tree.images(f"{place}/img/%06d.jpg", count=count)


def test_a_folder_of_sequences_and_a_single_sequence_are_both_read(tree):
    sequence(tree, "clips/a")
    sequence(tree, "clips/b", 3)
    (tree.root / "clips" / "notes").mkdir()
    dataset = load("folder", tree.root / "clips")
    assert (dataset.name, dataset.names) == ("clips", ("a", "b"))
    assert (dataset["b"].camera_fps, dataset["b"].world_fps, len(dataset["b"])) == (30, 30, 3)
    alone = load("folder", tree.root / "clips" / "b", fps=25)
    assert (alone.name, alone.names) == ("b", ("b",))
    assert alone[0].camera_fps == alone[0].world_fps == 25
    assert alone[0].frame(2).image.shape == (24, 32, 3)


def test_a_split_is_a_folder_inside(tree):
    sequence(tree, "train/a")
    assert load("folder", tree.root, "train").names == ("a",)
    with pytest.raises(InputError, match=r"no sequence of folder \(split val\) here"):
        load("folder", tree.root, "val")


@pytest.mark.parametrize("fps", [0, -10, float("nan"), float("inf")])
def test_a_frame_rate_that_is_none_is_refused(tree, fps):
    sequence(tree, "a")
    with pytest.raises(InputError, match="fps must be above 0"):
        load("folder", tree.root, fps=fps)


def test_a_slow_camera_is_scored_in_the_30_fps_world_unless_told_otherwise(tree):
    sequence(tree, "test/slow", 3)
    tree.boxes("test/slow/groundtruth_30fps.txt", 7)
    slow = load("uav-mini", tree.root, "test")["slow"]
    assert (slow.camera_fps, slow.world_fps, len(slow), len(slow.ground_truth_xywh)) == (10, 30, 3, 7)
    own = load("uav-mini", tree.root, "test", world=False)["slow"]
    assert (own.camera_fps, own.world_fps, len(own), len(own.ground_truth_xywh)) == (10, 10, 3, 3)


def test_the_index_gives_frame_rate_and_size(tree):
    sequence(tree, "test/a")
    tree.text("index.json", json.dumps([{"name": "a", "fps": 15, "width": 32, "height": 24}]))
    a = load("uav-mini", tree.root)["a"]
    assert (a.camera_fps, a.world_fps, a.size) == (15, 15, (32, 24))


@pytest.mark.parametrize("text", ["{", '{"name": "a"}', '[{"fps": 10}]', "[1]"])
def test_a_broken_index_is_named(tree, text):
    sequence(tree, "test/a")
    tree.text("index.json", text)
    with pytest.raises(InputError, match=r"index\.json: expected a JSON list"):
        load("uav-mini", tree.root)


@pytest.mark.parametrize(
    "field, value",
    [("fps", "ten"), ("fps", 0), ("fps", True), ("fps", [30]), ("width", "32"), ("height", -1), ("height", 24.5)],
)
def test_a_field_of_the_index_of_the_wrong_type_is_named_with_its_sequence(tree, field, value):
    sequence(tree, "test/a")
    tree.text("index.json", json.dumps([{"name": "a", "fps": 15, "width": 32, "height": 24, field: value}]))
    with pytest.raises(InputError, match=rf"index\.json: {field} of 'a' is .*, expected a .* above 0"):
        load("uav-mini", tree.root)


def test_what_the_index_does_not_know_is_null_or_left_out(tree):
    sequence(tree, "test/a")
    tree.text("index.json", json.dumps([{"name": "a", "fps": None, "width": None, "height": 24}]))
    a = load("uav-mini", tree.root)["a"]
    assert (a.camera_fps, a.size) == (30, None)


@pytest.mark.real_data
@pytest.mark.parametrize("split, count, frames", [("test", 12, 2617), ("train", 8, None)])
def test_uav_mini_is_whole_and_sound(data_root, split, count, frames):
    dataset = load("uav-mini", data_root / "uav-mini", split)
    report = check(dataset)
    assert report.problems == () and len(report.rows) == count
    assert frames is None or sum(row.frames for row in report.rows) == frames
    assert {(row.camera_fps, row.world_fps) for row in report.rows} == {(30, 30), (10, 30)}
    slow = [row.name for row in report.rows if row.camera_fps == 10]
    for name in slow:
        own = read_xywh(str(data_root / "uav-mini" / split / name / "groundtruth.txt"))
        sequence = dataset[name]
        np.testing.assert_array_equal(sequence.ground_truth_xywh[:: sequence.stride], own)


@pytest.mark.real_data
def test_a_real_frame_decodes_to_its_stated_size(data_root):
    clip = load("uav-mini", data_root / "uav-mini")["Biker"]
    image = clip.frame(0).image
    assert (image.shape[1], image.shape[0]) == clip.size
    np.testing.assert_array_equal(image, cv2.imread(clip.image_paths[0]))
