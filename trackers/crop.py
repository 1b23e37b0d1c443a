"""Where a Siamese tracker cuts its crops from the image, and how: the geometry that the PySOT family shares.

Source: github.com/STVIR/pysot (SiamRPN++, SiamMask; SiamBAN and NanoTrack follow it), whose arithmetic is kept step by
step. Positions here are PySOT's own: a first box has its centre at ``left + (w - 1) / 2``, yet a centre reports ``left =
centre - w / 2``. That half pixel is in every published result of the family, so it is kept: `first_centre` shifts once, and
from then on the reported ``[cx, cy, w, h]`` is the internal state.
"""

from __future__ import annotations

import math
from typing import Optional, Tuple

import numpy as np

LARGEST = 3
"""Sides of a crop in a window that is copied; a larger one costs less sampled from the image."""


def first_centre(box: np.ndarray) -> np.ndarray:
    """Internal centre ``[x, y]`` for a first box ``[cx, cy, w, h]``: PySOT's ``left + (w - 1) / 2``."""
    return box[:2] - 0.5


def context_side(width: float, height: float, context: float) -> float:
    """Side of the square round the target and its margin, image pixels: ``sqrt((w + c(w + h)) (h + c(w + h)))``."""
    margin = context * (width + height)
    return math.sqrt((width + margin) * (height + margin))


def window_corner(centre_x: float, centre_y: float, side: int) -> Tuple[int, int]:
    """Left and top pixel of the `side` x `side` window round the centre, rounded as PySOT rounds it."""
    shift = 0.5 - (side + 1) / 2
    return math.floor(centre_x + shift), math.floor(centre_y + shift)


def channel_average(image: np.ndarray) -> Tuple[float, float, float]:
    """What fills the window outside the image: the mean of each channel, cut to whole grey levels as PySOT does."""
    import cv2

    blue, green, red = (float(int(mean)) for mean in cv2.mean(image)[:3])
    return blue, green, red


def crop(
    image: np.ndarray,
    centre_x: float,
    centre_y: float,
    side: int,
    size: int,
    fill: Tuple[float, float, float],
    out: Optional[np.ndarray] = None,
) -> np.ndarray:
    """The `side` x `side` window round the centre as ``(size, size, 3)`` uint8, `fill` where it leaves the image.

    PySOT's crop to the last bit: inside the image a view is resized, across the border a copy of the window alone, not of the
    whole image. A window of more than `LARGEST` sides of the crop is sampled by one ``warpAffine`` with the same
    pixel-centre mapping, which costs no more however large it is, to within rounding (OpenCV places samples on 1/32 pixel
    there, and the outermost row sees the window's neighbours). `out` is a buffer to write into.
    """
    import cv2

    left, top = window_corner(centre_x, centre_y, side)
    right, bottom = left + side, top + side
    height, width = image.shape[:2]
    inside = image[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    if inside.shape[:2] == (side, side):
        return cv2.resize(inside, (size, size), dst=out)
    if not inside.size:
        patch = np.empty((size, size, 3), np.uint8) if out is None else out
        patch[:] = fill
        return patch
    if side <= LARGEST * size:
        edges = max(0, -top), max(0, bottom - height), max(0, -left), max(0, right - width)
        # Isolated, or it would take the border's pixels from the image that the view belongs to.
        window = cv2.copyMakeBorder(inside, *edges, cv2.BORDER_CONSTANT | cv2.BORDER_ISOLATED, value=fill)
        return cv2.resize(window, (size, size), dst=out)
    scale = side / size
    half = 0.5 * scale - 0.5
    return cv2.warpAffine(
        image,
        np.array([[scale, 0.0, left + half], [0.0, scale, top + half]]),
        (size, size),
        dst=out,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=fill,
    )


def to_blob(patch: np.ndarray, out: Optional[np.ndarray] = None) -> np.ndarray:
    """uint8 ``(h, w, 3)`` to float32 ``(1, 3, h, w)``, values and channel order kept. `out` is a buffer to write to."""
    blob = np.empty((1, 3) + patch.shape[:2], np.float32) if out is None else out
    np.copyto(blob[0], patch.transpose(2, 0, 1))
    return blob


def bounded(
    centre_x: float, centre_y: float, width: float, height: float, image: np.ndarray, minimum: float
) -> Tuple[float, float, float, float]:
    """The box with its centre inside the image and its size between `minimum` and the image's.

    Plain floats: on one box, arrays cost more than this arithmetic.
    """
    rows, columns = image.shape[:2]
    return (
        min(max(centre_x, 0.0), float(columns)),
        min(max(centre_y, 0.0), float(rows)),
        min(max(width, minimum), float(columns)),
        min(max(height, minimum), float(rows)),
    )
