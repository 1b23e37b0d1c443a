"""Arrays of boxes: conversions and overlap.

A `box` is float64 ``[cx, cy, w, h]`` in pixels, in continuous coordinates: the pixel in the corner covers ``[0, 1]``,
so an image of width W spans ``[0, W]``. ``xywh`` is ``[left, top, w, h]``, as annotation files and result files write
it.
"""

from __future__ import annotations

import math
from typing import Any, Sequence, Tuple, Union

import numpy as np

from pvtpp.errors import InputError

ArrayLike = Union[np.ndarray, Sequence[Any]]


def as_box(value: ArrayLike, source: str = "box") -> np.ndarray:
    """Check one box.

    Parameters
    ----------
    value
        Four numbers, ``[cx, cy, w, h]``.
    source
        Where the box comes from, for the error message.

    Returns
    -------
    numpy.ndarray
        A copy, shape ``(4,)``, float64, read-only.

    Raises
    ------
    InputError
        Unless it is four finite numbers with a width and a height above 0.
    """
    try:
        box = np.array(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{source}: {value!r} is not four numbers") from None
    if box.shape != (4,):
        raise InputError(f"{source}: expected 4 numbers, got shape {box.shape}: {value!r}")
    # Plain floats: this runs on every result, and on four numbers array calls cost several times as much.
    numbers = box.tolist()
    if not all(map(math.isfinite, numbers)):
        raise InputError(f"{source}: {numbers} is not finite; all four numbers must be")
    if not (numbers[2] > 0 and numbers[3] > 0):
        raise InputError(
            f"{source}: {numbers} has width {numbers[2]:g} and height {numbers[3]:g}; both must be above 0"
        )
    box.flags.writeable = False
    return box


def require_in_image(box: np.ndarray, size: Tuple[int, int], source: str = "box", least: float = 1.0) -> np.ndarray:
    """Return the box itself, if a target can be there.

    Parameters
    ----------
    box
        ``[cx, cy, w, h]``, pixels.
    size
        Of the image, width and height, pixels.
    source
        Names the box's origin in the error.
    least
        Pixels of it that must lie inside the image in each direction.

    Raises
    ------
    InputError
        For a box of which less lies inside the image, and for one with a side over twice the image's. The message has
        left, top, width and height.
    """
    cx, cy, w, h = box.tolist()
    for side, at, pixels in ((w, cx, size[0]), (h, cy, size[1])):
        inside = min(at + side / 2, pixels) - max(at - side / 2, 0)
        if inside < least or side > 2 * pixels:
            shown = ", ".join(f"{value:g}" for value in (cx - w / 2, cy - h / 2, w, h))
            what = "is over twice as large as" if inside >= least else f"has less than {least:g} pixels inside"
            raise InputError(f"{source}: left, top, width, height {shown} {what} the {size[0]} x {size[1]} image")
    return box


def xywh_to_box(xywh: ArrayLike) -> np.ndarray:
    """Convert ``[left, top, w, h]`` to ``[cx, cy, w, h]``, shape ``(..., 4)``; returns a copy."""
    box = np.array(xywh, dtype=np.float64)
    box[..., :2] += box[..., 2:] / 2
    return box


def box_to_xywh(box: ArrayLike) -> np.ndarray:
    """Convert ``[cx, cy, w, h]`` to ``[left, top, w, h]``, shape ``(..., 4)``; returns a copy."""
    xywh = np.array(box, dtype=np.float64)
    xywh[..., :2] -= xywh[..., 2:] / 2
    return xywh


def iou(a: ArrayLike, b: ArrayLike) -> np.ndarray:
    """Intersection over union (IoU) of boxes ``[cx, cy, w, h]``.

    Returns
    -------
    numpy.ndarray
        Shape ``broadcast(a, b).shape[:-1]``, in [0, 1]; 0 for boxes without area, NaN where a box has a NaN.
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    low = np.maximum(a[..., :2] - a[..., 2:] / 2, b[..., :2] - b[..., 2:] / 2)
    high = np.minimum(a[..., :2] + a[..., 2:] / 2, b[..., :2] + b[..., 2:] / 2)
    intersection = np.maximum(high - low, 0).prod(axis=-1)
    union = a[..., 2] * a[..., 3] + b[..., 2] * b[..., 3] - intersection
    return np.clip(intersection / np.where(union > 0, union, np.where(union <= 0, 1.0, np.nan)), 0, 1)


def box_size(box: np.ndarray) -> float:
    """Return the size of one box ``[cx, cy, w, h]``: the square root of its area, pixels."""
    return math.sqrt(float(box[2]) * float(box[3]))


def iou_of_two(a: Sequence[float], b: Sequence[float]) -> float:
    """`iou` of two finite boxes given as plain floats ``[cx, cy, w, h]``, equal to the bit.

    For two boxes the array version takes several times as long, too long for a filter that needs one at every step.
    """
    wide = min(a[0] + a[2] / 2, b[0] + b[2] / 2) - max(a[0] - a[2] / 2, b[0] - b[2] / 2)
    high = min(a[1] + a[3] / 2, b[1] + b[3] / 2) - max(a[1] - a[3] / 2, b[1] - b[3] / 2)
    shared = max(wide, 0.0) * max(high, 0.0)
    return min(shared / (a[2] * a[3] + b[2] * b[3] - shared), 1.0) if shared else 0.0
