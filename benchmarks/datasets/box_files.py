"""The text format of every tracking benchmark: one `left, top, width, height` row per frame."""

from __future__ import annotations

from itertools import chain
from typing import NoReturn

import numpy as np

from pvtpp.boxes import ArrayLike
from pvtpp.errors import InputError
from pvtpp.files import whole_file


def read_xywh(path: str) -> np.ndarray:
    """Read a box file: one row ``left, top, width, height`` per frame, in pixels.

    Values are separated by commas, tabs or spaces. CRLF, a byte order mark and blank lines at the end are accepted.

    Returns
    -------
    ndarray
        Shape ``(frames, 4)``, float64, with NaN as written.

    Raises
    ------
    InputError
        For anything else, naming file and line. A blank line between rows would shift every later frame.
    """
    return parse_xywh(_read_text(path), path)


def parse_xywh(text: str, source: str) -> np.ndarray:
    """Parse the text of a box file, as `read_xywh` does; `source` names its origin in errors."""
    rows = list(map(str.split, text.rstrip().replace(",", " ").splitlines()))
    if not rows:
        raise InputError(f"{source}: no boxes; expected one 'x,y,w,h' row per frame")
    if set(map(len, rows)) != {4}:
        _explain(text, source)
    try:
        return np.fromiter(map(float, chain.from_iterable(rows)), np.float64, 4 * len(rows)).reshape(-1, 4)
    except ValueError:
        _explain(text, source)


def _explain(text: str, source: str) -> NoReturn:
    for number, line in enumerate(text.rstrip().splitlines(), start=1):
        try:
            if len(list(map(float, line.replace(",", " ").split()))) == 4:
                continue
        except ValueError:
            pass
        raise InputError(f"{source}, line {number}: {line[:80]!r} is not four numbers 'x,y,w,h'")
    raise InputError(f"{source}: not a box file")


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
    words = _read_text(path).replace(",", " ").split()
    try:
        flags = np.array(list(map(int, words)), dtype=np.int64)
    except ValueError:
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


def _read_text(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot read ({error.strerror or error})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text file") from None
