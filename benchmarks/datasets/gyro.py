"""Gyro recordings beside a video: the camera's rotation, for benchmarks of stabilised tracking.

A recording is two files in the folder of its sequence:

* ``gyro.csv`` has rows ``t_ns,x,y,z``: the angular velocity in radians per second in the axes of the IMU, at times on
  the clock of the frames (frame 0 is at 0). Lines that begin with ``#`` are skipped, so that EuRoC's files can be read.
* ``camera.json`` has an object with ``camera_matrix`` (3 x 3, pixels) and, where the axes of camera and IMU differ,
  ``camera_from_imu`` (3 x 3, a rotation).
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from typing import Optional, Tuple

import numpy as np

from pvtpp.camera_motion import Gyro, check_camera_matrix, check_rotation
from pvtpp.errors import InputError
from pvtpp.files import read_json, read_text, whole_file

SAMPLES, CAMERA = "gyro.csv", "camera.json"
LATEST_NS = 2**62
"""Times are smaller than this, so that sums of two fit 64 bits."""


@dataclass(frozen=True, eq=False)
class GyroRecording:
    """A recorded gyro and the camera that it was mounted to. The arrays are copied and made read-only.

    Attributes
    ----------
    t_ns
        Times of the samples in nanoseconds on the clock of the frames, shape ``(n,)``, int64, strictly increasing.
    rates
        Angular velocity in radians per second in the axes of the IMU, shape ``(n, 3)``.
    camera_matrix
        Intrinsic matrix of the camera in pixels, shape ``(3, 3)``.
    camera_from_imu
        Rotation from the axes of the IMU to those of the camera, shape ``(3, 3)``.
    source
        The file or clip that errors name.
    delay_ns
        Nanoseconds from the measurement of a sample until it is known.
    """

    t_ns: np.ndarray
    rates: np.ndarray
    camera_matrix: np.ndarray
    camera_from_imu: np.ndarray
    source: str = "gyro"
    delay_ns: int = 2_000_000

    def __post_init__(self) -> None:
        times, rates = np.array(self.t_ns, dtype=np.int64), np.array(self.rates, dtype=np.float64)
        if times.ndim != 1 or rates.shape != (len(times), 3):
            raise InputError(
                f"{self.source}: {times.shape} times with rates of shape {rates.shape}, expected (n,) and (n, 3)"
            )
        back = np.flatnonzero(np.diff(times) <= 0)
        if len(back):
            raise InputError(
                f"{self.source}: times must increase, sample {back[0] + 2} is at t_ns={times[back[0] + 1]}"
            )
        for name, value in (
            ("t_ns", times),
            ("rates", rates),
            ("camera_matrix", check_camera_matrix(self.camera_matrix, f"{self.source}: camera matrix")),
            ("camera_from_imu", check_rotation(self.camera_from_imu, f"{self.source}: camera_from_imu")),
        ):
            value.flags.writeable = False
            object.__setattr__(self, name, value)

    def gyro(self) -> Gyro:
        """A `Gyro` of this camera, without samples."""
        return Gyro(self.camera_matrix, self.camera_from_imu)

    def write(self, folder: str) -> None:
        """Write ``gyro.csv`` and ``camera.json`` into this folder, each whole or not at all."""
        rows = np.column_stack([self.t_ns.astype(object), self.rates.astype(object)])
        with whole_file(os.path.join(folder, SAMPLES)) as part:
            np.savetxt(part, rows, fmt=["%d"] + ["%.9g"] * 3, delimiter=",", header="t_ns,x,y,z")
        with whole_file(os.path.join(folder, CAMERA)) as part, open(part, "w", encoding="utf-8") as file:
            about = self.gyro().as_dict()
            json.dump({name: about[name] for name in ("camera_matrix", "camera_from_imu")}, file)


def read(folder: str) -> Optional[GyroRecording]:
    """Read the recording in this folder; None where there is no ``gyro.csv``, InputError for a malformed file."""
    samples, camera = os.path.join(folder, SAMPLES), os.path.join(folder, CAMERA)
    if not os.path.isfile(samples):
        return None
    return read_files(samples, camera)


def read_files(samples: str, camera: str, growing: bool = False) -> GyroRecording:
    """Read a recording of these two files.

    Parameters
    ----------
    samples, camera
        Paths; as ``gyro.csv`` and ``camera.json`` of a folder.
    growing
        Whether a program may be writing samples meanwhile: then a last line without its end is left out.

    Raises
    ------
    InputError
        For a file that is missing or malformed.
    """
    matrix, axes = read_camera(camera)
    times, rates = _samples(samples, growing)
    return GyroRecording(times, rates, matrix, axes, samples)


def read_camera(path: str) -> Tuple[np.ndarray, np.ndarray]:
    """Read a ``camera.json``: camera matrix and `camera_from_imu`; InputError for a malformed one."""
    try:
        about = read_json(path)
        matrix, axes = about["camera_matrix"], about.get("camera_from_imu", np.eye(3))
    except InputError as error:
        raise InputError(f"{error}; beside {SAMPLES} an object with camera_matrix is needed") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: beside {SAMPLES} an object with camera_matrix is needed ({error!r})") from None
    return check_camera_matrix(matrix, f"{path}: camera_matrix"), check_rotation(axes, f"{path}: camera_from_imu")


def _samples(path: str, growing: bool) -> Tuple[np.ndarray, np.ndarray]:
    times, rates = [], []
    lines = read_text(path).split("\n")
    # After the last end of a line nothing follows, or what is not all written.
    for number, line in enumerate(lines[:-1] if growing else lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split(",")
        try:
            t_ns, rate = int(fields[0]), [float(field) for field in fields[1:4]]
            fine = len(rate) == 3 and all(map(math.isfinite, rate)) and abs(t_ns) < LATEST_NS
        except ValueError:
            fine = False
        if not fine:
            raise InputError(f"{path}, line {number}: {line.strip()[:80]!r} is no sample, expected t_ns,x,y,z (rad/s)")
        times.append(t_ns)
        rates.append(rate)
    if not times:
        raise InputError(f"{path}: no samples; expected rows t_ns,x,y,z (rad/s)")
    return np.array(times, dtype=np.int64), np.reshape(np.array(rates, dtype=np.float64), (-1, 3))
