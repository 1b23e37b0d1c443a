"""The target of a tracking command: a point or a rectangle in shares of the image, as a box in pixels."""

from __future__ import annotations

import math
from typing import Sequence, Tuple

import numpy as np

from pvtpp.errors import InputError

BESIDE = 0.02
"""By so much a rectangle may lie beside the image, as a share of it: it is cut off there."""
SMALLEST_PX = 3.0


def rectangle(corners: Sequence[float], size: Tuple[int, int]) -> np.ndarray:
    """Make the box of a rectangle.

    Parameters
    ----------
    corners
        Left, top, right, bottom; shares of the image from 0 to 1.
    size
        Width and height of the image, pixels.

    Returns
    -------
    numpy.ndarray
        ``[cx, cy, w, h]``, pixels.

    Raises
    ------
    InputError
        For anything that is not finite, lies outside of the image, or is smaller than `SMALLEST_PX`.
    """
    _finite("rectangle", corners)
    left, top, right, bottom = corners
    if min(corners) < -BESIDE or max(corners) > 1 + BESIDE:
        raise InputError(f"rectangle {_text(corners)} is outside of the image, 0 to 1 is allowed")
    (left, right), (top, bottom) = np.clip([[left, right], [top, bottom]], 0.0, 1.0).tolist()
    width, height = (right - left) * size[0], (bottom - top) * size[1]
    if width < SMALLEST_PX or height < SMALLEST_PX:
        raise InputError(
            f"rectangle {_text(corners)} is {width:.1f} x {height:.1f} px, allowed is {SMALLEST_PX:g} px or more from "
            "its upper left corner to its lower right"
        )
    return np.array([(left + right) / 2 * size[0], (top + bottom) / 2 * size[1], width, height])


def point(x: float, y: float, radius: float, size: Tuple[int, int], default: float) -> np.ndarray:
    """Make the box of a point: a square round it.

    Parameters
    ----------
    x, y
        Shares of the image's width and height, 0 to 1.
    radius
        Half of the square's side as a share of the image's width; NaN or 0: `default` is the side.
    size
        Width and height of the image, pixels.
    default
        Side where no radius is given, as a share of the width.

    Returns
    -------
    numpy.ndarray
        ``[cx, cy, w, h]``, pixels.

    Raises
    ------
    InputError
        For a point that is not finite or outside of the image, and a radius below 0 or above 1.
    """
    _finite("point", (x, y))
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise InputError(f"point {_text((x, y))} is outside of the image, 0 to 1 is allowed")
    if math.isinf(radius) or not (math.isnan(radius) or 0 <= radius <= 1):
        raise InputError(f"radius {radius:.3g}: allowed is 0 to 1, or NaN for {default / 2:g}")
    side = default if math.isnan(radius) or radius == 0 else 2 * radius
    pixels = max(min(side * size[0], *size), SMALLEST_PX)
    return np.array([x * size[0], y * size[1], pixels, pixels])


def shares(box: np.ndarray, size: Tuple[int, int]) -> Tuple[float, float, float, float]:
    """Return left, top, right and bottom of a box as shares of the image, cut off at its borders."""
    half = box[2:] / 2
    low, high = np.clip([(box[:2] - half) / size, (box[:2] + half) / size], 0.0, 1.0).tolist()
    return low[0], low[1], high[0], high[1]


def _finite(what: str, values: Sequence[float]) -> None:
    if not all(map(math.isfinite, values)):
        raise InputError(f"{what} {_text(values)} is not finite, 0 to 1 is allowed")


def _text(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.3g}" for value in values)
