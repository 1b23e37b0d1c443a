"""The world of one closed loop: a target on textured ground, overpasses that hide it, and a camera above that turns.

Coordinates are those of `pvtpp_benchmarks.synthetic.view`. The camera hovers above the origin. It has two axes: yaw
about the vertical, positive to the right, and 0 where it looks along -y; pitch, positive up, and 0 at the horizon. Wind
shakes it on both. Everything is a function of the configuration.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, List, NamedTuple, Optional, Tuple

import cv2
import numpy as np

from pvtpp.bearing import Pinhole
from pvtpp.boxes import xywh_to_box
from pvtpp.errors import InputError
from pvtpp.validation import above, between, check, holds, one_of, whole_from
from pvtpp_benchmarks.closed_loop.targets import MOTIONS, path
from pvtpp_benchmarks.synthetic import scenery
from pvtpp_benchmarks.synthetic.view import (
    CAR_MIDDLE,
    Camera,
    Ground,
    Overpass,
    about,
    box_xywh,
    hidden,
    overpass_between,
    picture,
)

SHAKES, SHAKE_HZ = 4, (0.5, 3.0)
"""Wind and the rest of what a gimbal does not take out: so many sines on each axis, of these frequencies."""
SKY = (214, 196, 178)
COVERED = 0.9
"""The target counts as hidden where an overpass covers at least this share of it."""
HIDDEN_STEP_S = 0.02


def _side(pixels: Any) -> bool:
    return type(pixels) is int and 64 <= pixels <= 4096


@dataclass(frozen=True)
class WorldConfig:
    """One world.

    Attributes
    ----------
    motion
        How the target moves, a name of `pvtpp_benchmarks.closed_loop.targets.MOTIONS`.
    speed
        Of the target, metres per second.
    occlusions
        How many overpasses hide the target, evenly over the run.
    seed
        Of everything that is random.
    seconds
        Length of the run.
    height
        Of the camera above the ground, metres.
    nearest
        The least distance of the target from the point below the camera, metres.
    image
        Width and height of the image, pixels.
    focal
        Focal length, pixels.
    shake
        Root mean square of the rate at which wind turns the camera on each axis, radians per second.
    noise
        Standard deviation of the sensor noise, grey levels.
    """

    motion: str = "linear"
    speed: float = 20.0
    occlusions: int = 0
    seed: int = 0
    seconds: float = 8.0
    height: float = 40.0
    nearest: float = 30.0
    image: Tuple[int, int] = (640, 360)
    focal: float = 600.0
    shake: float = 0.03
    noise: float = 3.0

    def __post_init__(self) -> None:
        rules = {
            "motion": one_of(MOTIONS),
            "speed": above(0, 100),
            "occlusions": holds("a whole number from 0 to 4", lambda value: type(value) is int and 0 <= value <= 4),
            "seed": whole_from(0),
            "seconds": above(0, 120),
            "height": between(10, 1000),
            "nearest": between(1, 1000),
            "image": holds("two whole numbers from 64 to 4096", lambda size: len(size) == 2 and all(map(_side, size))),
            "focal": above(0),
            "shake": between(0, 1),
            "noise": between(0, 50),
        }
        check(self, rules)
        if self.occlusions and self.seconds < 1.5 * (self.occlusions + 1):
            raise InputError(
                f"WorldConfig.seconds is {self.seconds!r}, allowed is a number from {1.5 * (self.occlusions + 1):g} "
                f"with {self.occlusions} occlusions"
            )


class World:
    """The world of a configuration, at any time in seconds.

    Attributes
    ----------
    config
        As given.
    lens
        The camera's directions of pixels.
    """

    def __init__(self, config: WorldConfig):
        self.config = config
        (width, height), focal = config.image, config.focal
        self.lens = Pinhole(np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]]))
        rng = np.random.default_rng([config.seed, *config.motion.encode()])
        # A little more than the run: the camera's last frame is exposed at its end.
        self.path = path(config.motion, config.speed, config.seconds + 0.5, config.nearest, rng)
        self._eye = np.array([0.0, 0.0, -config.height])
        self._frequency = rng.uniform(*SHAKE_HZ, (SHAKES, 2)) * 2 * np.pi
        self._phase = rng.uniform(0, 2 * np.pi, (SHAKES, 2))
        self._car = scenery.vehicle((58, 62, 196), (74, 80, 212))
        self._overpasses: List[Overpass] = [self._overpass(each, rng) for each in range(config.occlusions)]
        self._rng = rng

    def shake(self, t: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """By how much wind has turned the camera, pitch and yaw, and the rates: radians, both ``(..., 2)``."""
        at = np.asarray(t, dtype=np.float64)[..., None, None] * self._frequency + self._phase
        peak = self.config.shake * np.sqrt(2 / SHAKES)
        return (-peak * np.cos(at) / self._frequency).sum(axis=-2), peak * np.sin(at).sum(axis=-2)

    def aim_at(self, t: float) -> np.ndarray:
        """Pitch and yaw (2,) at which the target's middle is in the middle of the image."""
        x, y, z = (self._middle(np.array([t])) - self._eye)[0].tolist()
        return np.array([-np.arctan2(z, np.hypot(x, y)), np.arctan2(x, -y)])

    def camera(self, attitude: np.ndarray) -> Camera:
        """The camera at a pitch and yaw (2,), shake included."""
        pitch, yaw = attitude.tolist()
        rotation = about(0, -pitch - np.pi / 2) @ about(2, -yaw)
        return Camera(rotation, self._eye, self.config.focal, np.array(self.config.image) / 2)

    def rate(self, attitude: np.ndarray, rates: np.ndarray) -> np.ndarray:
        """Angular velocity (3,) in camera axes where pitch and yaw turn at these rates (2,): what a gyro measures."""
        up, right = rates.tolist()
        turning: np.ndarray = np.array([up, 0.0, 0.0]) + self.camera(attitude).rotation[:, 2] * right
        return turning

    def box(self, t: float, attitude: np.ndarray) -> Optional[np.ndarray]:
        """The target's exact box ``[cx, cy, w, h]``, pixels, hidden or not; None where it is behind the camera."""
        camera, car = self.camera(attitude), self._car.placed(*self.path.at(t))
        return xywh_to_box(box_xywh(camera, car)) if self._before(camera, car.faces.reshape(-1, 3)) else None

    def hidden(self, t: float) -> bool:
        """Say whether an overpass hides the target, wherever the camera looks."""
        camera, car = self.camera(self.aim_at(t)), self._car.placed(*self.path.at(t))
        return bool(self._overpasses) and hidden(camera, self.config.image, car, self._in_view(camera)) >= COVERED

    @property
    def hidden_s(self) -> float:
        """For how long the target is hidden in all, seconds."""
        return sum(self.hidden(t) for t in np.arange(0, self.config.seconds, HIDDEN_STEP_S)) * HIDDEN_STEP_S

    @property
    def widest(self) -> float:
        """The largest angle between the camera's axis and what it sees, radians: that of a corner of the image."""
        return float(np.arctan2(np.hypot(*self.config.image) / 2, self.config.focal))

    def pointing(self, t: np.ndarray, attitudes: np.ndarray) -> Pointed:
        """Compare the camera's direction with the target's, at times ``(n,)`` and attitudes ``(n, 2)``."""
        seen = self._middle(t) - self._eye
        seen = seen / np.linalg.norm(seen, axis=1, keepdims=True)
        (cp, cy), (sp, sy) = np.cos(attitudes).T, np.sin(attitudes).T
        ahead = np.stack([cp * sy, -cp * cy, -sp], axis=1)
        right = np.stack([cy, sy, np.zeros_like(cy)], axis=1)
        x, y, z = ((seen * axis).sum(axis=1) for axis in (right, np.cross(ahead, right), ahead))
        width, height = np.array(self.config.image) / 2
        inside = (z > 0) & (abs(x) * self.config.focal <= width * z) & (abs(y) * self.config.focal <= height * z)
        return Pointed(np.arctan2(np.hypot(x, y), z), inside)

    def render(self, t: float, attitude: np.ndarray) -> np.ndarray:
        """The image at a time, shape ``(height, width, 3)``, uint8, BGR."""
        camera, (width, height) = self.camera(attitude), self.config.image
        ground, grain = self._painted
        image = picture(camera, self.config.image, ground, [self._car.placed(*self.path.at(t))], self._in_view(camera))
        # The camera does not roll, so the horizon is a row. Above it a plane has no image.
        horizon = height / 2 + self.config.focal * np.tan(attitude[0])
        image[: int(np.clip(horizon + 4, 0, height))] = SKY
        y, x = np.random.default_rng([self.config.seed, round(t * 1e9)]).integers(0, 65, 2)
        return np.asarray(cv2.add(image, grain[y : y + height, x : x + width], dtype=cv2.CV_8U))

    @cached_property
    def _painted(self) -> Tuple[Ground, np.ndarray]:
        """Ground and sensor noise, made on first access: a loop whose tracker needs no images paints none."""
        width, height = self.config.image
        # The target drives on a road; back from its end to its start leads another.
        ground = Ground.painted(self.path.pose[::20, :2], self._overpasses, self._rng)
        grain = self._rng.normal(0, self.config.noise, (height + 64, width + 64, 3))
        return ground, np.rint(grain).astype(np.int16)

    def _middle(self, t: np.ndarray) -> np.ndarray:
        """The target's middle, shape ``(n, 3)``."""
        x, y = (np.interp(t, self.path.t, column) for column in self.path.pose.T[:2])
        middle: np.ndarray = np.stack([x, y, np.zeros_like(x)], axis=1) + CAR_MIDDLE
        return middle

    def _overpass(self, number: int, rng: np.random.Generator) -> Overpass:
        """An overpass that hides the whole target for a third of a second to two thirds."""
        middle = self.config.seconds * (number + 1 + rng.uniform(-0.15, 0.15)) / (self.config.occlusions + 1)
        half = rng.uniform(0.15, 0.35)
        times = middle - half, middle, middle + half
        return overpass_between([self._eye] * 3, [*map(self.path.at, times)], 12.0, rng)

    def _in_view(self, camera: Camera) -> List[Overpass]:
        return [each for each in self._overpasses if self._before(camera, each.corners)]

    @staticmethod
    def _before(camera: Camera, points: np.ndarray) -> bool:
        return bool((((points - camera.position) @ camera.rotation[2]) > 1.0).all())


class Pointed(NamedTuple):
    """How a camera points, at each of ``n`` times.

    Attributes
    ----------
    error
        Angle between its axis and the direction of the target's middle, radians, shape ``(n,)``.
    inside
        Whether that is in the image, shape ``(n,)``, bool.
    """

    error: np.ndarray
    inside: np.ndarray
