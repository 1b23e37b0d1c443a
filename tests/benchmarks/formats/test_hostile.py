"""Files from strangers, cut off, out of order, of another length, not finite or made to run code, get one line each."""

from __future__ import annotations

import os
import pickle
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.formats import SequenceBoxes, read_results, write_results
from pvtpp_benchmarks.formats.pvt import FORMAT as PVT
from pvtpp_benchmarks.formats.unpickle import read_pickle
from pvtpp_benchmarks.metrics import SIGMAS

CLIP = VideoSequence("car", np.tile([10.0, 10, 20, 20], (6, 1)))
RUN = {
    "results_raw": [[10, 10, 20, 20], np.array([11.0, 10, 20, 20]), [12, np.float64(10), 20, 20]],
    "timestamps": [0.05, 0.1, np.float64(0.15)],
    "input_fidx": [0, 1, 3],
    "runtime": [0.05, 0.05, 0.05],
}
WITH_PREDICTIONS = {
    "results_raw_t": RUN["results_raw"],
    "timestamps_t": RUN["timestamps"],
    "input_fidx_t": RUN["input_fidx"],
    "runtime_all": RUN["runtime"],
    "eta": 2,
    "results_raw_p": {"boxes_eva": {"4": np.ones(4)}, "time": {"4": 0.12}, "boxes_co": {}},
}


def said(root, form=None, name="car"):
    """The message of the error that reading raises: one line that names a file under `root`."""
    with pytest.raises(InputError) as error:
        read_results(root, [name], {name: 6}, form, [CLIP])
    assert "\n" not in str(error.value) and str(error.value).startswith(root), error.value
    return str(error.value)[len(root) :]


GOOD = "10,10,20,20\n" * 6
TEXTS = [
    ("car.txt", "10,10,20,20\n" * 5, "/car.txt: 5 rows for the 6 frames of car"),
    ("car.txt", GOOD + "1,2,3\n", "/car.txt, line 7: '1,2,3' is not four numbers"),
    ("car.txt", GOOD[:-9], "/car.txt, line 6: '10,' is not four numbers"),
    ("car.txt", "1,2,inf,4\n" + GOOD, "/car.txt, row 1: [1.0, 2.0, inf, 4.0] is not four finite"),
    ("car.txt", "1,2,3,4\n1,nan,3,4\n" + GOOD, "/car.txt, row 2: [1.0, nan, 3.0, 4.0] is not four finite"),
    ("car/car_001.txt", "1,2,3,4\n1,2,3,4,5\n", "/car/car_001.txt, line 2: '1,2,3,4,5' is not four numbers"),
    ("car/car_001.txt", "1\n1,2\n", "/car/car_001.txt, line 2: '1,2' is no region"),
    ("car/car_001.txt", "1\nm1,2,-3,4,9\n", "/car/car_001.txt, line 2: a mask of -3 x 4 pixels"),
]


@pytest.mark.parametrize("path, text, expected", TEXTS)
def test_bad_text_is_named_with_its_row(put, path, text, expected):
    assert said(put(path, text)).startswith(expected)


def test_times_and_repetitions_of_other_lengths_are_named(put):
    root = put("car/car_001.txt", GOOD)
    put("car/car_time.txt", "0.1,0.2\n" * 5)
    assert said(root) == "/car/car_time.txt: times of 5 frames for boxes of 6"
    put("car/car_time.txt", "0.1,0.2\n" * 5 + "0.1\n")
    assert said(root) == "/car/car_time.txt, line 6: 1 numbers, the first line has 2"
    put("car/car_time.txt", "0.1\n" * 5 + "-0.1\n")
    assert "row 6 of its times: [-0.1], allowed is 0 or more" in said(root)
    put("car/car_time.txt", "0.1\n" * 6)
    put("car/car_002.txt", GOOD[:-12])
    assert said(root) == "/car/car_002.txt: 5 rows, the first repetition has 6"


def test_elae_folders_with_a_folder_or_rows_missing_are_named(tmp_path):
    boxes = SequenceBoxes(np.ones((51, 6, 4)), np.full(6, 0.04), tuple(SIGMAS.tolist()))
    write_results(str(tmp_path), {"car": boxes}, "elae")
    (tmp_path / "Speed.txt").write_text("fast")
    assert said(str(tmp_path)) == "/Speed.txt: 'fast' is no number of frames per second"
    (tmp_path / "0.5" / "car.txt").write_text("1,2,3,4\n")
    assert said(str(tmp_path)) == "/0.5/car.txt: 1 rows, that of sigma 0 has 6"
    (tmp_path / "0.5" / "car.txt").unlink()
    assert said(str(tmp_path)).startswith("/0.5/car.txt: cannot read")
    (tmp_path / "0.5").rmdir()
    assert said(str(tmp_path)) == ": no folder 0.5; e-LAE has 51, 0.0 to 1.0"


REGION = struct.pack("<B4f", 1, 1, 2, 3, 4)
BINARIES = [
    (b"", "row 0: the file ends in the middle, after 0 bytes"),
    (struct.pack("<hI", 1, 6) + REGION * 5 + REGION[:-1], "row 6: the file ends in the middle"),
    (struct.pack("<hI", 1, 4_000_000_000) + REGION, "4000000000 regions in 23 bytes"),
    (struct.pack("<hI", 7, 1) + REGION, "version 7"),
    (struct.pack("<hI", 1, 1) + b"\x09" + bytes(16), "row 1: region of kind 9"),
    (struct.pack("<hI", 1, 1) + REGION + b"more", "4 bytes after its 1 regions"),
    (struct.pack("<hI", 1, 1) + struct.pack("<BH", 2, 65535) + bytes(9), "row 1: the file ends in the middle"),
    (struct.pack("<hI", 1, 1) + struct.pack("<B4f", 1, np.inf, 2, 3, 4), "row 1: [inf, 2.0, 3.0, 4.0] is not four"),
]


@pytest.mark.parametrize("data, expected", BINARIES)
def test_bad_binary_regions_are_named_with_their_row(put, data, expected):
    assert expected in said(put("car/car_001.bin", data))


def test_polygons_and_masks_become_the_box_around_them(put):
    text = "1\n1,2,9,2,9,8,1,8\nm4,5,6,7,0,42\n0\n1,2,3,4\n2\n"
    boxes = read_results(put("car/car_001.txt", text))["car"].xywh[0]
    np.testing.assert_array_equal(boxes[[1, 2, 4]], [[1, 2, 8, 6], [4, 5, 6, 7], [1, 2, 3, 4]])
    assert np.isnan(boxes[[0, 3, 5]]).all()


def changed(**values):
    return pickle.dumps({**RUN, **values})


PICKLES = [
    (changed(results_raw=RUN["results_raw"][:2]), ": 3 of frame for 2 boxes"),
    (changed(timestamps=[0.05, 0.15, 0.1]), ", row 3 of available_s: 0.1 after 0.15; the rows are out of order"),
    (changed(input_fidx=[0, 3, 1]), ", row 3 of frame: 1 after 3; the rows are out of order"),
    (changed(input_fidx=[1, 2, 3]), ", row 1: frame 1, expected the first, 0"),
    (changed(input_fidx=[0, 1, 1.5]), ", row 3 of input_fidx: 1.5, expected the number of a frame"),
    (changed(input_fidx=[0, 1, 99]), ", row 3 of frame: 99, the sequence has 6 frames"),
    (changed(timestamps=[0.05, np.nan, 0.2]), ", row 2 of available_s: nan, allowed are finite"),
    (changed(runtime=[0.05, -1.0, 0.2]), ", row 2 of runtime_s: -1.0, allowed are finite"),
    (changed(results_raw=[[1, 2, 3, 4], [1, 2, np.inf, 4], [1, 2, 3, 4]]), ", row 2 of boxes: [1.0, 2.0, inf, 4.0]"),
    (changed(results_raw=[[1, 2, 3, 4], [1, 2, 3], [1, 2, 3, 4]]), ", row 2 of results_raw: not four numbers"),
    (changed(results_raw="boxes"), ": results_raw is no list of boxes"),
    (changed(timestamps=[[0.1], [0.2], [0.3]]), ": timestamps is no list of numbers"),
    (pickle.dumps({"results_raw": []}), ": no timestamps, input_fidx, runtime in it, it has: results_raw"),
    (pickle.dumps([1, 2]), ": a pickle of list, expected a dictionary by name"),
    (pickle.dumps(RUN)[:-30], ": not a whole pickle"),
    (b"", ": not a whole pickle"),
    (b"hello", ": not a whole pickle"),
    (
        pickle.dumps({**WITH_PREDICTIONS, "results_raw_p": {"boxes_eva": {"4": np.ones(4)}}}),
        ": results_raw_p has a box",
    ),
    (
        pickle.dumps({**WITH_PREDICTIONS, "results_raw_p": {"boxes_eva": {"x": np.ones(4)}, "time": {"x": 0}}}),
        ": results_raw_p has a box for 'x', which is no number of a frame",
    ),
]


@pytest.mark.parametrize("data, expected", PICKLES)
def test_bad_pickles_are_named_with_their_row(put, data, expected):
    assert said(put("car.pkl", data)).startswith(f"/car.pkl{expected}")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("content", [RUN, WITH_PREDICTIONS])
def test_good_pickles_are_read_in_every_protocol(put, protocol, content):
    root = put("car.pkl", pickle.dumps(content, protocol))
    boxes = read_results(root, clips=[CLIP])["car"]
    # Frames at 1/30 s; answers at 0 (given), 0.1 and 0.15 s.
    rows = [10, 10, 10, 11, 11, 12]
    if content is WITH_PREDICTIONS:
        rows[4] = 1
    np.testing.assert_array_equal(boxes.xywh[0, :, 0], rows)


def test_arrays_of_other_byte_orders_and_of_numpy_1_are_read(put):
    root = put("car.pkl", pickle.dumps({**RUN, "timestamps": np.array([0.05, 0.1, 0.15], dtype=">f4")}, 2))
    assert PVT.read(root, f"{root}/car.pkl", type("A", (), {"clip": CLIP})).xywh[0, 3, 0] == 11
    text = pickle.dumps(RUN, 2).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    put("car.pkl", text)
    assert read_results(root, clips=[CLIP])["car"].xywh[0, 3, 0] == 11


class Runs:
    """A pickle that calls something."""

    def __init__(self, function, *arguments):
        self.what = function, arguments

    def __reduce__(self):
        return self.what


CALLS = [
    (Runs(os.system, "touch pwned"), "system"),
    (Runs(eval, "1"), "builtins.eval"),
    (Runs(np.load, "x"), "load"),
    (Runs(getattr, [], "append"), "builtins.getattr"),
    (np.array([{}], dtype=object), "an array of"),
    (Runs(np.frombuffer, b"1234"), "frombuffer"),
]


@pytest.mark.parametrize("call, name", CALLS)
def test_a_pickle_that_asks_for_code_is_refused_by_name_and_runs_nothing(put, call, name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    message = said(put("car.pkl", changed(results_raw=[call])))
    assert name in message and "this pickle asks for" in message
    assert not (tmp_path / "pwned").exists()


BOMBS = {
    "a place in the memo beyond any memory": b"\x80\x02]r\xff\xff\xff\x7f.",
    "an array of bytes before they are there": b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b".",
    "a text longer than the file": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 40) + b"a.",
    "a registered extension": b"\x80\x02\x82\x01.",
    "the attributes of a function": b"\x80\x02c_codecs\nencode\n}b.",
    "a codec": b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x03\x00\x00\x00zip\x86R.",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_pickle_that_asks_for_all_memory_or_to_change_the_reader_is_refused(put, name):
    root = put("car.pkl", BOMBS[name])
    with pytest.raises(InputError, match="car.pkl: "):
        read_pickle(f"{root}/car.pkl")


@settings(max_examples=150)
@given(st.integers(0, 2000), st.binary(min_size=1, max_size=3), st.booleans())
def test_a_damaged_pickle_is_read_or_refused_in_one_line(tmp_path_factory, place, bytes_, cut):
    data = pickle.dumps(WITH_PREDICTIONS, 4)
    place %= len(data)
    path = tmp_path_factory.getbasetemp() / "car.pkl"
    path.write_bytes(data[:place] if cut else data[:place] + bytes_ + data[place + len(bytes_) :])
    try:
        assert PVT.read(str(path.parent), str(path), type("A", (), {"clip": CLIP})).frames == 6
    except InputError as error:
        assert str(error).startswith(str(path)) and "\n" not in str(error)


def test_damaged_matlab_files_are_named(put):
    scipy = pytest.importorskip("scipy.io")
    root = put("car_X.mat", b"")
    path = os.path.join(root, "car_X.mat")
    for content, expected in [
        ({"other": 1}, "no variable 'results'"),
        ({"results": 1}, "'results' is no cell with one struct"),
        ({"results": {"fps": 3}}, "'results' has no field 'res', it has: fps"),
        ({"results": {"res": "text", "fps": 3}}, "'res' is no array of numbers"),
        ({"results": {"res": np.ones((6, 3)), "fps": 3}}, r"'res' has shape \(6, 3\)"),
        ({"results": {"res": np.ones((6, 4)), "fps": 0}}, r"'fps' is \[0.0\]"),
        ({"results": {"res": np.ones((6, 4)), "fps": 3, "len": 7}}, "6 rows, but its 'len' says 7"),
        ({"results": {"res": np.ones((6, 4)), "type": "ivtAff"}}, "boxes of type 'ivtAff'"),
        ({"results": {"res": np.full((6, 4), np.inf), "fps": 3}}, "row 1: "),
    ]:
        scipy.savemat(path, content)
        with pytest.raises(InputError, match=f"car_X.mat[:,] {expected}"):
            read_results(root, form="matlab")
    with open(path, "rb") as file:
        data = file.read()
    for cut in (0, 1, 100, 127, 130, len(data) // 2):
        put("car_X.mat", data[:cut])
        with pytest.raises(InputError, match="car_X.mat: "):
            read_results(root, form="matlab")
