"""Recognise box files that were read as another format than they have: corners, centres, fractions, pixels from 1.

Nothing here is certain, so it gives warnings with their reasons. Of 454 annotated sequences of DTB70, UAV123, UAV20L,
UAVDT and VisDrone none is taken for corners; with the corners of their boxes, 450 are.
"""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

# Boxes may reach a little beyond the image.
_LARGEST_FRACTION = 1.1
# How far two corners move together at least: where nothing speaks against corners; where all boxes lie inside the image
# as widths and heights too; and in sequences shorter than this, where it may be chance.
_MOVES_TOGETHER, _MOVES_TOGETHER_INSIDE, _MOVES_TOGETHER_SHORT = 0.3, 0.8, 0.95
_LONG = 10
_FEWEST_AT_ONE = 3


class Recognised(NamedTuple):
    """A format that the boxes seem to have.

    Attributes
    ----------
    boxes
        The format, as `pvtpp_benchmarks.datasets.box_format.BoxFormat.parse` takes it.
    reason
        What speaks for it, as the beginning of a sentence.
    """

    boxes: str
    reason: str


def recognise(xywh: np.ndarray, size: Optional[Tuple[int, int]] = None) -> Optional[Recognised]:
    """Recognise fractions of the image and corners among boxes that were read as left, top, width, height in pixels.

    Parameters
    ----------
    xywh
        The four numbers of each row, shape ``(n, 4)``; rows with NaN are left out.
    size
        Width and height of the images in pixels, if known.

    Returns
    -------
    Recognised or None
        None where the boxes may be what they were taken for.
    """
    rows = xywh[np.isfinite(xywh).all(axis=1)]
    if not len(rows) or (size is not None and max(size) <= 4):
        return None
    first, second = rows[:, :2], rows[:, 2:]
    if np.abs(rows).max() <= _LARGEST_FRACTION and second.max() <= 1:
        return Recognised(_order_of_fractions(first, second) + "+normalised", "no number is above 1")
    if not (second > first).all():
        return None
    reason = "the third and fourth number of every row are above the first and second"
    enough = _MOVES_TOGETHER
    if size is not None:
        beyond = ((first + second) > np.array(size) + 1).any(axis=1)
        if beyond.any() and (second <= np.array(size) + 1).all():
            return Recognised(
                "xyxy", f"{reason}, and as widths and heights they lead out of the image in {beyond.sum()} rows"
            )
        enough = enough if beyond.any() else _MOVES_TOGETHER_INSIDE
    if _together(first, second) > (enough if len(rows) >= _LONG else _MOVES_TOGETHER_SHORT):
        return Recognised("xyxy", f"{reason} and move with them")
    return None


def _order_of_fractions(first: np.ndarray, second: np.ndarray) -> str:
    """The order that keeps all boxes inside the image; centres where several do, the usual one of fractions."""
    slack = _LARGEST_FRACTION - 1
    if (first - second / 2 >= -slack / 2).all() and (first + second / 2 <= 1 + slack / 2).all():
        return "cxcywh"
    if (first + second <= 1 + slack).all():
        return "xywh"
    return "xyxy" if (second > first).all() else "cxcywh"


def _together(first: np.ndarray, second: np.ndarray) -> float:
    """How far the steps of two points agree: 1 where they are equal, 0 where they are independent."""
    one, other = np.diff(first, axis=0), np.diff(second, axis=0)
    product = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / product if product > 0 else 0.0


def recognise_one_based(
    boxes: Sequence[np.ndarray], sizes: Sequence[Optional[Tuple[int, int]]]
) -> Optional[Recognised]:
    """Recognise pixels that are counted from 1 in all sequences of a data set together.

    Boxes that were cut off at the border of the image tell it: they begin at 1 and never below, or end one pixel beyond
    the image and never further.

    Parameters
    ----------
    boxes
        For each sequence ``[left, top, width, height]``, shape ``(n, 4)``; rows with NaN are left out.
    sizes
        For each sequence width and height of the images in pixels, if known.
    """
    begin, end = [], []
    for xywh, size in zip(boxes, sizes):
        rows = xywh[np.isfinite(xywh).all(axis=1)]
        begin.append(rows[:, :2].ravel())
        if size is not None:
            end.append((rows[:, :2] + rows[:, 2:] - np.array(size)).ravel())
    begins = np.concatenate(begin) if begin else np.empty(0)
    if not len(begins) or begins.min() < 1:
        return None
    reasons: List[str] = []
    if int((begins == 1).sum()) >= _FEWEST_AT_ONE:
        reasons.append(f"boxes begin at pixel 1 in {(begins == 1).sum()} places and never before")
    ends = np.concatenate(end) if end else np.empty(0)
    if len(ends) and ends.max() == 1 and int((ends == 1).sum()) >= _FEWEST_AT_ONE:
        reasons.append(f"boxes end one pixel beyond the image in {(ends == 1).sum()} places and never further")
    return Recognised("xywh+1-based", " and ".join(reasons)) if reasons else None
