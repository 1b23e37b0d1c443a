"""How propagation goes wrong: something passes in front of the target, and optical flow moves the box along with it."""

from __future__ import annotations

from typing import List, Tuple

import cv2
import numpy as np

from pvtpp.propagation import create as create_propagator
from pvtpp.tracker import Frame
from pvtpp_benchmarks.concept_drawings.sheet import BLUE, ORANGE, Sheet
from pvtpp_benchmarks.report.drawing import Drawing

FPS, FRAMES = 30.0, 36
SIDE, WIDE, SHAPE = 40, 56, (160, 420)
"""Sides of the target and of what passes, and the image; pixels."""


def takeover() -> Drawing:
    """Place over time of a target, of what passes in front of it, and of the propagated box."""
    seconds, target, other, propagated = course()
    sheet = Sheet(0, seconds[-1])
    down = sheet.chart("place in the image, pixels from the left", 0, 420, (0, 100, 200, 300, 400), 200)
    sheet.band(down, seconds, [x - WIDE / 2 for x in other], [x + WIDE / 2 for x in other], "muted")
    sheet.curve(down, list(zip(seconds, target)), ORANGE, 2.2, (3, 2))
    sheet.curve(down, list(zip(seconds, propagated)), BLUE, 2.2)
    sheet.axis((0, 0.2, 0.4, 0.6, 0.8, 1.0), "seconds since the tracker's result")
    sheet.legend(
        [
            (ORANGE, "the target"),
            ("muted", "something that passes in front of it"),
            (BLUE, "the result, propagated by optical flow alone"),
        ]
    )
    return sheet.drawing("The propagated box leaves the target and goes on with what passed in front of it")


def course() -> Tuple[List[float], List[float], List[float], List[float]]:
    """Times, and the places of target, occluder and propagated box; each chain goes on from the box before."""
    rng = np.random.default_rng(3)
    back, front, cover = (_texture(rng, size) for size in (SHAPE, (SIDE, SIDE), (90, WIDE)))
    propagator = create_propagator("optical_flow")
    times, targets, others, boxes = [], [], [], []
    box = np.array([110.0, 80.0, SIDE, SIDE])
    before_ns = 0
    for number in range(FRAMES):
        target, other, t_ns = 110 + 2 * number, 400 - 9 * number, round(number * 1e9 / FPS)
        image = back.copy()
        _paste(image, front, target, 80)
        _paste(image, cover, other, 80)
        frame = Frame(number, t_ns, np.repeat(image[..., None], 3, axis=2))
        propagator.push(frame, box if number else None)
        if number:
            box = propagator.carry(box, before_ns, t_ns).box
        before_ns = t_ns
        times.append(number / FPS)
        targets.append(float(target))
        others.append(float(other))
        boxes.append(float(box[0]))
    return times, targets, others, boxes


def _texture(rng: np.random.Generator, shape: Tuple[int, int]) -> np.ndarray:
    grains = rng.integers(30, 226, (shape[0] // 6 + 1, shape[1] // 6 + 1)).astype(np.uint8)
    return np.asarray(cv2.resize(grains, shape[::-1], interpolation=cv2.INTER_CUBIC))


def _paste(image: np.ndarray, patch: np.ndarray, x: int, y: int) -> None:
    height, width = patch.shape
    left, top = x - width // 2, y - height // 2
    first, last = max(left, 0), min(left + width, image.shape[1])
    if first < last:
        image[top : top + height, first:last] = patch[:, first - left : last - left]
