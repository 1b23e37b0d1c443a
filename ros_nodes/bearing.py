"""From pixels to directions: the ray to the target and how fast it turns, by the camera's calibration."""

from __future__ import annotations

from typing import Any

import numpy as np

from pvtpp.bearing import Direction, direction
from pvtpp.errors import InputError
from pvtpp.trajectory import Prediction

PINHOLE, FISHEYE = ("plumb_bob", "rational_polynomial"), ("equidistant", "fisheye")
COEFFICIENTS = {**dict.fromkeys(PINHOLE, (0, 4, 5, 8, 12, 14)), **dict.fromkeys(FISHEYE, (0, 4)), "": (0,)}
"""How many coefficients each distortion model may have; a camera without distortion names no model."""


class Camera:
    """The calibration of a camera.

    Parameters
    ----------
    info
        A sensor_msgs/CameraInfo.
    rectified
        Whether pixels are those of the rectified image.

    Raises
    ------
    InputError
        The camera is not calibrated (focal length 0), something is not finite, or the distortion model is unknown.
    """

    def __init__(self, info: Any, rectified: bool = False):
        # ROS 1 writes the matrices in capitals, ROS 2 does not.
        distortion, matrix, projection = (info.D, info.K, info.P) if hasattr(info, "K") else (info.d, info.k, info.p)
        self._model = info.distortion_model
        self._distortion = np.array(() if rectified else distortion, dtype=np.float64)
        self._matrix = np.reshape(projection, (3, 4))[:, :3] if rectified else np.reshape(matrix, (3, 3))
        # The matrices are of the whole sensor, the image may be a part of it, and binned.
        self._scale = np.array([max(info.binning_x, 1), max(info.binning_y, 1)], dtype=np.float64)
        self._offset = np.array([info.roi.x_offset, info.roi.y_offset], dtype=np.float64)
        if not (np.isfinite(self._matrix).all() and np.isfinite(self._distortion).all()):
            raise InputError("camera_info: the calibration is not finite")
        if not (self._matrix[0, 0] > 0 and self._matrix[1, 1] > 0):
            raise InputError(
                "camera_info: the focal length is not above 0, so the camera is not calibrated; no bearing"
            )
        if self._model not in COEFFICIENTS:
            allowed = ", ".join(filter(None, COEFFICIENTS))
            raise InputError(f"camera_info: unknown distortion model {self._model!r}, expected one of: {allowed}")
        if self._distortion.size not in COEFFICIENTS[self._model]:
            allowed = ", ".join(map(str, COEFFICIENTS[self._model]))
            raise InputError(
                f"camera_info: {self._distortion.size} coefficients of {self._model!r}, allowed are {allowed}"
            )

    @property
    def matrix(self) -> np.ndarray:
        """The camera matrix ``(3, 3)`` in pixels of the image, without lens distortion."""
        to_image = np.diag([*(1 / self._scale), 1.0])
        to_image[:2, 2] = -self._offset / self._scale
        made: np.ndarray = to_image @ self._matrix
        return made

    def rays(self, pixels: np.ndarray) -> np.ndarray:
        """Compute the unit vectors ``(n, 3)`` of pixels ``(n, 2)`` of the image."""
        points = np.asarray(pixels, dtype=np.float64) * self._scale + self._offset
        flat = self._undistorted(points) if self._distortion.any() else self._straight(points)
        rays = np.concatenate([flat, np.ones((len(flat), 1))], axis=1)
        return rays / np.linalg.norm(rays, axis=1, keepdims=True)

    def direction(self, prediction: Prediction) -> Direction:
        """Compute where the target's centre is seen, and how fast that direction turns."""
        return direction(self.rays, prediction)

    def _straight(self, points: np.ndarray) -> np.ndarray:
        (fx, _, cx), (_, fy, cy) = self._matrix[:2]
        return (points - (cx, cy)) / (fx, fy)

    def _undistorted(self, points: np.ndarray) -> np.ndarray:
        import cv2

        undistort = cv2.fisheye.undistortPoints if self._model in FISHEYE else cv2.undistortPoints
        return undistort(points[:, None], self._matrix, self._distortion)[:, 0]
