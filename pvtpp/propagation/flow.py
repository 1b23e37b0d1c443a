"""Measurement of one step: sparse optical flow around a box between two grey images.

The surroundings of the box are cut from both images and scaled so that the target is always about `SIDE` pixels large.
Then the work is the same for every target, and so is the share of it that a window of the flow covers. Points lie on a
grid on the target, weighted towards its middle, where there is less background; and on a ring around it, which is
background. The flow of each point is computed forth and back (pyramidal Lucas-Kanade, OpenCV). Points that return to
their start determine a shift and a scale. Where few agree, the target may have moved farther than the pyramid reaches;
then a coarse correlation finds where to try again.
"""

from __future__ import annotations

import math
from typing import Optional, Tuple

import cv2
import numpy as np

from pvtpp.propagation.similarity import Step, fit, weighted_median

# Lengths are in patch pixels unless noted. The values were chosen with benchmarks/studies/propagation_carry.py.
# Side of the target in the patch; most patch pixels per image pixel; width of the surroundings.
SIDE, LARGEST_ZOOM, MARGIN = 48.0, 4.0, 40.0
# Points per side; share of the box that they cover; standard deviation of their weight, in half sides.
GRID, SHRINK, SPREAD = 8, 0.9, 0.6
# Points on the background, and their distance from the box.
RING, RING_WIDTH = 16, 14.0
# Window and pyramid of the flow: at a higher level a window would hold more background than target.
WINDOW, LEVELS = 11, 1
STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 15, 0.03)
# Smaller eigenvalue of the gradients in the window at which a point has half its weight.
TEXTURE = 1e-3
# Error after flowing forth and back at which a point has half its weight, and none.
RETURN, LARGEST_RETURN = 0.5, 1.0
# Distance from the estimated step up to which a point supports it.
AGREES = 1.0
# Motion relative to the background that marks a point as target; share of the weight that must show it.
APART, ENOUGH = 1.5, 0.25
SMALLEST_SCALE, LARGEST_SCALE = 0.8, 1.25
# Largest difference of the patches' means, grey levels, that is taken for a change of exposure.
EXPOSURE = 6
# Quality below which the target is searched for farther away.
RETRY = 0.15
# Quality up to which nothing counts as seen; largest quality of a step from the background alone.
FAILED, BACKGROUND = 0.02, 0.1
# Coarse correlation: side of the target; share of it in the template; reach, in sides; penalty of distance.
COARSE_SIDE, COARSE_SHRINK, COARSE_REACH, COARSE_PENALTY = 20.0, 0.9, 2.5, 0.3
# Smallest side of a box, image pixels; largest side, in sides of the image.
SMALLEST_BOX, LARGEST_BOX = 1.0, 8.0

Guess = Tuple[float, float, float]
"""``(dx, dy, scale)``: shift in image pixels, and factor of the size."""
STILL: Guess = (0.0, 0.0, 1.0)


def _layout() -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points of the grid in half sides ``(n, 2)``, their weights ``(n,)``, directions of the ring ``(m, 2)``."""
    across = (np.arange(GRID) + 0.5) / GRID * 2 - 1
    grid = np.stack(np.meshgrid(across, across), axis=-1).reshape(-1, 2) * SHRINK
    weight = np.exp(-0.5 * (grid**2).sum(axis=1) / SPREAD**2)
    angle = np.arange(RING) / RING * 2 * np.pi
    return grid, weight, np.stack([np.cos(angle), np.sin(angle)], axis=-1)


_POINTS, _WEIGHT, _ROUND = _layout()


def measure(before: np.ndarray, after: np.ndarray, box: np.ndarray, guess: Guess = STILL) -> Step:
    """Measure the step of a target from one image to another.

    Parameters
    ----------
    before, after
        Grey images of one size, shape ``(rows, columns)``, uint8.
    box
        The target in `before`, ``[cx, cy, w, h]`` in pixels.
    guess
        ``(dx, dy, scale)`` to start from, pixels.

    Returns
    -------
    Step
        Without texture on the target it is the step of the background, with a quality of at most `BACKGROUND`. Where
        nothing is seen at all, it is the guess with quality 0; so it is for a box outside the image, smaller than a
        pixel or many times larger than the image.
    """
    if not _visible(box, before.shape):
        return Step(box, *guess, 0.0)
    step = _flow(before, after, box, guess)
    if step.quality < RETRY:
        again = _flow(before, after, box, _coarse(before, after, box, guess))
        if again.quality > step.quality:
            step = again
    return step


def _flow(before: np.ndarray, after: np.ndarray, box: np.ndarray, guess: Guess) -> Step:
    x, y, w, h = box.tolist()
    zoom = min(SIDE / math.sqrt(w * h), LARGEST_ZOOM, 2 * SIDE / max(w, h))
    half = np.array([w, h]) * (zoom / 2)
    width, height = (int(2 * (side + MARGIN)) for side in half.tolist())
    dx, dy, scale = guess
    # The second patch is cut at the guess, so that the flow only has to find the rest.
    first, second = patch(before, x, y, zoom, width, height), patch(after, x + dx, y + dy, zoom / scale, width, height)
    points = np.concatenate([_POINTS * half, _ROUND * (half * 1.15 + RING_WIDTH)])
    moved, reliability = _flow_of_points(
        first, _exposed_as(first, second), points + [(width - 1) / 2, (height - 1) / 2]
    )
    size = (before.shape[1], before.shape[0])
    reliability *= _inside(points / zoom + (x, y), size)
    reliability *= _inside((points + moved) * (scale / zoom) + (x + dx, y + dy), size)

    count = len(_POINTS)
    weights, background = reliability[:count] * _WEIGHT, _background(moved[count:], reliability[count:])
    points, moved = points[:count], moved[:count]
    weight = float(weights.sum())
    if weight > FAILED * float(_WEIGHT.sum()):
        chosen = weights
        if background is not None:
            apart = weights * (((moved - background[0]) ** 2).sum(axis=1) > APART**2)
            if apart.sum() > ENOUGH * weight:
                chosen = apart
        shift, growth, residual = fit(points, moved, chosen, 0.29 * SIDE)
        quality = float(chosen @ (residual < AGREES)) / float(_WEIGHT.sum())
        if quality > FAILED:
            growth = min(max(1 + growth, SMALLEST_SCALE), LARGEST_SCALE)
            sx, sy = (shift * (scale / zoom)).tolist()
            return Step(box, dx + sx, dy + sy, scale * growth, min(quality, 1.0))
    if background is not None:
        sx, sy = (background[0] * (scale / zoom)).tolist()
        return Step(box, dx + sx, dy + sy, scale, BACKGROUND * background[1])
    return Step(box, *guess, 0.0)


def _exposed_as(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The second patch with the mean of the first one, where they differ by no more than a change of exposure."""
    brighter = round(cv2.mean(second)[0] - cv2.mean(first)[0])
    if abs(brighter) <= EXPOSURE:
        return second
    level = cv2.subtract if brighter > 0 else cv2.add
    return level(second, np.full_like(second, abs(brighter)))


def _flow_of_points(before: np.ndarray, after: np.ndarray, points: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """How far each point moved, ``(n, 2)``, and its reliability in [0, 1], ``(n,)``.

    A point is reliable if it has texture and returns to its start (Kalal et al. 2010, *Forward-Backward Error*).
    """
    start = points.astype(np.float32)
    window, flags = (WINDOW, WINDOW), cv2.OPTFLOW_LK_GET_MIN_EIGENVALS
    there, found, texture = cv2.calcOpticalFlowPyrLK(
        before, after, start, np.empty_like(start), winSize=window, maxLevel=LEVELS, criteria=STOP, flags=flags
    )
    back, returned, _ = cv2.calcOpticalFlowPyrLK(
        after, before, there, np.empty_like(start), winSize=window, maxLevel=LEVELS, criteria=STOP, flags=flags
    )
    error = ((back - start).astype(np.float64) ** 2).sum(axis=1)
    texture = texture[:, 0].astype(np.float64)
    good = (found[:, 0] > 0) & (returned[:, 0] > 0) & (error < LARGEST_RETURN**2)
    return (there - start).astype(np.float64), good * (texture / (texture + TEXTURE)) / (1 + error / RETURN**2)


def _background(moved: np.ndarray, weights: np.ndarray) -> Optional[Tuple[np.ndarray, float]]:
    """The median motion of the ring, and the share of it that agrees; None where too little of it is seen."""
    if np.count_nonzero(weights) < RING // 4:
        return None
    shift = np.array([weighted_median(moved[:, 0], weights), weighted_median(moved[:, 1], weights)])
    agree = ((moved - shift) ** 2).sum(axis=1) < APART**2
    return shift, float(weights @ agree) / RING


def _coarse(before: np.ndarray, after: np.ndarray, box: np.ndarray, guess: Guess) -> Guess:
    """Where the middle of the target correlates best within `COARSE_REACH` sides of the guess, far places less."""
    x, y, w, h = box.tolist()
    dx, dy, scale = guess
    zoom = min(COARSE_SIDE / math.sqrt(w * h), 2.0, 2 * COARSE_SIDE / max(w, h))
    width, height = (max(int(side * zoom * COARSE_SHRINK), 5) for side in (w, h))
    reach = int(COARSE_REACH * COARSE_SIDE)
    template = patch(before, x, y, zoom, width, height)
    area = patch(after, x + dx, y + dy, zoom / scale, width + 2 * reach, height + 2 * reach)
    score = np.nan_to_num(cv2.matchTemplate(area, template, cv2.TM_CCOEFF_NORMED), posinf=0.0, neginf=0.0)
    offset = np.arange(-reach, reach + 1) / COARSE_SIDE
    distance = offset[:, None] ** 2 + offset**2
    row, column = divmod(int((score - COARSE_PENALTY * distance / (1 + distance)).argmax()), 2 * reach + 1)
    return dx + (column - reach) * scale / zoom, dy + (row - reach) * scale / zoom, scale


def patch(image: np.ndarray, x: float, y: float, zoom: float, width: int, height: int) -> np.ndarray:
    """Cut a patch from an image and scale it.

    Parameters
    ----------
    image
        Shape ``(rows, columns)``. Beyond its border the outermost pixels are repeated.
    x, y
        Middle of the patch in the image, pixels.
    zoom
        Patch pixels per image pixel.
    width, height
        Size of the patch, pixels.

    Returns
    -------
    numpy.ndarray
        Shape ``(height, width)``, of the type of `image`.
    """
    left, top, step = x - width / zoom / 2, y - height / zoom / 2, 1.0
    if zoom < 0.7:
        # Whole blocks are averaged first, so that fine texture does not alias.
        block = 2 ** math.ceil(math.log2(0.7 / zoom))
        rows, columns = image.shape
        first_column, first_row = (
            int(min(max(low - block, 0), side - 1)) for low, side in ((left, columns), (top, rows))
        )
        across = max(int(min(left + width / zoom + block, columns) - first_column) // block, 1)
        down = max(int(min(top + height / zoom + block, rows) - first_row) // block, 1)
        part = image[first_row : first_row + down * block, first_column : first_column + across * block]
        image = cv2.resize(part, (across, down), interpolation=cv2.INTER_AREA)
        left, top, step = (left - first_column) / block, (top - first_row) / block, 1.0 / block
    step = step / zoom
    mapping = np.array([[step, 0.0, left + 0.5 * step - 0.5], [0.0, step, top + 0.5 * step - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, mapping, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def _visible(box: np.ndarray, shape: Tuple[int, ...]) -> bool:
    x, y, w, h = box.tolist()
    rows, columns = shape
    return (
        min(w, h) >= SMALLEST_BOX
        and max(w, h) <= LARGEST_BOX * max(rows, columns)
        and -w / 2 < x < columns + w / 2
        and -h / 2 < y < rows + h / 2
    )


def _inside(points: np.ndarray, size: Tuple[int, int]) -> np.ndarray:
    return np.all((points > 0) & (points < size), axis=1)
