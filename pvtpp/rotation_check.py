"""What the images say of the camera's rotation, held against what the gyro says: a wrong sign, wrong axes, a wrong clock.

The background's optical flow gives the rotation between two frames. Where gyro and images agree, both are believed; where
they do not, `compare` names what would make them agree; `stamp_offset` finds how much too late or early frames are stamped.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import permutations, product
from typing import Any, Iterator, Optional, Sequence, Tuple

import numpy as np

from pvtpp.boxes import ArrayLike
from pvtpp.camera_motion import Gyro
from pvtpp.errors import InputError

WIDTH = 320
"""Frames are looked at in this width: rotation moves everything, so small pictures do."""
LEAST_TURN = 0.004
"""Radians between two frames below which an interval tells nothing of axes and signs."""
INTERVALS = 12
AGREES = 0.5
"""Share of the images' rotation (squared) that the gyro must explain."""


def rotation_between(
    previous: np.ndarray, current: np.ndarray, camera_matrix: np.ndarray, target_xywh: Optional[ArrayLike] = None
) -> Optional[np.ndarray]:
    """How the camera turned from one image to the next: the rotation vector (3,) in camera axes, radians.

    `previous`, `current`: uint8 (height, width, 3) of one size, `camera_matrix` in pixels of that size; `target_xywh`: left
    out, it moves by itself. None where the images have too little texture in common.
    """
    import cv2

    if previous.shape != current.shape:
        return None
    scale = min(WIDTH / previous.shape[1], 1.0)
    size = (max(round(previous.shape[1] * scale), 1), max(round(previous.shape[0] * scale), 1))
    first, second = (
        cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
        for image in (previous, current)
    )
    mask = None
    if target_xywh is not None:
        left, top, width, height = np.asarray(target_xywh, dtype=np.float64) * scale
        mask = np.full(first.shape, 255, np.uint8)
        mask[max(int(top), 0) : max(int(top + height) + 1, 0), max(int(left), 0) : max(int(left + width) + 1, 0)] = 0
    corners: Any = cv2.goodFeaturesToTrack(first, 120, 0.01, 8, mask=mask)
    if corners is None or len(corners) < 12:
        return None
    track: Any = partial(cv2.calcOpticalFlowPyrLK, winSize=(15, 15), maxLevel=3)
    moved, found, _ = track(first, second, corners, None)
    back, returned, _ = track(second, first, moved, None)
    good = (found.ravel() > 0) & (returned.ravel() > 0) & (np.abs(back - corners).reshape(-1, 2).max(axis=1) < 0.7)
    if good.sum() < 12:
        return None
    before, after = (_rays(points.reshape(-1, 2)[good] / scale, camera_matrix) for points in (corners, moved))
    return _turn(before, after)


@dataclass(frozen=True)
class Agreement:
    """`verdict`: ``unknown`` (too little rotation yet), ``agrees``, ``inverted`` (the gyro's sign), ``axes`` (another
    `camera_from_imu` fits: `correction` (3, 3) is to be multiplied to it from the left) or ``disagrees``. `explained`: the
    share of the images' rotation that the gyro explains as it is, 1 at best.
    """

    verdict: str
    explained: float
    correction: Optional[np.ndarray] = None

    def __str__(self) -> str:
        shown = f"the gyro explains {100 * self.explained:.0f} % of the rotation that the images show"
        if self.verdict == "inverted":
            return f"{shown}, with its sign inverted it fits: the angular velocity is negated"
        if self.verdict == "axes" and self.correction is not None:
            rows = np.round(self.correction).astype(int).tolist()
            return f"{shown}; camera_from_imu is wrong, {rows} times it fits"
        if self.verdict == "disagrees":
            return f"{shown} and no exchange of axes helps: check its units, time stamps and that it is fixed to the camera"
        return (
            shown if self.verdict == "agrees" else "too little rotation yet to hold gyro and images against each other"
        )


def compare(seen: ArrayLike, measured: ArrayLike) -> Agreement:
    """Hold rotations against each other: `seen` by the images and `measured` by the gyro, both (n, 3) in camera axes, one row
    for each interval between frames.
    """
    images, gyro = np.reshape(np.asarray(seen, dtype=np.float64), (-1, 3)), np.reshape(measured, (-1, 3))
    if len(images) != len(gyro):
        raise InputError(f"rotations seen and measured must be as many, got {len(images)} and {len(gyro)}")
    lively = np.maximum(np.linalg.norm(images, axis=1), np.linalg.norm(gyro, axis=1)) > LEAST_TURN
    if lively.sum() < INTERVALS:
        return Agreement("unknown", 0.0)
    images, gyro = images[lively], gyro[lively]
    explained = _explained(images, gyro)
    if explained >= AGREES:
        return Agreement("agrees", explained)
    if _explained(images, -gyro) >= AGREES:
        return Agreement("inverted", explained)
    best = max(_axis_rotations(), key=lambda rotation: _explained(images, gyro @ rotation.T))
    if _explained(images, gyro @ best.T) >= AGREES:
        return Agreement("axes", explained, best)
    return Agreement("disagrees", explained)


def stamp_offset(
    t_ns: Sequence[int], seen: ArrayLike, gyro: Gyro, reach_s: float = 0.2, step_s: float = 0.001
) -> Tuple[float, float]:
    """``(offset, explained)``: true exposure minus stamp of the frames, seconds, and the share of the rotation explained then.

    `t_ns`: n + 1 stamps; `seen`: (n, 3), rotations between them. Raises InputError where there is too little rotation to
    tell, the gyro does not cover it, or no offset within `reach_s` makes both agree.
    """
    images, times = np.reshape(np.asarray(seen, dtype=np.float64), (-1, 3)), [int(t) for t in t_ns]
    if len(times) != len(images) + 1:
        raise InputError(
            f"stamp offset: {len(times)} stamps for {len(images)} rotations between them, expected one more"
        )
    steps = np.arange(-round(reach_s / step_s), round(reach_s / step_s) + 1)
    reach, newest = round(reach_s * 1e9), gyro.newest_ns or 0
    used = [
        i
        for i in range(len(images))
        if np.isfinite(images[i]).all()
        and times[i + 1] + reach <= newest
        and gyro.turn(times[i] - reach, times[i]) is not None
    ]
    if len(used) < INTERVALS or np.median(np.linalg.norm(images[used], axis=1)) < LEAST_TURN / 2:
        raise InputError(
            f"stamp offset: {len(used)} intervals with gyro and images, too few or too calm; at least {INTERVALS} of a camera "
            "that is turned to and fro are needed"
        )
    scores = []
    for step in steps:
        shift = round(step * step_s * 1e9)
        turned = np.array([gyro.turn(times[i] + shift, times[i + 1] + shift) for i in used])
        scores.append(_explained(images[used], turned))
    best = int(np.argmax(scores))
    if scores[best] < AGREES or best in (0, len(steps) - 1):
        raise InputError(
            f"stamp offset: at no offset within {reach_s:g} s do gyro and images agree (at best {100 * scores[best]:.0f} % of "
            "the rotation explained); check axes and sign first"
        )
    below, peak, above = scores[best - 1 : best + 2]
    curvature = below - 2 * peak + above
    fraction = 0.5 * (below - above) / curvature if curvature < 0 else 0.0
    return float((steps[best] + fraction) * step_s), float(peak)


def _rays(points: np.ndarray, camera_matrix: np.ndarray) -> np.ndarray:
    rays = np.column_stack([points, np.ones(len(points))]) @ np.linalg.inv(camera_matrix).T
    return rays / np.linalg.norm(rays, axis=1, keepdims=True)


def _turn(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The camera's rotation vector that takes rays before to rays after best (Kabsch), outliers left out."""
    kept = np.ones(len(before), dtype=bool)
    rotation = np.eye(3)
    for _ in range(4):
        u, _, vt = np.linalg.svd(after[kept].T @ before[kept])
        rotation = u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt
        missed = np.linalg.norm(after - before @ rotation.T, axis=1)
        kept = missed <= max(3 * float(np.median(missed)), 1e-5)
    # Still rays turn against the camera.
    axis = np.array([rotation[1, 2] - rotation[2, 1], rotation[2, 0] - rotation[0, 2], rotation[0, 1] - rotation[1, 0]])
    sine = 0.5 * float(np.linalg.norm(axis))
    angle = np.arctan2(sine, 0.5 * (np.trace(rotation) - 1))
    return axis * (0.5 if sine < 1e-12 else 0.5 * angle / sine)


def _explained(images: np.ndarray, gyro: np.ndarray) -> float:
    return 1.0 - float(((images - gyro) ** 2).sum() / max((images**2).sum(), 1e-12))


def _axis_rotations() -> Iterator[np.ndarray]:
    """The 24 rotations that exchange axes."""
    for order in permutations(range(3)):
        for signs in product((1.0, -1.0), repeat=3):
            matrix = np.zeros((3, 3))
            matrix[range(3), order] = signs
            if np.linalg.det(matrix) > 0:
                yield matrix
