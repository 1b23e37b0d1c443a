"""The box of what moves together with a point: a person clicks on a target, and two frames say how far it reaches.

The background's motion between two frames (an affine map, by sparse optical flow) is taken out. What the point then
still moves by is the target's motion. Each pixel round the point belongs to the motion that explains it better, the
target's or the background's; where both explain it, as in the sky or on water without a wave, it stays with the
background. What hangs together at the point is the target. Where the point moves as the background does, or much of
what is round it moves by itself too (spray, leaves), nothing is found.
"""

from __future__ import annotations

import math
from typing import Optional, Tuple

import cv2
import numpy as np

from pvtpp.boxes import ArrayLike
from pvtpp.errors import InputError

# Lengths are in pixels of images that are at most WIDTH wide, larger ones are reduced to that. The values were chosen
# with benchmarks/studies/point_selection.py.
WIDTH = 640
# Least time between the two frames: from one frame to the next little has moved.
APART_NS = 100_000_000
# How far a target reaches at most to each side of the point, as a share of the image's width; smallest side of that.
REACH, SMALLEST_REGION = 0.1, 16
# Corners on the background: most, least, and the share of them that must agree with one motion up to this error.
CORNERS, FEWEST, AGREE, AGREES = 400, 12, 0.3, 1.5
# Windows of the flow of the background and of the target, its pyramids, and the error after flowing forth and back up
# to which a point counts.
BACKGROUND, TARGET, RETURN = (21, 4), (15, 3), 1.0
# Points on the target: their distances from the one that was clicked, and how many must be seen again; how far their
# motions may differ; the least motion relative to the background.
CORE, FEWEST_SEEN, SPREAD, LEAST = np.arange(-4, 5, 2), 8, 0.3, 1.0
# Side of the window in which errors are compared; by how much the target's motion must explain it better: grey levels,
# and times the error of the better one in the median.
WINDOW, GREY, TIMES = 5, 3.0, 2.0
# Holes and gaps up to this are closed; distance from the point at which the target must be found.
GAP, NEAR = 7, 3
# Share of what is round the target that may move as it does.
STRAY = 0.05
# Pixels of a target: fewest; smallest side of its box; largest side, as a share of the region; share of the pixels
# beyond the box on each side.
FEWEST_PIXELS, SMALLEST, LARGEST, BEYOND = 20, 3.0, 0.8, 0.01


def box_of_motion(before: np.ndarray, after: np.ndarray, point: ArrayLike) -> Optional[np.ndarray]:
    """Find the box of what moves together with a point.

    Parameters
    ----------
    before, after
        Images of one size, ``(rows, columns)`` or ``(rows, columns, 3)``, uint8; about `APART_NS` apart.
    point
        ``(x, y)`` in `after`, pixels.

    Returns
    -------
    numpy.ndarray or None
        ``[cx, cy, w, h]`` in `after`, pixels; None where nothing stands out from the background by its motion.

    Raises
    ------
    InputError
        For images of two sizes, and a point outside of the image.
    """
    if before.shape != after.shape:
        raise InputError(f"a point's motion: images of two sizes, {before.shape} and {after.shape}")
    height, width = after.shape[:2]
    x, y = np.asarray(point, dtype=np.float64).tolist()
    if not (0 <= x <= width and 0 <= y <= height):
        raise InputError(f"point {x:g}, {y:g} is outside of the image of {width} x {height} pixels")
    scale = min(WIDTH / width, 1.0)
    found = _found(_grey(before, scale), _grey(after, scale), (x * scale, y * scale))
    return None if found is None else found / scale


def _grey(image: np.ndarray, scale: float) -> np.ndarray:
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return grey if scale == 1 else cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _found(before: np.ndarray, after: np.ndarray, point: Tuple[float, float]) -> Optional[np.ndarray]:
    background = _background(before, after)
    if background is None:
        return None
    (height, width), (x, y) = after.shape, (int(point[0]), int(point[1]))
    reach = int(REACH * width)
    left, top = max(x - reach, 0), max(y - reach, 0)
    region = slice(top, min(y + reach, height)), slice(left, min(x + reach, width))
    # The frame before as the camera would have seen it from where it is now.
    still = _warped(before, background)
    seen, expected = np.ascontiguousarray(after[region]), np.ascontiguousarray(still[region])
    if min(seen.shape) < SMALLEST_REGION:
        return None
    x, y = min(x - left, seen.shape[1] - 1), min(y - top, seen.shape[0] - 1)
    motion = _motion(seen, expected, x, y)
    if motion is None:
        return None
    moved = _warped(still, np.array([[1, 0, motion[0]], [0, 1, motion[1]]], dtype=np.float64))[region]
    of_background, of_target = _error(seen, expected), _error(seen, moved)
    noise = float(np.median(np.minimum(of_background, of_target)))
    mask = (of_background - of_target > max(GREY, TIMES * noise)).astype(np.uint8)
    box = _box(mask, x, y)
    return None if box is None else box + [left, top, 0, 0]


def _background(before: np.ndarray, after: np.ndarray) -> Optional[np.ndarray]:
    """The affine map (2, 3) from `after` to `before` that most of the image follows; None where there is none."""
    start = cv2.goodFeaturesToTrack(after, CORNERS, 0.01, 7)
    if start is None or len(start) < FEWEST:
        return None
    seen, there = _flow(after, before, start.reshape(-1, 2), *BACKGROUND)
    if len(seen) < FEWEST:
        return None
    affine, agree = cv2.estimateAffine2D(seen, there, method=cv2.RANSAC, ransacReprojThreshold=AGREES)
    return affine if affine is not None and agree.sum() >= AGREE * len(seen) else None


def _flow(
    one: np.ndarray, other: np.ndarray, points: np.ndarray, window: int, levels: int
) -> Tuple[np.ndarray, np.ndarray]:
    """The points ``(n, 2)`` of one image that are seen in the other, and where they are there."""
    start = points.astype(np.float32).reshape(-1, 1, 2)
    size = (window, window)
    there, found, _ = cv2.calcOpticalFlowPyrLK(one, other, start, np.empty_like(start), winSize=size, maxLevel=levels)
    back, returned, _ = cv2.calcOpticalFlowPyrLK(other, one, there, np.empty_like(start), winSize=size, maxLevel=levels)
    seen = (found.ravel() == 1) & (returned.ravel() == 1)
    seen &= np.linalg.norm((back - start).reshape(-1, 2), axis=1) < RETURN
    return start.reshape(-1, 2)[seen], there.reshape(-1, 2)[seen]


def _warped(image: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """The image whose pixel at a place is that of `image` where `affine` (2, 3) takes the place to."""
    size = (image.shape[1], image.shape[0])
    return cv2.warpAffine(
        image, affine, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )


def _motion(seen: np.ndarray, expected: np.ndarray, x: int, y: int) -> Optional[np.ndarray]:
    """Where (2,) the point was before, relative to now; None where it stood still or is unclear."""
    points = np.stack(np.meshgrid(x + CORE, y + CORE), axis=-1).reshape(-1, 2)
    now, before = _flow(seen, expected, points, *TARGET)
    if len(now) < FEWEST_SEEN:
        return None
    motion = np.median(before - now, axis=0)
    clear = math.hypot(*motion.tolist()) >= LEAST and float(np.median(np.abs(before - now - motion))) <= SPREAD
    return motion if clear else None


def _error(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """How far two images differ in the window round each pixel, grey levels."""
    smooth = (cv2.GaussianBlur(each, (3, 3), 0) for each in (one, other))
    return cv2.blur(cv2.absdiff(*smooth).astype(np.float32), (WINDOW, WINDOW))


def _box(mask: np.ndarray, x: int, y: int) -> Optional[np.ndarray]:
    """The box of what hangs together at a point; None where there is nothing, or much of it besides."""
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (GAP, GAP)))
    _, labels = cv2.connectedComponents(closed)
    near = labels[max(y - NEAR, 0) : y + NEAR + 1, max(x - NEAR, 0) : x + NEAR + 1]
    near = near[near > 0]
    if not len(near):
        return None
    target = (labels == np.bincount(near).argmax()) & (mask > 0)
    around = cv2.dilate(target.astype(np.uint8), np.ones((9, 9), np.uint8)) == 0
    rows, columns = np.nonzero(target)
    if len(rows) < FEWEST_PIXELS or (around.any() and mask[around].mean() > STRAY):
        return None
    quantiles = (100 * BEYOND, 100 - 100 * BEYOND)
    (left, right), (top, bottom) = np.percentile(columns, quantiles), np.percentile(rows, quantiles)
    sides = np.array([right - left + 1, bottom - top + 1])
    if sides.min() < WINDOW or (sides > LARGEST * np.array(mask.shape[::-1])).any():
        return None
    # The window sees the target from beside it.
    sides = np.maximum(sides - 2 * (WINDOW // 2), SMALLEST)
    return np.array([(left + right + 1) / 2, (top + bottom + 1) / 2, *sides])
