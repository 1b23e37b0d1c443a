"""Which format lies in a folder, whose files are whose however they are spelled, and the real result sets."""

from __future__ import annotations

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets import load
from pvtpp_benchmarks.datasets.box_files import read_xywh
from pvtpp_benchmarks.formats import FORMATS, SequenceBoxes, names, read_results, recognise, write_results

TRACKERS = ("NanoTrack", "NanoTrackV3", "SiamAPN++", "LightTrack")
MATLAB = {"BACF": 23.7, "CSRDCF": 80, "DeepSTRCF": 180, "KCC": 25, "STRCF": 40, "TADT": 30, "UDT": 20, "fDSST": 9}
ROWS = "1,2,3,4\n5,6,7,8\n9,10,11,12\n13,14,15,16\n"
TWO = {
    "a": SequenceBoxes(np.array([[1.25, 2, 3, 4], [5, 6, 7, 8.5]]), np.array([0.01, 0.02])),
    "b-1": SequenceBoxes(np.array([[9.0, 8, 7, 6]]), np.array([0.03])),
}


def test_written_files_look_as_the_toolkits_write_them(tmp_path):
    for form in ("otb", "got10k", "pytracking", "vot"):
        write_results(str(tmp_path / form), TWO, form)
    assert (tmp_path / "otb" / "a.txt").read_text().splitlines()[0] == "1.25,2.0,3.0,4.0"
    assert (tmp_path / "got10k" / "a" / "a_001.txt").read_text().splitlines()[1] == "5.000,6.000,7.000,8.500"
    assert (tmp_path / "got10k" / "a" / "a_time.txt").read_text() == "0.01000000\n0.02000000\n"
    assert (tmp_path / "pytracking" / "a.txt").read_text() == "1\t2\t3\t4\n5\t6\t7\t8\n"
    assert (tmp_path / "vot" / "a" / "a_001.txt").read_text() == "1\n5.0000,6.0000,7.0000,8.5000\n"
    beside = ["a.txt", "a_time.txt", "b-1.txt", "b-1_time.txt"]
    assert sorted(path.name for path in (tmp_path / "pytracking").iterdir()) == beside


def test_unknown_formats_and_unusable_names_are_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(InputError, match="format 'otb9' cannot be written, allowed is one of: pvt, matlab, elae"):
        write_results(str(tmp_path), TWO, "otb9")
    with pytest.raises(InputError, match="format 'logs' cannot be written"):
        write_results(str(tmp_path), TWO, "logs")
    with pytest.raises(InputError, match="the format pvt holds runs"):
        write_results(str(tmp_path), TWO, "pvt")
    for form in names("written"):
        if FORMATS[form].write and form != "matlab":
            boxes = SequenceBoxes(np.ones((51, 2, 4)), None, tuple(np.arange(51) / 50)) if form == "elae" else TWO["a"]
            with pytest.raises(InputError, match="cannot be a file name"):
                write_results(str(tmp_path / "in"), {"../out": boxes}, form)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", [form for form in names("written") if form not in ("pvt", "elae")])
def test_a_written_folder_is_recognised_and_read_by_itself(tmp_path, form):
    if form == "matlab":
        pytest.importorskip("scipy.io")
    write_results(str(tmp_path / "set"), TWO, form)
    assert recognise(str(tmp_path / "set")).name == form
    assert set(read_results(str(tmp_path / "set"))) == set(TWO)


def test_several_sets_of_boxes_are_refused_by_formats_of_one(tmp_path):
    twice = {"a": SequenceBoxes(np.ones((2, 3, 4)))}
    for form in ("otb", "pytracking"):
        with pytest.raises(InputError, match=f"a: 2 repetitions, the format {form} holds one"):
            write_results(str(tmp_path), twice, form)
    with pytest.raises(InputError, match="boxes before any latency; e-LAE folders hold what was there"):
        write_results(str(tmp_path), twice, "elae")


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
def test_the_spellings_of_published_result_sets_are_matched(put, file, name):
    root = put(file, ROWS)
    put("unrelated_time.txt", "0.1\n")
    assert read_results(root, [name])[name].xywh.shape == (1, 4, 4)


def test_the_times_that_got10k_writes_for_otb_are_read(put):
    put("a.txt", ROWS)
    root = put("times/a_time.txt", "0.1\n0.2\n0.3\n0.4\n")
    assert recognise(root).name == "otb"
    np.testing.assert_array_equal(read_results(root)["a"].seconds, [[0.1, 0.2, 0.3, 0.4]])


def test_an_exact_name_is_preferred_and_an_ambiguous_name_is_an_error(put):
    put("car-1.txt", "1,2,3,4\n")
    root = put("car_1.txt", ROWS)
    assert read_results(root, ["car_1"])["car_1"].frames == 4
    with pytest.raises(InputError, match=r"'Car\.1' may be any of .*car-1\.txt, .*car_1\.txt"):
        read_results(root, ["Car.1"])


def test_all_missing_sequences_are_named_at_once(put):
    with pytest.raises(InputError, match="no results for 2 of 3 sequences: b, c$"):
        read_results(put("a.txt", ROWS), ["a", "b", "c"])


def test_another_number_of_rows_names_both_counts(put):
    with pytest.raises(InputError, match=r"a\.txt: 4 rows for the 5 frames of a"):
        read_results(put("a.txt", ROWS), ["a"], {"a": 5})


def test_a_folder_without_results_says_what_it_holds(put):
    root = put("NanoTrack/a.txt", ROWS)
    with pytest.raises(InputError, match="it holds the folders NanoTrack: give one tracker's"):
        read_results(root, ["a"])
    with pytest.raises(InputError, match="no such folder"):
        read_results(f"{root}/none", ["a"])
    with pytest.raises(InputError, match="nothing of the format matlab"):
        read_results(root, ["a"], form="matlab")


@pytest.mark.real_data
@pytest.mark.parametrize("tracker", TRACKERS)
def test_real_results_agree_with_dtb70_in_names_and_lengths(data_root, tracker):
    dataset = load("annotations", data_root / "annotations" / "uav_annos.tar.xz", "DTB70_official")
    lengths = {sequence.name: len(sequence) for sequence in dataset}
    results = read_results(str(data_root / "results" / "DTB70" / tracker), dataset.names, lengths)
    assert len(results) == 70 and all(np.isfinite(boxes.xywh).all() for boxes in results.values())


@pytest.mark.real_data
@pytest.mark.parametrize("tracker", MATLAB)
def test_real_matlab_sets_hold_boxes_and_mean_frame_rates_of_all_of_dtb70(data_root, tracker):
    pytest.importorskip("scipy.io")
    dataset = load("annotations", data_root / "annotations" / "uav_annos.tar.xz", "DTB70_official")
    lengths = {sequence.name: len(sequence) for sequence in dataset}
    root = str(data_root / "results" / "DTB70-matlab" / tracker)
    assert recognise(root).name == "matlab"
    results = read_results(root, dataset.names, lengths)
    times = [boxes.seconds[0, 0] * 1e3 for boxes in results.values()]
    assert np.median(times) == pytest.approx(MATLAB[tracker], rel=0.5)


@pytest.mark.real_data
def test_real_results_survive_being_written_again(data_root, tmp_path):
    source = data_root / "results" / "DTB70" / "NanoTrackV3"
    results = read_results(str(source), ["Animal1", "Surfing06"])
    for path in write_results(str(tmp_path), results):
        np.testing.assert_array_equal(read_xywh(path), read_xywh(str(source / path.rpartition("/")[2])))
