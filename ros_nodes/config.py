"""The node's parameters: names, defaults and what is allowed, one dataclass for ROS 1 and ROS 2."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Dict, Optional, Tuple

import numpy as np

from pvtpp import defaults, predictors, propagation
from pvtpp.camera_motion import GyroConfig, check_rotation
from pvtpp.core.state_machine import SEARCH_REGIONS
from pvtpp.errors import InputError
from pvtpp_ros_nodes.parameters import check, numbers

TRANSPORTS = ("raw", "compressed")


@dataclass(frozen=True)
class NodeConfig:
    """Every field is the private parameter of its name.

    `weights`: folder or file of the tracker's weights, empty for the usual places. `backend`: inference runtime, empty for
    the one that reads the weights' kind of file. `threads`: of the tracker's networks, 0 for its own default. `judge`: tell
    TRACKING from LOST, coast and search; else every result is believed. `capture_offset`: true time of exposure minus the
    image's stamp, seconds; a camera that stamps on delivery needs a negative one. `lead_time`: ``~target`` is predicted for
    its publication plus this, seconds. `rate`: of ``~target``, Hz. `rectified`: the image is rectified already, so
    ``camera_info`` counts by its P matrix and without distortion. `silent_s`: no image for so long is reported. `back_s`:
    time going back by more begins anew. `imu`: the camera's own turning, by the topic of that name, is known.
    `camera_from_imu`: the rotation that takes the IMU's axes to the camera's, nine numbers row by row; empty: ask tf.
    `imu_bias`: what the gyro shows at rest, rad/s, three numbers.
    """

    tracker: str = defaults.TRACKER
    weights: str = ""
    backend: str = ""
    threads: int = 0
    predictor: str = defaults.PREDICTOR
    propagation: str = defaults.PROPAGATION
    search_region: str = defaults.SEARCH_REGION
    judge: bool = True
    image_transport: str = "raw"
    capture_offset: float = 0.0
    lead_time: float = 0.0
    rate: float = 100.0
    rectified: bool = False
    silent_s: float = 1.0
    back_s: float = 1.0
    imu: bool = False
    camera_from_imu: str = ""
    imu_bias: str = "0, 0, 0"

    def __post_init__(self) -> None:
        check(self, RANGES, CHOICES)
        try:
            predictors.create(self.predictor)
        except InputError as error:
            raise InputError(f"~predictor: {error}") from None
        self.rotation()
        self.gyro_config()

    def tracker_options(self) -> Dict[str, Any]:
        """What the tracker's factory is given: only what was asked for, since not every tracker has every option."""
        given = {"weights": self.weights, "backend": self.backend, "threads": self.threads}
        return {name: value for name, value in given.items() if value}

    def rotation(self) -> Optional[np.ndarray]:
        """`camera_from_imu` (3, 3); None where tf is to be asked."""
        if not self.camera_from_imu:
            return None
        return check_rotation(
            np.reshape(numbers("camera_from_imu", self.camera_from_imu, 9), (3, 3)), "~camera_from_imu"
        )

    def gyro_config(self) -> GyroConfig:
        x, y, z = numbers("imu_bias", self.imu_bias, 3)
        try:
            return GyroConfig(bias=(x, y, z))
        except InputError as error:
            raise InputError(f"~imu_bias: {error}") from None


RANGES: Dict[str, Tuple[float, float]] = {
    "threads": (0, 256),
    "capture_offset": (-1.0, 1.0),
    "lead_time": (-1.0, 2.0),
    "rate": (1.0, 1000.0),
    "silent_s": (0.05, math.inf),
    "back_s": (0.01, math.inf),
}
CHOICES: Dict[str, Tuple[str, ...]] = {
    "propagation": tuple(propagation.names()),
    "search_region": SEARCH_REGIONS,
    "image_transport": TRANSPORTS,
}
