"""The node's parameters: names, defaults and what is allowed, one dataclass for ROS 1 and ROS 2."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Dict, Optional, Tuple

import numpy as np

from pvtpp import defaults, predictors, propagation
from pvtpp.camera_motion import GyroConfig, check_rotation
from pvtpp.core.config import SEARCH_REGIONS
from pvtpp.errors import InputError
from pvtpp.mavlink.link import parse_endpoint
from pvtpp.validation import Rule, check, one_of
from pvtpp_ros_nodes.parameters import SWITCH, TEXT, numbers, real, whole

TRANSPORTS = ("raw", "compressed")
ANEW = ("predictor", "propagation", "search_region", "presence")
"""Parameters that may be changed in flight: another live tracker takes over, and the target goes on under a new id."""
IN_FLIGHT = ("rate", "lead_time", "silent_s", "back_s", *ANEW)
"""All that may be changed in flight. The others are about what was loaded, or about topics that are connected."""


@dataclass(frozen=True)
class NodeConfig:
    """The parameters of the tracker node. Every field is the private parameter of its name.

    Attributes
    ----------
    tracker
        A name of the registry, or ``module:Class``.
    weights
        Folder or file of the tracker's weights, empty for the usual places.
    backend
        Inference runtime, empty for the one that reads the weights' kind of file.
    threads
        Of the tracker's networks, 0 for its own default.
    predictor
        A name of the registry.
    propagation
        How the newest result is propagated to newer frames: ``optical_flow`` or ``none``.
    search_region
        Where the tracker looks next: where the target is ``predicted``, or where it was ``last``.
    presence
        Tell TRACKING, UNCERTAIN and LOST apart, and search for a lost target; without it, every result is evidence.
    image_transport
        ``raw`` or ``compressed``.
    capture_offset
        True time of exposure minus the image's stamp, seconds; a camera that stamps on delivery needs a negative one.
    lead_time
        ``~target`` is predicted for its publication plus this, seconds.
    rate
        Of ``~target``, Hz.
    rectified
        The image is rectified already: of ``camera_info`` the P matrix is used, and no distortion.
    silent_s
        Seconds without an image after which that is reported.
    back_s
        Where time goes back by more seconds, the target is forgotten.
    imu
        Use the topic of that name: how the camera itself turns.
    camera_from_imu
        The rotation that takes the IMU's axes to the camera's, nine numbers row by row; empty: ask tf.
    imu_bias
        What the gyro shows at rest, radians per second, three numbers.
    mavlink
        Be a MAVLink camera that tracks: ``udpout:HOST:PORT`` or ``udpin:HOST:PORT``; empty: not.
    mavlink_lead
        The delay of that link: its boxes are predicted for the moment when they arrive, seconds.

    Raises
    ------
    InputError
        A parameter is not allowed.
    """

    tracker: str = defaults.TRACKER
    weights: str = ""
    backend: str = ""
    threads: int = 0
    predictor: str = defaults.PREDICTOR
    propagation: str = defaults.PROPAGATION
    search_region: str = defaults.SEARCH_REGION
    presence: bool = defaults.PRESENCE == "on"
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
    mavlink: str = ""
    mavlink_lead: float = 0.0

    def __post_init__(self) -> None:
        check(self, RULES)
        try:
            predictors.check_name(self.predictor)
        except InputError as error:
            raise InputError(f"~predictor: {error}") from None
        self.rotation()
        self.gyro_config()
        if self.mavlink:
            parse_endpoint(self.mavlink)

    def tracker_options(self) -> Dict[str, Any]:
        """Options of the tracker's factory: only those that are set, since not every tracker has every option."""
        given = {"weights": self.weights, "backend": self.backend, "threads": self.threads}
        return {name: value for name, value in given.items() if value}

    def rotation(self) -> Optional[np.ndarray]:
        """Return `camera_from_imu` as a matrix ``(3, 3)``; None where tf is to be asked."""
        if not self.camera_from_imu:
            return None
        matrix = np.reshape(numbers("camera_from_imu", self.camera_from_imu, 9), (3, 3))
        return check_rotation(matrix, "~camera_from_imu")

    def gyro_config(self) -> GyroConfig:
        """Make the configuration of a gyro with the bias `imu_bias`."""
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
"""Least and greatest value of parameters that are numbers."""
RULES: Dict[str, Rule] = {
    "tracker": TEXT,
    "weights": TEXT,
    "backend": TEXT,
    "threads": whole(*RANGES["threads"]),
    "predictor": TEXT,
    "propagation": one_of(propagation.names()),
    "search_region": one_of(SEARCH_REGIONS),
    "presence": SWITCH,
    "image_transport": one_of(TRANSPORTS),
    "capture_offset": real(*RANGES["capture_offset"]),
    "lead_time": real(*RANGES["lead_time"]),
    "rate": real(*RANGES["rate"]),
    "rectified": SWITCH,
    "silent_s": real(*RANGES["silent_s"]),
    "back_s": real(*RANGES["back_s"]),
    "imu": SWITCH,
    "camera_from_imu": TEXT,
    "imu_bias": TEXT,
    "mavlink": TEXT,
    "mavlink_lead": real(-1.0, 5.0),
}
