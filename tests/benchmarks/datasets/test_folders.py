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
def test_an_invalid_frame_rate_is_refused(tree, fps):
    sequence(tree, "a")
    with pytest.raises(InputError, match="fps must be above 0"):
        load("folder", tree.root, fps=fps)


def test_a_slow_camera_is_scored_in_the_30_fps_world_unless_world_is_false(tree):
    sequence(tree, "test/slow", 3)
    tree.boxes("test/slow/groundtruth_30fps.txt", 7)
    slow = load("uav-mini", tree.root, "test")["slow"]
    assert (slow.camera_fps, slow.world_fps, len(slow), len(slow.ground_truth_xywh)) == (10, 30, 3, 7)
    own = load("uav-mini", tree.root, "test", world=False)["slow"]
    assert (own.camera_fps, own.world_fps, len(own), len(own.ground_truth_xywh)) == (10, 10, 3, 3)


@pytest.mark.parametrize("split", [5, True, ["val"]])
def test_a_split_of_the_index_must_be_text(tree, split):
    sequence(tree, "test/a")
    tree.text("index.json", json.dumps([{"name": "a", "split": split}]))
    with pytest.raises(InputError, match=r"index\.json: split of 'a' is .*, expected text"):
        load("uav-mini", tree.root)


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


def test_unknown_values_of_the_index_are_null_or_missing(tree):
    sequence(tree, "test/a")
    tree.text("index.json", json.dumps([{"name": "a", "fps": None, "width": None, "height": 24}]))
    a = load("uav-mini", tree.root)["a"]
    assert (a.camera_fps, a.size) == (30, None)


INDEX = (
    {"name": "b", "split": "val", "fps": 25, "width": 32, "height": 24},
    {"name": "a", "split": "val", "fps": 25},
    {"name": "c", "split": "val"},
    {"name": "a", "split": "hard", "fps": 50},
)


@pytest.mark.parametrize("name", ["uav-mini", "uav-more"])
def test_the_index_names_the_splits_and_their_sequences(tree, name):
    for place in ("val/a", "val/b", "val/unlisted", "hard/a", "unlisted/a"):
        sequence(tree, place)
    tree.text("index.json", json.dumps(INDEX))
    val = load(name, tree.root)
    assert (val.name, val.names, val.published) == (name, ("a", "b"), 3)
    assert (val["b"].camera_fps, val["b"].size, val["a"].camera_fps) == (25, (32, 24), 25)
    hard = load(name, tree.root, "hard")
    assert (hard.names, hard.published, hard["a"].camera_fps) == (("a",), 1, 50)
    with pytest.raises(InputError, match=f"{name} has no split 'test'; valid: val, hard$"):
        load(name, tree.root, "test")


def test_a_partial_copy_of_an_indexed_set_says_how_much_is_there(tree):
    for place in ("val/a", "val/b", "hard/a"):
        sequence(tree, place)
    tree.text("index.json", json.dumps(INDEX))
    assert check(load("uav-more", tree.root)).problems == ("uav-more: 2 of the 3 published sequences are here",)
    assert check(load("uav-more", tree.root, "hard")).problems == ()


def test_a_split_of_the_index_that_is_not_there_says_what_was_expected(tree):
    sequence(tree, "val/a")
    tree.text("index.json", json.dumps(INDEX))
    with pytest.raises(InputError, match=r"no sequence of uav-more \(split hard\) here; expected <root>/index\.json"):
        load("uav-more", tree.root, "hard")


def test_without_an_index_the_splits_are_the_folders_that_hold_sequences(tree):
    sequence(tree, "val/a")
    sequence(tree, "extra/b")
    (tree.root / "notes").mkdir()
    assert load("uav-more", tree.root).names == ("b",)
    assert (load("uav-more", tree.root, "val").names, load("uav-more", tree.root, "val").published) == (("a",), None)
    with pytest.raises(InputError, match="uav-more has no split 'notes'; valid: extra, val$"):
        load("uav-more", tree.root, "notes")


@pytest.mark.real_data
@pytest.mark.parametrize(
    "name, split, count, frames",
    [
        ("uav-mini", "test", 12, 2617),
        ("uav-mini", "train", 8, 1829),
        ("uav-more", "train", 11, 2523),
        ("uav-more", "val", 2, 904),
    ],
)
def test_the_real_indexed_sets_are_complete_and_readable(data_root, name, split, count, frames):
    dataset = load(name, data_root / name, split)
    report = check(dataset)
    assert report.problems == () and len(report.rows) == count == dataset.published
    assert sum(row.frames for row in report.rows) == frames
    index = {item["name"]: item for item in json.loads((data_root / name / "index.json").read_text())}
    for row in report.rows:
        about = index[row.name]
        assert (row.frames, row.camera_fps, row.size) == (
            about["frames"],
            about["fps"],
            (about["width"], about["height"]),
        )
        assert row.world_fps == 30
    slow = [row.name for row in report.rows if row.camera_fps == 10]
    assert (split == "val") != bool(slow)
    for name_of_slow in slow:
        own = read_xywh(str(data_root / name / split / name_of_slow / "groundtruth.txt"))
        sequence = dataset[name_of_slow]
        np.testing.assert_array_equal(sequence.ground_truth_xywh[:: sequence.stride], own)


@pytest.mark.real_data
def test_a_real_frame_decodes_to_its_stated_size(data_root):
    clip = load("uav-mini", data_root / "uav-mini")["Biker"]
    image = clip.frame(0).image
    assert (image.shape[1], image.shape[0]) == clip.size
    np.testing.assert_array_equal(image, cv2.imread(clip.image_paths[0]))
