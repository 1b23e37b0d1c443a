"""Where a Siamese tracker cuts its crops from the image, and how: the geometry of the PySOT family.

Source: github.com/STVIR/pysot (SiamRPN++, SiamMask; SiamBAN and NanoTrack follow it), whose arithmetic is kept step by
step. PySOT puts the centre of a first box at ``left + (w - 1) / 2``, but reports ``left = centre - w / 2``. That half
pixel is in every published result of the family, so it is kept: `first_centre` shifts once, and from then on the
reported ``[cx, cy, w, h]`` is the internal state.
"""

from __future__ import annotations

import math
from typing import List, Optional, Tuple

import numpy as np

LARGEST = 3
"""Windows up to this many crop sides are copied and resized; larger ones are cheaper to sample from the image."""


def first_centre(box: np.ndarray) -> np.ndarray:
    """PySOT's internal centre ``[x, y]`` of a first box ``[cx, cy, w, h]``: ``left + (w - 1) / 2``, pixels."""
    return box[:2] - 0.5


def context_side(width: float, height: float, context: float) -> float:
    """Side of the square around the target and its margin: ``sqrt((w + c (w + h)) (h + c (w + h)))``.

    Parameters
    ----------
    width, height
        Of the target, any unit.
    context
        The margin c, as a share of ``w + h``.
    """
    margin = context * (width + height)
    return math.sqrt((width + margin) * (height + margin))


def window_corner(centre_x: float, centre_y: float, side: int) -> Tuple[int, int]:
    """Left and top pixel of the `side` x `side` window around the centre, rounded as PySOT does."""
    shift = 0.5 - (side + 1) / 2
    return math.floor(centre_x + shift), math.floor(centre_y + shift)


def channel_average(image: np.ndarray) -> Tuple[float, float, float]:
    """What fills a window outside the image: the mean of each channel, cut to an integer as PySOT does."""
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
    """The window around a centre, resized to a crop; PySOT's crop to the last bit.

    Inside the image a view is resized, across its border a copy of the window (not of the whole image). A window of
    more than `LARGEST` crop sides is sampled by one ``warpAffine`` with the same mapping of pixel centres, which costs
    the same however large the window is. It agrees up to rounding: OpenCV samples at multiples of 1/32 pixel there, and
    the outermost row includes the window's neighbours.

    Parameters
    ----------
    image
        ``(H, W, 3)``, uint8.
    centre_x, centre_y
        Centre of the window, pixels.
    side
        Side of the window, pixels.
    size
        Side of the crop.
    fill
        Colour outside the image.
    out
        Buffer to write to.

    Returns
    -------
    np.ndarray
        ``(size, size, 3)``, uint8.
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
        # Without ISOLATED the border would be taken from the image that the view belongs to.
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


def planes_of(size: int) -> List[np.ndarray]:
    """Buffers for the planes of a crop of this side: new memory for every crop is slow."""
    return [np.empty((size, size), np.uint8) for _ in range(3)]


def to_blob(
    patch: np.ndarray, out: Optional[np.ndarray] = None, planes: Optional[List[np.ndarray]] = None
) -> np.ndarray:
    """uint8 ``(h, w, 3)`` to float32 ``(1, 3, h, w)``, values and channel order unchanged; uses buffers that are given.

    Parameters
    ----------
    patch
        The crop.
    out
        Buffer to write to.
    planes
        Of `planes_of`.
    """
    import cv2

    blob = np.empty((1, 3) + patch.shape[:2], np.float32) if out is None else out
    # Planes first: conversion in strides takes a quarter longer.
    for plane, values in zip(cv2.split(patch, planes), blob[0]):
        np.copyto(values, plane)
    return blob


def bounded(
    centre_x: float, centre_y: float, width: float, height: float, image: np.ndarray, minimum: float
) -> Tuple[float, float, float, float]:
    """The box with its centre inside the image and its sides between `minimum` and the image's.

    Plain floats, since array operations on one box cost more than this arithmetic.
    """
    rows, columns = image.shape[:2]
    return (
        min(max(centre_x, 0.0), float(columns)),
        min(max(centre_y, 0.0), float(rows)),
        min(max(width, minimum), float(columns)),
        min(max(height, minimum), float(rows)),
    )
