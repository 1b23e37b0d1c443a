"""What is compared in a closed loop: which boxes the controller gets, and what is known of how the camera turns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict

from pvtpp import defaults
from pvtpp.predictors.registry import check_name
from pvtpp.validation import check, one_of

KNOWN = ("nothing", "rates", "gyro")
FORWARD = ("own", "image", "nothing")


@dataclass(frozen=True)
class Variant:
    """One row of the table.

    Attributes
    ----------
    label
        In tables and figures.
    predictor
        Its name; propagation, search region and presence are those of `pvtpp.defaults.settings`.
    known
        How the camera turns: ``nothing`` is known, the gimbal reports its ``rates`` to the controller, or the state
        machine knows a ``gyro``.
    forward
        What the controller feeds forward: the target's ``own`` rate, which is known with rates or gyro only, what the
        ``image`` shows, or ``nothing``.
    """

    label: str
    predictor: str
    known: str = "nothing"
    forward: str = "own"

    def __post_init__(self) -> None:
        check(self, {"known": one_of(KNOWN), "forward": one_of(FORWARD)})
        check_name(self.predictor)


VARIANTS: Dict[str, Variant] = {
    "stale": Variant("stale boxes", "hold"),
    "pvt": Variant("PVT's Kalman filter", "kalman:pvt"),
    "default": Variant("default", defaults.PREDICTOR),
    "imu": Variant("default + IMU", defaults.PREDICTOR, "gyro"),
    "stale-rates": Variant("stale boxes + gimbal's rates", "hold", "rates"),
    "default-rates": Variant("default + gimbal's rates", defaults.PREDICTOR, "rates"),
    "default-image": Variant("default, image's rate fed forward", defaults.PREDICTOR, "nothing", "image"),
    "imu-no-forward": Variant("default + IMU, nothing fed forward", defaults.PREDICTOR, "gyro", "nothing"),
}
MAIN = ("stale", "pvt", "default", "imu")
"""The variants that are compared where nothing else is said."""
