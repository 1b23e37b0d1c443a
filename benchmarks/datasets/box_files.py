"""The text format of every tracking benchmark: one `left, top, width, height` row per frame."""

from __future__ import annotations

from itertools import chain
from typing import NoReturn

import numpy as np

from pvtpp.boxes import ArrayLike
from pvtpp.errors import InputError
from pvtpp.files import read_text, whole_file


def read_xywh(path: str) -> np.ndarray:
    """Read a box file: one row ``left, top, width, height`` per frame, in pixels.

    Values are separated by commas, tabs or spaces. CRLF, a byte order mark and blank lines at the end are accepted.
    `pvtpp_benchmarks.datasets.box_format` reads files with other numbers, separators or a header.

    Returns
    -------
    ndarray
        Shape ``(frames, 4)``, float64, with NaN as written.

    Raises
    ------
    InputError
        For anything else, naming file and line. A blank line between rows would shift every later frame.
    """
    return parse_xywh(read_text(path), path)


def parse_xywh(text: str, source: str, first_line: int = 1, expected: str = "x,y,w,h") -> np.ndarray:
    """Parse the text of a box file, as `read_xywh` does.

    Parameters
    ----------
    text
        One row of four numbers per frame.
    source
        Where the text comes from, for errors.
    first_line
        The number that errors give to the first line of `text`.
    expected
        What errors call the four numbers.
    """
    rows = list(map(str.split, text.rstrip().replace(",", " ").splitlines()))
    if not rows:
        raise InputError(f"{source}: no boxes; expected one '{expected}' row per frame")
    if set(map(len, rows)) != {4}:
        _explain(text, source, first_line, expected)
    try:
        return np.fromiter(map(float, chain.from_iterable(rows)), np.float64, 4 * len(rows)).reshape(-1, 4)
    except ValueError:
        _explain(text, source, first_line, expected)


def first_line(path: str) -> str:
    """Return the first line of a text file, of at most 4096 bytes; what is no text in it is replaced."""
    with open(path, "rb") as file:
        return file.readline(4096).decode("utf-8", "replace")


def _explain(text: str, source: str, first_line: int, expected: str) -> NoReturn:
    for number, line in enumerate(text.rstrip().splitlines(), start=first_line):
        if not _is_row(line):
            hint = ""
            if number == 1 and _is_header(line) and (_is_row(text.splitlines()[-1]) or ";" in line):
                hint = "; the option header (--header) of the data set 'folder' leaves out a row of column names"
            elif _is_row(line.replace(",", ".").replace(";", " ")):
                hint = "; the option separator (--separator ';') of the data set 'folder' reads it"
            raise InputError(f"{source}, line {number}: {line[:80]!r} is not four numbers '{expected}'{hint}")
    raise InputError(f"{source}: not a box file")


def _is_row(line: str) -> bool:
    try:
        return len(list(map(float, line.replace(",", " ").split()))) == 4
    except ValueError:
        return False


def _is_header(line: str) -> bool:
    """Whether a line looks like column names: it has letters, and none of its fields is a number."""
    fields = line.replace(";", " ").replace(",", " ").split()
    return any(c.isalpha() for c in line) and not any(field.lstrip("+-")[:1].isdigit() for field in fields)


def read_flags(path: str, count: int) -> np.ndarray:
    """Read a file of `count` integers, all on one line or one per line, separated as boxes are.

    Returns
    -------
    ndarray
        Shape ``(count,)``, int64.

    Raises
    ------
    InputError
        If there are more or fewer integers, or something else.
    """
    words = read_text(path).replace(",", " ").split()
    try:
        flags = np.array(list(map(int, words)), dtype=np.int64)
    except (ValueError, OverflowError):
        raise InputError(f"{path}: expected integers, one per frame") from None
    if len(flags) != count:
        raise InputError(f"{path}: {len(flags)} flags for {count} annotated frames")
    return flags


def write_xywh(path: str, xywh: ArrayLike, number: str = "%.4f", separator: str = ",") -> None:
    """Write a box file, whole or not at all.

    Parameters
    ----------
    path
        The file to write.
    xywh
        Boxes ``[left, top, width, height]`` in pixels, shape ``(frames, 4)``.
    number
        The printf format of each number.
    separator
        The text between numbers.

    Raises
    ------
    InputError
        For another shape, and where the file cannot be written.
    """
    rows = np.asarray(xywh, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] != 4 or len(rows) == 0:
        raise InputError(f"{path}: boxes have shape {rows.shape}, expected (frames, 4) with at least one frame")
    row = separator.join([number] * 4) + "\n"
    write_text(path, "".join(row % tuple(values) for values in rows.tolist()))


def write_text(path: str, text: str) -> None:
    """Write a text file, whole or not at all; InputError where it cannot be written."""
    with whole_file(path) as part, open(part, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
