"""The camera's own rotation between two times, integrated from a gyro.

A rotation of the camera moves pixels independently of depth: it maps the image of one time to that of another by the
homography ``K R K^-1``, with the camera matrix K and the rotation R between the two (Hartley and Zisserman, *Multiple
View Geometry*, 8.4). `pvtpp.stabilised` applies it to tracks and predictions.

Camera axes: x right, y down, z forward (the optical frame). Lens distortion is not modelled: rectify wide lenses.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from copy import copy
from dataclasses import asdict, dataclass
from typing import Any, Dict, List, Mapping, Optional, Protocol, Tuple

import numpy as np

from pvtpp.boxes import ArrayLike
from pvtpp.errors import InputError
from pvtpp.validation import above, check

FULL_SCALE = 35.0
"""Largest plausible rate, radians per second: the range of a drone's gyro (2000 degrees per second)."""

Quaternion = Tuple[float, float, float, float]
Vector = Tuple[float, float, float]
Samples = Tuple[List[int], List[Quaternion], List[Vector]]


class CameraMotion(Protocol):
    """What is known of the camera's own rotation."""

    def homography(self, from_ns: int, to_ns: int) -> Optional[np.ndarray]:
        """The map from pixels of the image at `from_ns` to pixels of the image at `to_ns`.

        Returns
        -------
        numpy.ndarray or None
            Shape ``(3, 3)``, determinant 1, for homogeneous pixels; None where the rotation since `from_ns` is unknown.
        """

    def flow(self, point: np.ndarray, t_ns: int) -> np.ndarray:
        """Image velocity of a static point, caused by the camera's rotation alone.

        Parameters
        ----------
        point
            Shape ``(2,)``: where the point is seen at `t_ns`, pixels.
        t_ns
            Time, nanoseconds.

        Returns
        -------
        numpy.ndarray
            Shape ``(2,)``, pixels per second; zero where the rotation is unknown.
        """


class Still:
    """The motion of a camera without a gyro: the rotation is unknown at all times."""

    def homography(self, from_ns: int, to_ns: int) -> Optional[np.ndarray]:
        """Return None: unknown."""
        return None

    def flow(self, point: np.ndarray, t_ns: int) -> np.ndarray:
        """Return zero, shape ``(2,)``."""
        return np.zeros(2)


@dataclass(frozen=True)
class GyroConfig:
    """Settings of a `Gyro`.

    Attributes
    ----------
    memory_s
        How far back rotations are kept, seconds.
    reach_s
        How long the newest rate is assumed to go on, seconds. Samples further apart leave a gap, and rotations from
        before a gap are unknown.
    bias
        Bias of the gyro, subtracted from each sample, radians per second in IMU axes.
    """

    memory_s: float = 4.0
    reach_s: float = 0.1
    bias: Tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        check(self, {"memory_s": above(0), "reach_s": above(0)})
        _vector(self.bias, "GyroConfig.bias")


class Gyro:
    """Integrates the angular velocity that a gyro measures. One thread may call `add` while others ask.

    Parameters
    ----------
    camera_matrix
        Shape ``(3, 3)``, pixels: ``[[fx, 0, cx], [0, fy, cy], [0, 0, 1]]``.
    camera_from_imu
        Shape ``(3, 3)``: the rotation that takes IMU axes to camera axes; None where they are the same.
    config
        Settings; None for the defaults.

    Attributes
    ----------
    config, camera_matrix, camera_from_imu
        As given, checked.

    Raises
    ------
    InputError
        If a matrix is no camera matrix or no rotation.
    """

    def __init__(
        self, camera_matrix: ArrayLike, camera_from_imu: Optional[ArrayLike] = None, config: Optional[GyroConfig] = None
    ):
        self.config = config or GyroConfig()
        self.camera_matrix = check_camera_matrix(camera_matrix)
        self.camera_from_imu = check_rotation(
            np.eye(3) if camera_from_imu is None else camera_from_imu, "camera_from_imu"
        )
        self._inverse = np.linalg.inv(self.camera_matrix)
        self._reach_ns = round(self.config.reach_s * 1e9)
        # Times, attitudes and rates of the samples. Readers take all three lists at once; lists only grow at their end.
        self._samples: Samples = ([], [], [])

    def add(self, t_ns: int, rate: ArrayLike) -> None:
        """Add a sample.

        Parameters
        ----------
        t_ns
            When it was measured, nanoseconds on the clock of the frames.
        rate
            Angular velocity, shape ``(3,)``, radians per second in IMU axes.

        Raises
        ------
        InputError
            If `rate` is not three finite numbers within a gyro's range, or `t_ns` is not after the last sample.
        """
        t_ns = int(t_ns)
        measured = np.subtract(_vector(rate, f"gyro at t_ns={t_ns}"), self.config.bias)
        x, y, z = (self.camera_from_imu @ measured).tolist()
        times, attitudes, rates = self._samples
        if times and t_ns <= times[-1]:
            raise InputError(f"gyro: sample at t_ns={t_ns} after one at t_ns={times[-1]}; times must increase")
        if not times or t_ns - times[-1] > self._reach_ns:
            self._samples = ([t_ns], [(1.0, 0.0, 0.0, 0.0)], [(x, y, z)])
            return
        attitude = _further(attitudes[-1], rates[-1], (x, y, z), t_ns - times[-1])
        old = bisect_right(times, t_ns - round(self.config.memory_s * 1e9))
        if old > len(times) // 2:
            times, attitudes, rates = times[old:], attitudes[old:], rates[old:]
        # Last, because readers look up the times first.
        attitudes.append(attitude)
        rates.append((x, y, z))
        times.append(t_ns)
        self._samples = (times, attitudes, rates)

    def forget(self, before_ns: int) -> None:
        """Drop all samples before the last one that is not newer than `before_ns`.

        Attitudes are integrated again from that sample, so later answers do not depend, to the last bit, on how much
        came before it.
        """
        times, _, rates = self._samples
        first = max(bisect_right(times, before_ns) - 1, 0)
        times, rates = times[first:], rates[first:]
        attitudes: List[Quaternion] = [(1.0, 0.0, 0.0, 0.0)][: len(times)]
        for at in range(1, len(times)):
            attitudes.append(_further(attitudes[-1], rates[at - 1], rates[at], times[at] - times[at - 1]))
        self._samples = (times, attitudes, rates)

    def as_dict(self) -> Dict[str, Any]:
        """Plain numbers from which `from_dict` creates the same gyro, without its samples."""
        matrices = {"camera_matrix": self.camera_matrix.tolist(), "camera_from_imu": self.camera_from_imu.tolist()}
        return {**matrices, "config": asdict(self.config)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Gyro:
        """Create a gyro without samples from what `as_dict` returned."""
        config = GyroConfig(**{**values["config"], "bias": tuple(values["config"]["bias"])})
        return cls(values["camera_matrix"], values["camera_from_imu"], config)

    def frozen(self) -> Gyro:
        """Return a gyro that knows what this one knows now, and learns nothing more. Takes microseconds."""
        made = copy(self)
        times, attitudes, rates = self._samples
        known = len(times)
        made._samples = (times[:known], attitudes[:known], rates[:known])
        return made

    @property
    def newest_ns(self) -> Optional[int]:
        """When the newest sample was measured; None before the first."""
        times = self._samples[0]
        return times[-1] if times else None

    def homography(self, from_ns: int, to_ns: int) -> Optional[np.ndarray]:
        """As `CameraMotion.homography`; the camera is taken to stop turning `reach_s` after the newest sample."""
        between = self._between(from_ns, to_ns)
        if between is None:
            return None
        w, x, y, z = _inverted(between)
        rotation = np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
            ]
        )
        return self.camera_matrix @ rotation @ self._inverse

    def turn(self, from_ns: int, to_ns: int) -> Optional[np.ndarray]:
        """Rotation of the camera from `from_ns` to `to_ns`.

        Returns
        -------
        numpy.ndarray or None
            Rotation vector, shape ``(3,)``, radians in camera axes; None where it is unknown, as for `homography`.
        """
        between = self._between(from_ns, to_ns)
        if between is None:
            return None
        w, *axis = between if between[0] >= 0 else tuple(-q for q in between)
        sine = math.sqrt(sum(q * q for q in axis))
        return np.array(axis) * (2 * math.atan2(sine, w) / sine if sine > 1e-12 else 2.0)

    def rate(self, t_ns: int) -> Optional[Vector]:
        """Angular velocity of the camera.

        Returns
        -------
        tuple of float or None
            Radians per second in camera axes, of the newest sample that is not after `t_ns`; None where it is unknown.
        """
        times, _, rates = self._samples
        at = bisect_right(times, t_ns) - 1
        return None if at < 0 or t_ns > times[-1] + self._reach_ns else rates[at]

    def flow(self, point: np.ndarray, t_ns: int) -> np.ndarray:
        """As `CameraMotion.flow`, with the rate of the newest sample that is not after `t_ns`."""
        known = self.rate(t_ns)
        if known is None:
            return np.zeros(2)
        a, b, c = known
        (fx, _, cx), (_, fy, cy), _ = self.camera_matrix.tolist()
        x, y = (point[0] - cx) / fx, (point[1] - cy) / fy
        # The ray r of a static point moves by -rate x r in camera axes.
        return np.array([fx * (x * y * a - (1 + x * x) * b + y * c), fy * ((1 + y * y) * a - x * y * b - x * c)])

    def _between(self, from_ns: int, to_ns: int) -> Optional[Quaternion]:
        """The camera's attitude at `to_ns` relative to that at `from_ns`."""
        samples = self._samples
        times = samples[0]
        if not times or not times[0] <= from_ns <= times[-1] + self._reach_ns or to_ns < times[0]:
            return None
        return _product(_inverted(self._attitude(samples, from_ns)), self._attitude(samples, to_ns))

    def _attitude(self, samples: Samples, t_ns: int) -> Quaternion:
        """Rotation from camera to world axes at a time not before the first sample."""
        times, attitudes, rates = samples
        at = bisect_right(times, t_ns) - 1
        seconds = min(t_ns - times[at], self._reach_ns) * 1e-9
        if at + 1 < len(times):
            (ax, ay, az), (bx, by, bz) = rates[at], rates[at + 1]
            return _product(attitudes[at], _turned((0.5 * (ax + bx), 0.5 * (ay + by), 0.5 * (az + bz)), seconds))
        return _product(attitudes[at], _turned(rates[at], seconds))


def check_camera_matrix(value: ArrayLike, name: str = "camera matrix") -> np.ndarray:
    """Check a camera matrix and return it as float64, shape ``(3, 3)``.

    Raises InputError, with `name` in the message, unless the focal lengths are above 0 and the last row is ``0 0 1``.
    """
    matrix = _matrix(value, name)
    if not (matrix[0, 0] > 0 and matrix[1, 1] > 0):
        raise InputError(f"{name}: the focal lengths are {matrix[0, 0]:g} and {matrix[1, 1]:g}, they must be above 0")
    if matrix[2].tolist() != [0, 0, 1]:
        raise InputError(f"{name}: the last row is {matrix[2].tolist()}, expected [0, 0, 1]")
    return matrix


def check_rotation(value: ArrayLike, name: str) -> np.ndarray:
    """Check a rotation matrix and return it as float64, shape ``(3, 3)``.

    Raises InputError, with `name` in the message, unless it is orthonormal with determinant 1.
    """
    matrix = _matrix(value, name)
    if abs(np.linalg.det(matrix) - 1) > 1e-3 or np.abs(matrix @ matrix.T - np.eye(3)).max() > 1e-3:
        raise InputError(f"{name}: {matrix.tolist()} is no rotation (orthonormal rows, determinant 1)")
    return matrix


def _matrix(value: ArrayLike, source: str) -> np.ndarray:
    try:
        matrix = np.array(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        matrix = np.empty(0)
    if matrix.shape != (3, 3) or not np.isfinite(matrix).all():
        raise InputError(f"{source}: {value!r} is no (3, 3) array of finite numbers")
    return matrix


def _vector(value: ArrayLike, source: str) -> np.ndarray:
    try:
        vector = np.array(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{source}: {value!r} is not three numbers") from None
    if vector.shape != (3,) or not np.isfinite(vector).all():
        raise InputError(f"{source}: {value!r} is not three finite numbers")
    if np.abs(vector).max() > FULL_SCALE:
        raise InputError(f"{source}: {vector.tolist()} is beyond {FULL_SCALE:g} rad/s; are these degrees per second?")
    return vector


def _turned(rate: Vector, seconds: float) -> Quaternion:
    """The rotation of a constant rate."""
    x, y, z = rate
    norm = math.sqrt(x * x + y * y + z * z)
    half = 0.5 * norm * seconds
    share = math.sin(half) / norm if norm > 1e-12 else 0.5 * seconds
    return math.cos(half), x * share, y * share, z * share


def _further(attitude: Quaternion, last: Vector, rate: Vector, passed_ns: int) -> Quaternion:
    """The attitude after `passed_ns` in which the rate went from `last` to `rate`."""
    mean = (0.5 * (last[0] + rate[0]), 0.5 * (last[1] + rate[1]), 0.5 * (last[2] + rate[2]))
    return _unit(_product(attitude, _turned(mean, passed_ns * 1e-9)))


def _product(a: Quaternion, b: Quaternion) -> Quaternion:
    aw, ax, ay, az = a
    bw, bx, by, bz = b
    return (
        aw * bw - ax * bx - ay * by - az * bz,
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
    )


def _inverted(q: Quaternion) -> Quaternion:
    return q[0], -q[1], -q[2], -q[3]


def _unit(q: Quaternion) -> Quaternion:
    norm = math.sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3])
    return q[0] / norm, q[1] / norm, q[2] / norm, q[3] / norm
