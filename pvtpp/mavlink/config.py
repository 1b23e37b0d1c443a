"""What a camera component says of itself, and how far ahead it predicts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

from pvtpp.control import ControllerConfig
from pvtpp.validation import above, between, check, holds, optional

IDS = holds("a whole number from 1 to 255", lambda value: type(value) is int and 1 <= value <= 255)
CAMERA_IDS = holds("a whole number from 7 to 255", lambda value: type(value) is int and 7 <= value <= 255)
NAME = holds("a text of at most 32 ASCII characters", lambda value: value.isascii() and len(value) <= 32)


@dataclass(frozen=True)
class GimbalConfig:
    """A gimbal that is turned after the target.

    Attributes
    ----------
    horizontal_deg
        Horizontal field of view of the camera, degrees.
    system_id, component_id
        Of the gimbal's manager; the system None: the camera's own. By default the manager is the autopilot.
    device_id
        Of the gimbal; 0: all of the manager.
    rate_hz
        Commands a second.
    delay_s
        From sending a command to the moment it takes effect, seconds: link, autopilot, half of the motors' answer.
    controller
        Gains and limits.
    """

    horizontal_deg: float
    system_id: Optional[int] = None
    component_id: int = 1
    device_id: int = 0
    rate_hz: float = 30.0
    delay_s: float = 0.1
    controller: ControllerConfig = field(default_factory=ControllerConfig)

    def __post_init__(self) -> None:
        rules = {
            "horizontal_deg": between(1, 170),
            "system_id": optional(IDS),
            "component_id": IDS,
            "device_id": holds("a whole number from 0 to 255", lambda value: type(value) is int and 0 <= value <= 255),
            "rate_hz": above(0, 200),
            "delay_s": between(0, 2),
        }
        check(self, rules)


@dataclass(frozen=True)
class MavlinkConfig:
    """Settings of a `pvtpp.mavlink.camera.CameraComponent`.

    Attributes
    ----------
    system_id, component_id
        Of this camera. The system is that of the vehicle.
    lead_s
        The target is predicted for the moment of sending plus this, seconds: the delay of the link to whom it concerns.
        None: half of the round trip that TIMESYNC measures, 0 as long as nobody answers.
    video_delay_s
        How old the picture is on which the operator draws the target, seconds: the target is taken from the frame that
        he saw, since the commands have no time of their own.
    point_size
        A target that is given as a point without a size gets a square of this share of the image's width.
    point_by_motion
        A target that is given as a point is what moves together with it (`pvtpp.point_selection`), where that stands
        out; else the square of the given size, or of `point_size`.
    vendor, model
        Names for the ground station.
    gimbal
        None: there is none to be turned.
    """

    system_id: int = 1
    component_id: int = 100
    lead_s: Optional[float] = 0.0
    video_delay_s: float = 0.0
    point_size: float = 0.1
    point_by_motion: bool = True
    vendor: str = "pvtpp"
    model: str = "tracker"
    gimbal: Optional[GimbalConfig] = None

    def __post_init__(self) -> None:
        rules = {
            "system_id": IDS,
            "component_id": CAMERA_IDS,
            "lead_s": optional(between(-1, 5)),
            "video_delay_s": between(0, 60),
            "point_size": above(0, 1),
            "point_by_motion": holds("True or False", lambda value: isinstance(value, bool)),
            "vendor": NAME,
            "model": NAME,
        }
        check(self, rules)
