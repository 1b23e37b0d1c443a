"""From pixels to directions: the ray to the target, and how fast it turns.

Directions are in the camera's optical frame: x right, y down, z forward.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Callable, NamedTuple, Tuple

import numpy as np

from pvtpp.boxes import ArrayLike
from pvtpp.camera_motion import check_camera_matrix
from pvtpp.errors import InputError
from pvtpp.trajectory import Prediction

STEP_S = 1e-3
"""The rotation of the ray is measured over this time."""


class Direction(NamedTuple):
    """Where the target is seen from the camera.

    Attributes
    ----------
    ray
        Unit vector ``(3,)``.
    rate
        Angular velocity of the ray ``(3,)``, radians per second.
    sigma
        Standard deviation along the image's x and y ``(2,)``, radians.
    """

    ray: np.ndarray
    rate: np.ndarray
    sigma: np.ndarray


def direction(rays: Callable[[np.ndarray], np.ndarray], prediction: Prediction) -> Direction:
    """Compute where the target's centre is seen, and how fast that direction turns.

    Parameters
    ----------
    rays
        Of the camera: unit vectors ``(n, 3)`` of pixels ``(n, 2)``.
    prediction
        Where the target is in the image.
    """
    centre, velocity = prediction.box[:2], prediction.velocity[:2]
    sx, sy = prediction.sigma[:2]
    around = np.array([[0, 0], velocity * STEP_S, [sx, 0], [0, sy]])
    ray, later, right, below = rays(centre + around)
    return Direction(ray, np.cross(ray, later - ray) / STEP_S, np.array([_angle(ray, right), _angle(ray, below)]))


@dataclass(frozen=True)
class Pinhole:
    """A camera without distortion.

    Attributes
    ----------
    matrix
        Shape ``(3, 3)``, pixels: ``[[fx, 0, cx], [0, fy, cy], [0, 0, 1]]``.

    Raises
    ------
    InputError
        If it is no camera matrix.
    """

    matrix: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "matrix", check_camera_matrix(self.matrix))

    @classmethod
    def of_view(cls, size: Tuple[int, int], horizontal_deg: float) -> Pinhole:
        """Make the camera of a field of view, with square pixels and its axis in the middle of the image.

        Parameters
        ----------
        size
            Width and height of the image, pixels.
        horizontal_deg
            Horizontal field of view, above 0 and below 180 degrees.

        Raises
        ------
        InputError
            For another field of view, and for an image without pixels.
        """
        width, height = size
        if not 0 < horizontal_deg < 180:
            raise InputError(
                f"the horizontal field of view is {horizontal_deg:g} degrees, allowed is above 0 and below 180"
            )
        if width < 1 or height < 1:
            raise InputError(f"the image is {width} x {height} pixels, both must be above 0")
        focal = width / 2 / math.tan(math.radians(horizontal_deg) / 2)
        return cls(np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]]))

    def rays(self, pixels: ArrayLike) -> np.ndarray:
        """Compute the unit vectors ``(n, 3)`` of pixels ``(n, 2)``."""
        (fx, _, cx), (_, fy, cy) = self.matrix[:2]
        flat = (np.asarray(pixels, dtype=np.float64) - (cx, cy)) / (fx, fy)
        rays = np.concatenate([flat, np.ones((len(flat), 1))], axis=1)
        made: np.ndarray = rays / np.linalg.norm(rays, axis=1, keepdims=True)
        return made

    def direction(self, prediction: Prediction) -> Direction:
        """Compute where the target's centre is seen, and how fast that direction turns."""
        return direction(self.rays, prediction)


def _angle(a: np.ndarray, b: np.ndarray) -> float:
    # By the sine: the cosine of a small angle is 1 to all digits.
    return float(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b))
