"""Comparison of the camera's rotation as seen in the images with the rotation that the gyro measures.

Optical flow of the background gives the rotation between two frames. `compare` says whether the gyro agrees, and if
not, whether its sign or its axes are wrong. `stamp_offset` finds by how much the time stamps of the frames are late or
early.
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
"""Width to which wider frames are reduced, pixels: rotation moves the whole image, so a small one is enough."""
LEAST_TURN = 0.004
"""Least rotation between two frames that shows axes and signs, radians."""
INTERVALS = 12
"""Least number of intervals between frames that are compared."""
COARSE = 5
"""Of the offsets every so many is tried first, then all round the best of these."""
AGREES = 0.5
"""Share of the rotation seen in the images (squared) that the gyro must explain."""


def rotation_between(
    previous: np.ndarray, current: np.ndarray, camera_matrix: np.ndarray, target_xywh: Optional[ArrayLike] = None
) -> Optional[np.ndarray]:
    """Rotation of the camera from one image to the next, estimated from the optical flow of the background.

    Parameters
    ----------
    previous, current
        BGR images of one size, shape ``(height, width, 3)``, uint8.
    camera_matrix
        Shape ``(3, 3)``, in pixels of these images.
    target_xywh
        Box of the target in `previous`, ``[left, top, w, h]`` in pixels. It moves by itself, so it is left out.

    Returns
    -------
    numpy.ndarray or None
        Rotation vector, shape ``(3,)``, radians in camera axes; None for images of different sizes, and for images with
        too little texture in common.
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
    """Whether gyro and images agree about the camera's rotation.

    Attributes
    ----------
    assessment
        ``unknown`` (too little rotation yet), ``agrees``, ``inverted`` (the gyro's sign is wrong), ``axes`` (another
        `camera_from_imu` fits) or ``disagrees``.
    explained
        Share of the rotation seen in the images that the gyro explains as it is, 1 at best.
    correction
        For ``axes``: the rotation, shape ``(3, 3)``, with which `camera_from_imu` has to be multiplied from the left.
    """

    assessment: str
    explained: float
    correction: Optional[np.ndarray] = None

    def __str__(self) -> str:
        shown = f"the gyro explains {100 * self.explained:.0f} % of the rotation that the images show"
        if self.assessment == "inverted":
            return f"{shown}, and fits with its sign inverted: the angular velocity is negated"
        if self.assessment == "axes" and self.correction is not None:
            rows = np.round(self.correction).astype(int).tolist()
            return f"{shown}; camera_from_imu is wrong, {rows} times it fits"
        if self.assessment == "disagrees":
            return (
                f"{shown}, and no exchange of axes helps: "
                "check its units, its time stamps, and that it is fixed to the camera"
            )
        return shown if self.assessment == "agrees" else "too little rotation yet to compare gyro and images"


def compare(seen: ArrayLike, measured: ArrayLike) -> Agreement:
    """Compare rotations seen in the images with those measured by the gyro.

    Parameters
    ----------
    seen, measured
        Rotation vectors from the images and from the gyro, shape ``(n, 3)``, radians in camera axes, one row for each
        interval between frames.

    Raises
    ------
    InputError
        If they have different numbers of rows.
    """
    images, gyro = np.reshape(np.asarray(seen, dtype=np.float64), (-1, 3)), np.reshape(measured, (-1, 3))
    if len(images) != len(gyro):
        raise InputError(f"rotations seen and measured must be as many, got {len(images)} and {len(gyro)}")
    turning = np.maximum(np.linalg.norm(images, axis=1), np.linalg.norm(gyro, axis=1)) > LEAST_TURN
    if turning.sum() < INTERVALS:
        return Agreement("unknown", 0.0)
    images, gyro = images[turning], gyro[turning]
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
    """Estimate how late or early the time stamps of the frames are.

    Parameters
    ----------
    t_ns
        n + 1 time stamps of frames, nanoseconds.
    seen
        Rotation vectors between the frames, as seen in the images, shape ``(n, 3)``, radians in camera axes; rows with
        NaN are ignored.
    gyro
        The gyro, with samples for the whole time and `reach_s` before and after it.
    reach_s
        Largest offset that is tried, in both directions, seconds.
    step_s
        Step between the offsets that are tried, seconds.

    Returns
    -------
    offset : float
        True time of exposure minus time stamp, seconds.
    explained : float
        Share of the rotation in the images that the gyro explains at that offset, 1 at best.

    Raises
    ------
    InputError
        If there is too little rotation, the gyro does not cover the time, or gyro and images agree at no offset.
    """
    images, times = np.reshape(np.asarray(seen, dtype=np.float64), (-1, 3)), [int(t) for t in t_ns]
    if len(times) != len(images) + 1:
        raise InputError(
            f"stamp offset: {len(times)} stamps for {len(images)} rotations between them, expected one more"
        )
    last = round(reach_s / step_s)
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
            f"stamp offset: {len(used)} intervals with gyro and images, too few or too calm; at least {INTERVALS} of a "
            "camera that is turned to and fro are needed"
        )

    def score(step: int) -> float:
        shift = round(step * step_s * 1e9)
        turned = np.array([gyro.turn(times[i] + shift, times[i + 1] + shift) for i in used])
        return _explained(images[used], turned)

    # The peak is as wide as the time between two frames.
    scores = {step: score(step) for step in [*range(-last, last, COARSE), last]}
    near = max(scores, key=scores.__getitem__)
    around = range(max(near - COARSE, -last), min(near + COARSE, last) + 1)
    scores.update((step, score(step)) for step in around if step not in scores)
    best = max(scores, key=scores.__getitem__)
    if scores[best] < AGREES or abs(best) == last:
        raise InputError(
            f"stamp offset: at no offset within {reach_s:g} s do gyro and images agree (at best "
            f"{100 * scores[best]:.0f} % of the rotation explained); check axes and sign first"
        )
    below, peak, above = (scores[step] for step in (best - 1, best, best + 1))
    curvature = below - 2 * peak + above
    fraction = 0.5 * (below - above) / curvature if curvature < 0 else 0.0
    return float((best + fraction) * step_s), float(peak)


def _rays(points: np.ndarray, camera_matrix: np.ndarray) -> np.ndarray:
    """Unit vectors through pixels ``(n, 2)``, shape ``(n, 3)`` in camera axes."""
    rays = np.column_stack([points, np.ones(len(points))]) @ np.linalg.inv(camera_matrix).T
    return rays / np.linalg.norm(rays, axis=1, keepdims=True)


def _turn(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Rotation vector of the camera that fits the rays before and after best (Kabsch 1976), without outliers."""
    kept = np.ones(len(before), dtype=bool)
    rotation = np.eye(3)
    for _ in range(4):
        u, _, vt = np.linalg.svd(after[kept].T @ before[kept])
        rotation = u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt
        missed = np.linalg.norm(after - before @ rotation.T, axis=1)
        kept = missed <= max(3 * float(np.median(missed)), 1e-5)
    # Rays of static points turn against the camera, hence the transposed rotation.
    axis = np.array([rotation[1, 2] - rotation[2, 1], rotation[2, 0] - rotation[0, 2], rotation[0, 1] - rotation[1, 0]])
    sine = 0.5 * float(np.linalg.norm(axis))
    angle = np.arctan2(sine, 0.5 * (np.trace(rotation) - 1))
    return axis * (0.5 if sine < 1e-12 else 0.5 * angle / sine)


def _explained(images: np.ndarray, gyro: np.ndarray) -> float:
    return 1.0 - float(((images - gyro) ** 2).sum() / max((images**2).sum(), 1e-12))


def _axis_rotations() -> Iterator[np.ndarray]:
    """The 24 rotations that exchange axes or their directions."""
    for order in permutations(range(3)):
        for signs in product((1.0, -1.0), repeat=3):
            matrix = np.zeros((3, 3))
            matrix[range(3), order] = signs
            if np.linalg.det(matrix) > 0:
                yield matrix
