from __future__ import annotations

import pickle

import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets import available, entry, load

PUBLISHED = (
    "uav-mini",
    "uav-more",
    "dtb70",
    "uavdt",
    "uav123",
    "uav123_10fps",
    "uav20l",
    "visdrone",
    "lasot",
    "got10k",
    "otb",
    "imagenet-vid",
)


def test_every_layout_is_registered_with_what_it_expects():
    assert set(available()) == {*PUBLISHED, "folder", "annotations"}
    for name in available():
        assert "<" in entry(name).layout or "folder" in entry(name).layout


@pytest.mark.parametrize(
    "spelling, name",
    [
        ("DTB70", "dtb70"), ("UAV123@10fps", "uav123_10fps"), ("GOT-10k", "got10k"), ("OTB100", "otb"),
        ("VisDrone-SOT", "visdrone"), ("LaSOT", "lasot"), ("UAV123_20L", "uav20l"), ("uav_mini", "uav-mini"),
        ("VID", "imagenet-vid"),
    ],
)  # fmt: skip
def test_common_spellings_are_understood(spelling, name):
    assert entry(spelling).name == name


def test_an_unknown_data_set_lists_the_valid_ones(tmp_path):
    with pytest.raises(InputError, match="unknown data set 'kitti'; valid: annotations, dtb70, folder"):
        load("kitti", tmp_path)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_missing_or_foreign_folder_says_what_was_expected_there(tmp_path, name):
    with pytest.raises(InputError, match=r"nowhere: no such folder; .* expects .*<root>/"):
        load(name, tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"no sequence of .* here; expected .*<root>/"):
        load(name, tmp_path)


@pytest.mark.parametrize("name", [*PUBLISHED, "folder"])
def test_a_file_in_place_of_the_folder_is_refused(tmp_path, name):
    (tmp_path / "file").write_text("1,2,3,4\n")
    with pytest.raises(InputError, match=r"expect(s|ed) .*<root>/"):
        load(name, tmp_path / "file")


def test_unknown_splits_and_options_list_the_valid_ones(tree):
    tree.boxes("a/groundtruth_rect.txt")
    with pytest.raises(InputError, match=r"lasot has no split 'tset'; valid: test, train, all"):
        load("lasot", tree.root, "tset")
    with pytest.raises(InputError, match=r"dtb70 has no splits, so not 'test' either"):
        load("dtb70", tree.root, "test")
    with pytest.raises(InputError, match=r"dtb70 has no option 'fps'; valid: none"):
        load("dtb70", tree.root, fps=30)
    with pytest.raises(InputError, match=r"folder has no option 'kappa'; valid: fps, world"):
        load("folder", tree.root, kappa=30)


def test_a_loaded_data_set_can_be_sent_to_another_process(tree):
    tree.boxes("a/groundtruth_rect.txt")
    sent = pickle.loads(pickle.dumps(load("dtb70", tree.root)))
    assert sent.names == ("a",) and len(sent["a"]) == 4
