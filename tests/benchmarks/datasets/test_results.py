from __future__ import annotations

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets import load
from pvtpp_benchmarks.datasets.box_files import read_xywh
from pvtpp_benchmarks.datasets.results import LAYOUTS, load_results, write_results

TRACKERS = ("NanoTrack", "NanoTrackV3", "SiamAPN++", "LightTrack")
TWO = {"a": np.array([[1.25, 2, 3, 4], [5, 6, 7, 8.5]]), "b-1": np.array([[9.0, 8, 7, 6]])}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_written_results_are_read_back_in_every_layout(tmp_path, layout):
    paths = write_results(str(tmp_path), TWO, layout)
    assert len(paths) == 2
    for name, xywh in load_results(str(tmp_path), TWO, {"a": 2, "b-1": 1}).items():
        np.testing.assert_array_equal(xywh, np.rint(TWO[name]) if layout == "pytracking" else TWO[name])


def test_written_files_look_as_the_toolkits_write_them(tmp_path):
    seconds = {"a": [0.01, 0.02]}
    for layout in LAYOUTS:
        write_results(str(tmp_path / layout), TWO, layout, None if layout == "otb" else seconds)
    assert (tmp_path / "otb" / "a.txt").read_text().splitlines()[0] == "1.2500,2.0000,3.0000,4.0000"
    assert (tmp_path / "got10k" / "a" / "a_001.txt").read_text().splitlines()[1] == "5.000,6.000,7.000,8.500"
    assert (tmp_path / "got10k" / "a" / "a_time.txt").read_text() == "0.01000000\n0.02000000\n"
    assert (tmp_path / "pytracking" / "a.txt").read_text() == "1\t2\t3\t4\n5\t6\t7\t8\n"
    assert sorted(path.name for path in (tmp_path / "pytracking").iterdir()) == ["a.txt", "a_time.txt", "b-1.txt"]


def test_unknown_layouts_and_unusable_names_are_refused(tmp_path):
    with pytest.raises(InputError, match="unknown result layout 'vot'; valid: otb, got10k, pytracking"):
        write_results(str(tmp_path), TWO, "vot")
    with pytest.raises(InputError, match="no file for times"):
        write_results(str(tmp_path), TWO, "otb", {"a": [1.0]})
    with pytest.raises(InputError, match="cannot be a file name"):
        write_results(str(tmp_path / "in"), {"../out": TWO["a"]})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "file, name",
    [
        ("animal1.txt", "Animal1"),
        ("uav_bike1.txt", "bike1"),
        ("uav10fps_bike1.txt", "bike1"),
        ("uav1_1.txt", "uav1_1"),
        ("S0101_gt.txt", "S0101"),
        ("Jogging_1.txt", "Jogging.1"),
        ("Jogging-1.txt", "Jogging.1"),
        ("GOT-10k_Val_000001/GOT-10k_Val_000001_001.txt", "GOT-10k_Val_000001"),
    ],
)
def test_the_spellings_of_published_result_sets_are_matched(tree, file, name):
    tree.boxes(file)
    tree.text("unrelated_time.txt", "0.1\n")
    assert load_results(str(tree.root), [name])[name].shape == (4, 4)


def test_an_exact_name_is_preferred_and_an_ambiguous_name_is_an_error(tree):
    tree.boxes("car-1.txt", 1)
    tree.boxes("car_1.txt", 2)
    assert len(load_results(str(tree.root), ["car_1"])["car_1"]) == 2
    with pytest.raises(InputError, match=r"'Car\.1' may be any of .*car-1\.txt, .*car_1\.txt"):
        load_results(str(tree.root), ["Car.1"])


def test_all_missing_sequences_are_named_at_once(tree):
    tree.boxes("a.txt")
    with pytest.raises(InputError, match="no results for 2 of 3 sequences: b, c$"):
        load_results(str(tree.root), ["a", "b", "c"])


def test_another_number_of_rows_names_both_counts(tree):
    tree.boxes("a.txt", 3)
    with pytest.raises(InputError, match=r"a\.txt: 3 rows for the 4 frames of a"):
        load_results(str(tree.root), ["a"], {"a": 4})


def test_a_folder_without_results_says_what_it_holds(tree):
    tree.boxes("NanoTrack/a.txt")
    with pytest.raises(InputError, match="it holds the folders NanoTrack: give one tracker's"):
        load_results(str(tree.root), ["a"])
    with pytest.raises(InputError, match="no such folder"):
        load_results(str(tree.root / "none"), ["a"])


def test_a_truncated_result_file_is_named_with_its_line(tree):
    tree.text("a.txt", "1,2,3,4\n5,6,7\n")
    with pytest.raises(InputError, match=r"a\.txt, line 2"):
        load_results(str(tree.root), ["a"])


@pytest.mark.real_data
@pytest.mark.parametrize("tracker", TRACKERS)
def test_real_results_agree_with_dtb70_in_names_and_lengths(data_root, tracker):
    dataset = load("annotations", data_root / "annotations" / "uav_annos.tar.xz", "DTB70_official")
    lengths = {sequence.name: len(sequence) for sequence in dataset}
    results = load_results(str(data_root / "results" / "DTB70" / tracker), dataset.names, lengths)
    assert len(results) == 70 and all(np.isfinite(xywh).all() for xywh in results.values())


@pytest.mark.real_data
def test_real_results_survive_being_written_again(data_root, tmp_path):
    source = data_root / "results" / "DTB70" / "NanoTrackV3"
    results = load_results(str(source), ["Animal1", "Surfing06"])
    for path in write_results(str(tmp_path), results):
        original = read_xywh(str(source / path.rpartition("/")[2]))
        np.testing.assert_allclose(read_xywh(path), original, atol=5.1e-5)
