"""Box files of the user's own: other meanings of the four numbers, a header row, other separators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, FrozenSet, Optional, Tuple

import numpy as np

from pvtpp.errors import InputError
from pvtpp.files import read_text
from pvtpp.validation import check, one_of
from pvtpp_benchmarks.datasets.box_files import parse_xywh

ORDERS = ("xywh", "cxcywh", "xyxy")
SCALES = ("normalised", "1-based")
FORMS = "xywh, cxcywh or xyxy, where needed with +normalised or +1-based"
SEPARATORS = (",", ";", "tab")
# The columns of each order, and the names that people give to them.
_COLUMNS = {
    "xywh": ("left", "top", "width", "height"),
    "cxcywh": ("centre x", "centre y", "width", "height"),
    "xyxy": ("left", "top", "right", "bottom"),
}
_NAMES: Dict[str, FrozenSet[str]] = {
    "left": frozenset("x left l x1 x0 xmin bbleft bboxx bboxleft topleftx".split()),
    "top": frozenset("y top t y1 y0 ymin bbtop bboxy bboxtop toplefty".split()),
    "width": frozenset("w width bbwidth bboxw bboxwidth".split()),
    "height": frozenset("h height bbheight bboxh bboxheight".split()),
    "right": frozenset("right r x2 xmax bbright bboxright bottomrightx".split()),
    "bottom": frozenset("bottom b y2 ymax bbbottom bboxbottom bottomrighty".split()),
    "centre x": frozenset("x cx xc xcenter xcentre centerx centrex".split()),
    "centre y": frozenset("y cy yc ycenter ycentre centery centrey".split()),
}
_LARGEST_FRACTION = 3.0


@dataclass(frozen=True)
class BoxFormat:
    """What the four numbers of a row mean, and how they are written.

    Attributes
    ----------
    order
        ``xywh`` (left, top, width, height), ``cxcywh`` (centre, width, height) or ``xyxy`` (left, top, right, bottom).
    scale
        Empty for pixels that are counted from 0; ``normalised`` for fractions of the image's width and height;
        ``1-based`` where the first pixel has the number 1, as in MATLAB: 1 is subtracted from x and y.
    header
        Whether the first row holds names of columns.
    separator
        What separates the numbers: None for commas, tabs or spaces; ``,``, ``;`` or ``tab`` for that alone. Beside
        ``;`` and ``tab`` a comma in a number is its decimal point.
    """

    order: str = "xywh"
    scale: str = ""
    header: bool = False
    separator: Optional[str] = None

    def __post_init__(self) -> None:
        rules = {"order": one_of(ORDERS), "scale": one_of(("", *SCALES)), "header": one_of((True, False))}
        check(self, {**rules, "separator": one_of((None, *SEPARATORS))})

    @classmethod
    def parse(cls, text: str, header: bool = False, separator: Optional[str] = None) -> BoxFormat:
        """Create the format of a text such as ``xyxy`` or ``cxcywh+normalised``; InputError for another text."""
        order, _, scale = str(text).partition("+")
        if order not in ORDERS or ("+" in str(text) and scale not in SCALES):
            raise InputError(f"boxes is {text!r}, expected {FORMS}")
        if separator is not None and separator not in SEPARATORS:
            raise InputError(f"separator is {separator!r}, expected one of: {' '.join(SEPARATORS)}")
        return cls(order, scale, header, separator)

    @property
    def text(self) -> str:
        """The meaning of the numbers as `parse` takes it."""
        return f"{self.order}+{self.scale}" if self.scale else self.order


def read_boxes(path: str, form: BoxFormat, size: Optional[Tuple[int, int]] = None) -> np.ndarray:
    """Read a box file of any format.

    Parameters
    ----------
    path
        The file: one row per frame.
    form
        Its format.
    size
        Width and height of the images in pixels, which normalised boxes need.

    Returns
    -------
    ndarray
        ``[left, top, width, height]`` in pixels, shape ``(frames, 4)``, float64, with NaN as written.

    Raises
    ------
    InputError
        For a file of another format: a row that is not four numbers, a header of other columns, fractions far above 1,
        a right side that is left of the left side. Also for normalised boxes whose `size` is unknown.
    """
    text, first_line = read_text(path), 1
    if form.header:
        names, _, text = text.partition("\n")
        first_line = 2
        _check_header(_fields(names, form.separator), form, path)
    if form.separator is not None:
        text = _plain(text, form.separator)
    rows = parse_xywh(text, path, first_line, ",".join(_COLUMNS[form.order]))
    if form.scale == "normalised":
        rows = _in_pixels(rows, size, path, first_line)
    elif form.scale == "1-based":
        rows[:, : 4 if form.order == "xyxy" else 2] -= 1
    if form.order == "xyxy":
        turned = np.flatnonzero((rows[:, 2:] < rows[:, :2]).any(axis=1))
        if len(turned):
            raise InputError(
                f"{path}, line {turned[0] + first_line}: right or bottom is less than left or top, "
                f"so boxes={form.text!r} cannot be right; expected {FORMS}"
            )
        rows[:, 2:] -= rows[:, :2]
    elif form.order == "cxcywh":
        rows[:, :2] -= rows[:, 2:] / 2
    return rows


def _in_pixels(rows: np.ndarray, size: Optional[Tuple[int, int]], path: str, first_line: int) -> np.ndarray:
    if size is None:
        raise InputError(
            f"{path}: normalised boxes need the size of the images, which are not there; "
            "name width and height of the sequence in index.json"
        )
    large = np.flatnonzero((np.abs(rows) > _LARGEST_FRACTION).any(axis=1))
    if len(large):
        values = rows[large[0]].tolist()
        raise InputError(
            f"{path}, line {large[0] + first_line}: {values} are no fractions of the image, "
            "so 'normalised' cannot be right"
        )
    return rows * np.array([size[0], size[1], size[0], size[1]], dtype=np.float64)


def _fields(line: str, separator: Optional[str]) -> Tuple[str, ...]:
    """The column names of a header row, in lower case, without quotes and punctuation."""
    if separator is None:
        parts = line.replace(",", " ").split()
    else:
        parts = line.split("\t" if separator == "tab" else separator)
    return tuple("".join(c for c in part.lower() if c.isalnum()) for part in parts)


def _check_header(fields: Tuple[str, ...], form: BoxFormat, path: str) -> None:
    if any(field and field.isdigit() for field in fields):
        raise InputError(f"{path}, line 1: holds numbers, so it is no header and its box would be lost")
    allowed = [_NAMES[column] for column in _COLUMNS[form.order]]
    known = len(fields) == 4 and all(any(field in names for names in _NAMES.values()) for field in fields)
    if known and any(field not in names for field, names in zip(fields, allowed)):
        raise InputError(
            f"{path}, line 1: the columns are {', '.join(fields)}, boxes={form.text!r} expects "
            f"{', '.join(_COLUMNS[form.order])}; allowed are {FORMS}"
        )


def _plain(text: str, separator: str) -> str:
    """The text with one space between numbers; a field that is empty or holds several words stays no number."""
    mark = "\t" if separator == "tab" else separator
    lines = []
    for line in text.rstrip().splitlines():
        fields = [field.strip().strip('"') for field in line.rstrip(mark + " ").split(mark)]
        if separator != ",":
            fields = [field.replace(",", ".") for field in fields]
        lines.append(" ".join("?".join(field.split()) or "-" for field in fields))
    return "\n".join(lines)
