"""Models of processing times: all forms are read, draws are repeatable, invalid texts are refused."""

import json

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.processing import parse


@pytest.fixture
def traces(tmp_path):
    (tmp_path / "car_time.txt").write_text("0.5\n0.01\n0.02\n0.03\n")
    (tmp_path / "dog_time.txt").write_text("0.4,0.04,0.05\n")
    return tmp_path


@pytest.mark.parametrize(("text", "ms"), [("47ms", 47), ("0ms", 0), ("0.02s", 20), ("1.5 ms", 1.5), ("47ms*2", 94)])
def test_a_constant_takes_the_same_time_always(text, ms):
    model = parse(text)
    time = model.start("any")
    assert {time(i) for i in range(5)} == {round(ms * 1e6)}
    assert model.median_ms() == ms


def test_a_trace_gives_each_frame_its_recorded_time_and_repeats_without_the_initialisation(traces):
    time = parse(f"trace:{traces}").start("car")
    assert [time(i) / 1e6 for i in range(8)] == [500, 10, 20, 30, 10, 20, 30, 10]


def test_a_sequence_without_a_trace_always_gets_the_same_one(traces):
    first = [parse(f"trace:{traces}").start("bird")(i) for i in range(3)]
    assert first in ([500_000_000, 10_000_000, 20_000_000], [400_000_000, 40_000_000, 50_000_000])
    assert first == [parse(f"trace:{traces}").start("bird")(i) for i in range(3)]


def test_empirical_draws_from_the_recorded_times_but_the_first_and_repeats_by_seed(traces):
    model = parse(f"empirical:{traces}")
    time, again, other = model.start("car", 1), model.start("car", 1), model.start("car", 2)
    drawn = [time(i) for i in range(50)]
    assert set(drawn) == {10_000_000, 20_000_000, 30_000_000, 40_000_000, 50_000_000}
    assert drawn == [again(i) for i in range(50)]
    assert drawn != [other(i) for i in range(50)]
    assert model.median_ms() == 30


def test_a_factor_scales_any_model_to_another_board(traces):
    time = parse(f"trace:{traces}*1.5").start("car")
    assert [time(i) / 1e6 for i in range(3)] == [750, 15, 30]


def test_files_that_a_windows_editor_saved_are_read_as_others_are(tmp_path):
    lines = "0.5\r\n0.01\r\n0.02\r\n"
    for name, data in {"utf8": "\ufeff".encode() + lines.encode(), "utf16": lines.encode("utf-16")}.items():
        (tmp_path / f"{name}.txt").write_bytes(data)
        time = parse(f"trace:{tmp_path}/{name}.txt").start("car")
        assert [time(i) / 1e6 for i in range(3)] == [500, 10, 20]
    (tmp_path / "orin.json").write_bytes("\ufeff".encode() + b'{"frame_s": [0.5, 0.01]}')
    assert parse(f"bench:{tmp_path}/orin.json").median_ms() == 10


def test_the_toolkit_of_got10k_writes_a_folder_for_each_sequence_and_a_column_for_each_repetition(tmp_path):
    for name, first in (("car", 0.01), ("dog", 0.03)):
        (tmp_path / name).mkdir()
        rows = np.column_stack([np.full(7, first), np.full(7, 0.9), np.full(7, 0.8)])
        np.savetxt(tmp_path / name / f"{name}_time.txt", rows, fmt="%.8f", delimiter=",")
        np.savetxt(tmp_path / name / f"{name}_001.txt", np.ones((7, 4)), fmt="%.3f", delimiter=",")
    model = parse(f"trace:{tmp_path}")
    assert [model.start(name)(3) / 1e6 for name in ("car", "dog")] == [10, 30]
    assert model.median_ms() == 20


@pytest.mark.parametrize(
    ("content", "ms"),
    [
        ("0.01 0.9\n0.02 0.9\n0.03 0.9\n", [10, 20, 30]),
        ("0.01,0.02,0.03\n0.9,0.9,0.9\n\n", [10, 20, 30]),
        ("0.01\t0.02\t0.03\n", [10, 20, 30]),
        ("0.01,0.9\n0.02,0.9\n", [10, 20]),
        ("\n0.01\n\n0.02\n", [10, 20]),
    ],
    ids=["columns", "rows", "one row", "as many as frames", "blank lines"],
)
def test_the_first_of_several_repetitions_is_taken(content, ms, tmp_path):
    (tmp_path / "car.txt").write_text(content)
    time = parse(f"trace:{tmp_path}/car.txt").start("car")
    assert [time(i) / 1e6 for i in range(len(ms))] == ms


@pytest.mark.parametrize(
    ("content", "said"),
    [("0.1,0.2\n0.1\n", "some lines have 1 numbers and others 2"), (("0.1 " * 12 + "\n") * 12, "12 repetitions")],
)
def test_lines_of_which_nobody_knows_the_order_are_refused(content, said, tmp_path):
    (tmp_path / "car_time.txt").write_text(content)
    with pytest.raises(InputError, match=f"car_time.txt: .*{said}"):
        parse(f"trace:{tmp_path}/car_time.txt")


def test_boxes_beside_the_times_and_files_of_a_system_are_left_out(tmp_path):
    (tmp_path / "car.txt").write_text("100\t80\t20\t10\n" * 3)
    (tmp_path / "car_time.txt").write_text("0.5\n0.02\n0.02\n")
    (tmp_path / "._car_time.txt").write_bytes(b"\x00\x05\x16\x07")
    model = parse(f"empirical:{tmp_path}")
    assert list(model.traces) == ["car"] and model.median_ms() == 20


@pytest.mark.parametrize(
    ("values", "factor"), [("48\n61\n55\n", "0.001"), ("9000 7 7 7 7", "0.001"), ("9e6\n4.8e4\n6.1e4\n", "0.000001")]
)
def test_milliseconds_in_a_file_are_refused_with_the_factor_that_mends_it(values, factor, tmp_path):
    (tmp_path / "car.txt").write_text(values)
    with pytest.raises(InputError, match=r"median is .* s a frame; if the file holds milliseconds, write '.*\*0\.001'"):
        parse(f"trace:{tmp_path}/car.txt")
    assert 5 < parse(f"trace:{tmp_path}/car.txt*{factor}").median_ms() < 60


def test_slow_times_that_are_meant_so_are_taken_with_a_factor_of_one(tmp_path):
    (tmp_path / "car.txt").write_text("3\n3\n3\n")
    assert parse(f"trace:{tmp_path}/car.txt*1").median_ms() == 3000


@pytest.mark.parametrize("factor", ["0.001", "0.1*0.01"])
def test_seconds_that_are_made_smaller_as_if_they_were_milliseconds_are_refused(factor, tmp_path):
    (tmp_path / "car.txt").write_text("0.048\n0.061\n0.055\n")
    with pytest.raises(InputError, match=r"median is 5\d microseconds a frame, in the file it is 5\d ms; .*leave"):
        parse(f"trace:{tmp_path}/car.txt*{factor}")


@pytest.mark.parametrize("text", ["fast", "47", "-5ms", "47 minutes", "47ms*0", "ms"])
def test_other_texts_are_refused_with_the_forms_there_are(text):
    with pytest.raises(InputError, match="47ms"):
        parse(text)


def test_times_of_bench_are_drawn_without_the_initialisation(tmp_path):
    (tmp_path / "orin.json").write_text(json.dumps({"frame_s": [0.5, 0.01, 0.02, 0.03], "stages": {}}))
    model = parse(f"bench:{tmp_path}/orin.json*2")
    time = model.start("car", 1)
    assert {time(i) for i in range(50)} == {20_000_000, 40_000_000, 60_000_000}
    assert model.median_ms() == 40


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"frame_s": "fast"}', '{"frame_s": []}', '{"frame_s": [[1]]}'])
def test_a_file_that_is_not_from_bench_is_refused(content, tmp_path):
    (tmp_path / "orin.json").write_text(content)
    with pytest.raises(InputError, match="orin.json: (not the JSON of pvtpp bench|processing times must be)"):
        parse(f"bench:{tmp_path}/orin.json")
    with pytest.raises(InputError, match="nowhere.json: cannot read"):
        parse(f"bench:{tmp_path}/nowhere.json")


@pytest.mark.parametrize("text", ["trace:", "empirical:", "bench:", "trace:*2"])
def test_a_trace_without_a_path_is_refused(text):
    with pytest.raises(InputError, match="names no file or folder"):
        parse(text)


def test_times_beyond_an_hour_are_refused_before_they_overflow(tmp_path):
    assert parse("3600s").median_ms() == 3.6e6
    for text in ("3601s", "9" * 26 + "s", "9" * 400 + "ms", "47ms*999999", "47ms*900*900", "1s*" + "9" * 400):
        with pytest.raises(InputError, match="longer than 3600 s"):
            parse(text)
    (tmp_path / "car_time.txt").write_text("0.5\n0.02\n")
    with pytest.raises(InputError, match="longer than 3600 s"):
        parse(f"trace:{tmp_path}*9999999")


@pytest.mark.parametrize("content", ["", "fast\n", "0.1\nnan\n", "0.1\n-0.2\n", "inf", "0.1\n1e300\n", "3601"])
def test_a_bad_trace_is_refused_with_its_name(content, tmp_path):
    path = tmp_path / "bad_time.txt"
    path.write_text(content)
    with pytest.raises(InputError, match="bad_time.txt"):
        parse(f"trace:{path}")


def test_a_missing_or_empty_folder_is_named(tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        parse(f"trace:{tmp_path}/nowhere")
    with pytest.raises(InputError, match="no .txt.*one per frame.$"):
        parse(f"empirical:{tmp_path}")
    (tmp_path / "xavier").mkdir()
    (tmp_path / "orin").mkdir()
    with pytest.raises(InputError, match="no .txt.*its folders are: orin, xavier"):
        parse(f"trace:{tmp_path}")


def test_published_traces_of_a_real_tracker_are_read(data_root):
    model = parse(f"trace:{data_root}/results/latency-traces/nanotrackv3-got10k-val")
    assert 5 < model.median_ms() < 60
    assert np.isfinite([model.start("GOT-10k_Val_000001")(i) for i in range(300)]).all()
