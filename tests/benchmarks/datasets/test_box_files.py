from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.box_files import parse_xywh, read_flags, read_xywh, write_text, write_xywh

TWO = np.array([[1, 2, 3, 4], [-5.5, 6, 7e1, 0.8]])


@pytest.mark.parametrize(
    "text",
    [
        "1,2,3,4\n-5.5,6,7e1,.8\n",
        "1,2,3,4\n-5.5,6,7e1,.8",
        "1\t2\t3\t4\n-5.5\t6\t7e1\t.8\n",
        "1 2   3 4\n -5.5 6 7e1 .8 \n",
        "1, 2, 3, 4\r\n-5.5, 6, 7e1, .8\r\n",
        "1,2 3\t4\n-5.5,6,7e1,.8,\n",
        "\ufeff1,2,3,4\n-5.5,6,7e1,.8\n\n \n\r\n",
    ],
    ids=["commas", "no newline at end", "tabs", "spaces", "CRLF", "mixed", "BOM and blank end"],
)
def test_every_published_spelling_of_a_row_is_read(tmp_path, text):
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode())
    np.testing.assert_array_equal(read_xywh(str(path)), TWO)


def test_nan_rows_are_kept_as_they_are():
    rows = parse_xywh("1,2,3,4\nNaN,NaN,NaN,NaN\nnan nan nan nan\n", "x")
    assert np.isnan(rows[1:]).all() and rows.shape == (3, 4)


@pytest.mark.parametrize(
    "text, line",
    [
        ("1,2,3,4\n5,6,7\n", 2),
        ("1,2,3\n5,6,7,8,9\n", 1),
        ("1,2,3,4\n\n5,6,7,8\n", 2),
        ("\n1,2,3,4\n", 1),
        ("1,2,3,4\n1,2,3,x\n", 2),
        ("x,y,w,h\n1,2,3,4\n", 1),
        ("1,2,3,4\n5,,7,8\n", 2),
        ("1;2;3;4\n", 1),
        ("1,2,3,4\n1,2,3,4,5,6,7,8\n", 2),
    ],
)
def test_a_malformed_row_is_named_by_file_and_line(text, line):
    with pytest.raises(InputError, match=rf"gt\.txt, line {line}: .* is not four numbers"):
        parse_xywh(text, "gt.txt")


def test_files_without_boxes_are_refused(tmp_path):
    (tmp_path / "empty.txt").write_text("\n \n")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xd8\xff\xe0\x00\x10")
    with pytest.raises(InputError, match=r"empty\.txt: no boxes"):
        read_xywh(str(tmp_path / "empty.txt"))
    with pytest.raises(InputError, match=r"binary\.txt: not a text file"):
        read_xywh(str(tmp_path / "binary.txt"))
    with pytest.raises(InputError, match=r"none\.txt: cannot read \(No such file"):
        read_xywh(str(tmp_path / "none.txt"))


@given(
    rows=arrays(np.float64, st.tuples(st.integers(1, 6), st.just(4)), elements=st.floats(allow_infinity=False)),
    separator=st.sampled_from([",", "\t", " ", ", "]),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_any_numbers_survive_being_written_and_read(rows, separator, newline):
    text = newline.join(separator.join(map(repr, row)) for row in rows.tolist()) + newline
    np.testing.assert_array_equal(parse_xywh(text, "x"), rows)


@given(st.text(alphabet="0123456789.,-+ \t\r\nenaif", max_size=60))
def test_garbage_gives_rows_of_four_or_an_input_error(text):
    try:
        assert parse_xywh(text, "x").shape[1] == 4
    except InputError as error:
        assert str(error).startswith("x")


def test_flags_may_lie_on_one_line_or_on_many(tmp_path):
    for name, text in (("row", "0,1,0\n"), ("column", "0\n1\n0\n")):
        (tmp_path / name).write_text(text)
        assert read_flags(str(tmp_path / name), 3).tolist() == [0, 1, 0]
    with pytest.raises(InputError, match="3 flags for 4 annotated frames"):
        read_flags(str(tmp_path / "row"), 4)
    (tmp_path / "bad").write_text("0,x")
    with pytest.raises(InputError, match="expected integers"):
        read_flags(str(tmp_path / "bad"), 2)


def test_written_boxes_are_read_back(tmp_path):
    path = tmp_path / "deep" / "a.txt"
    write_xywh(str(path), TWO)
    assert path.read_text().splitlines()[0] == "1.0000,2.0000,3.0000,4.0000"
    np.testing.assert_array_equal(read_xywh(str(path)), TWO)
    with pytest.raises(InputError, match=r"shape \(4,\), expected \(frames, 4\)"):
        write_xywh(str(path), TWO[0])


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.txt"
    write_text(str(path), "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(str(path), "new\ud800")
    assert path.read_text() == "old"
    assert os.listdir(str(tmp_path)) == ["a.txt"]
    with pytest.raises(InputError, match="cannot write"):
        write_text(str(path / "below-a-file.txt"), "x")
