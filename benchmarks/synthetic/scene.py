"""The world of a generated clip: poses of camera and cars at any time, and the image that the camera records.

Coordinates are those of `pvtpp_benchmarks.synthetic.view`.
"""

from __future__ import annotations

from functools import cached_property
from typing import List, Tuple

import cv2
import numpy as np

from pvtpp_benchmarks.synthetic import scenery
from pvtpp_benchmarks.synthetic.config import AerialClip
from pvtpp_benchmarks.synthetic.view import (
    CAR_LENGTH,
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

_FROM_CENTRE_LINE = 2.1
_SWINGS = (2 * np.pi * 0.9, 2 * np.pi * 1.3)  # radians per second, sideways and up and down


class AerialScene:
    """The world of one clip: poses and images at any time in seconds."""

    def __init__(self, config: AerialClip):
        self.config = config
        rng = np.random.default_rng([config.seed, 7])
        self._waves = _Waves(rng)
        self._road = _loop(rng)
        self._bearing = np.radians(rng.choice([35, 145, -35, -145]) + rng.uniform(-8, 8))
        self._focal = config.width * 0.94
        self._distance = self._focal * CAR_LENGTH / config.target_px
        self._target = scenery.vehicle((58, 62, 196), (74, 80, 212))
        self._other = scenery.vehicle((58, 88, 178), (66, 84, 150))
        self._overpasses: List[Overpass] = [self._overpass(start, end, rng) for start, end in config.occlusions]
        self._rng = rng

    def target_at(self, t: float) -> Tuple[float, float, float]:
        """Pose of the target: x and y in metres, heading in radians."""
        return self._on_road(self._travelled(t), _FROM_CENTRE_LINE)

    def distractor_at(self, t: float) -> Tuple[float, float, float]:
        """Pose of the similar car on the other side of the road; it meets the target at a third of the clip."""
        meeting = self.config.seconds / 3
        x, y, heading = self._on_road(self._travelled(meeting) - 5.0 * (t - meeting), -_FROM_CENTRE_LINE)
        return x, y, heading + np.pi

    def camera_at(self, t: float) -> Camera:
        """Pose of the camera: its aim moves round the target, wind and gimbal shake turn it, the distance changes."""
        agility, waves = self.config.agility, self._waves
        x, y, heading = self.target_at(t)
        depression, yaw = np.radians(62) + 0.05 * waves("tilt", t), heading + self._bearing + 0.15 * waves("yaw", t)
        aimed = about(2, 0.04 * waves("roll", t)) @ about(0, depression - np.pi / 2) @ about(2, -yaw)
        distance = self._distance * (1 + 0.16 * min(agility, 1.0) * waves("zoom", t))
        # A part of the aim's motion is a rotation of the gimbal, the rest is flight: a gyro measures only the rotation.
        reach = 0.25 * agility * np.array([self.config.width, 0.72 * self.config.height]) / self._focal
        wander = reach * [waves("sweep x", t), waves("sweep y", t)]
        shake = 0.0022 * agility * np.array([waves("shake x", t), waves("shake y", t)])
        gimbal = about(0, -0.35 * wander[1] - shake[1]) @ about(1, 0.35 * wander[0] + shake[0])
        flight = np.array([-0.65 * wander[0], -0.65 * wander[1] / np.sin(depression)]) * distance
        aim = np.array([x, y, 0.0]) + np.append(scenery.turn(yaw) @ flight, 0.0) + CAR_MIDDLE
        centre = np.array([self.config.width, self.config.height]) / 2
        return Camera(self._swing(t) @ gimbal @ aimed, aim - aimed[2] * distance, self._focal, centre)

    def rate_at(self, t: float) -> np.ndarray:
        """Angular velocity in the axes of the camera, radians per second, shape ``(3,)``: the reading of a gyro."""
        step = 1e-4
        turned = self.camera_at(t - step).rotation @ self.camera_at(t + step).rotation.T
        return np.array([turned[2, 1] - turned[1, 2], turned[0, 2] - turned[2, 0], turned[1, 0] - turned[0, 1]]) / (
            4 * step
        )

    def box_xywh_at(self, t: float) -> np.ndarray:
        """The exact box ``[left, top, width, height]`` of the target in pixels, visible or not."""
        return box_xywh(self.camera_at(t), self._target.placed(*self.target_at(t)))

    def hidden_at(self, t: float) -> float:
        """The fraction of the target that an overpass hides or that is outside the image, 0 to 1."""
        car = self._target.placed(*self.target_at(t))
        return hidden(self.camera_at(t), (self.config.width, self.config.height), car, self._overpasses)

    def render_at(self, t: float) -> np.ndarray:
        """The image of an exposure that is centred on `t`, shape ``(height, width, 3)``, uint8, BGR."""
        first, second = (self._picture(t + side * self.config.exposure / 4) for side in (-1, 1))
        image = cv2.addWeighted(first, 0.5, second, 0.5, 0)
        rng = np.random.default_rng([self.config.seed, round(t * 1e9)])
        y, x = rng.integers(0, 65, 2)
        grain = self._painted[1][y : y + self.config.height, x : x + self.config.width]
        return cv2.add(image, grain, dtype=cv2.CV_8U)

    @cached_property
    def _painted(self) -> Tuple[Ground, np.ndarray]:
        """Ground and sensor noise; made on first access, since the ground truth needs neither of them."""
        ground = Ground.painted(self._road[:-1, 1:3], self._overpasses, self._rng)
        grain = self._rng.normal(0, self.config.noise, (self.config.height + 64, self.config.width + 64, 3))
        return ground, np.rint(grain).astype(np.int16)

    def _picture(self, t: float) -> np.ndarray:
        moving = [self._target.placed(*self.target_at(t))]
        if self.config.distractor:
            moving.append(self._other.placed(*self.distractor_at(t)))
        size = self.config.width, self.config.height
        return picture(self.camera_at(t), size, self._painted[0], moving, self._overpasses)

    def _swing(self, t: float) -> np.ndarray:
        """Rotation of the hand that swings the camera back and forth, mostly sideways."""
        peak, (side, nod) = np.radians(self.config.swing), _SWINGS
        return about(0, 0.25 * peak / nod * np.sin(nod * t)) @ about(1, 0.97 * peak / side * np.sin(side * t))

    def _travelled(self, t: float) -> float:
        """Metres that the target has travelled; it is slower during occlusions."""
        slower = sum(np.tanh((t - (start + end) / 2) / 0.8) for start, end in self.config.occlusions)
        return 9.0 * t + 2.0 * self._waves("speed", t) - 0.8 * 2.5 * slower

    def _on_road(self, travelled: float, side: float) -> Tuple[float, float, float]:
        """Pose after so many metres along the road, `side` metres to the right of its centre line."""
        distance = travelled % self._road[-1, 0]
        x, y, heading = (float(np.interp(distance, self._road[:, 0], self._road[:, i])) for i in (1, 2, 3))
        return x - np.sin(heading) * side, y + np.cos(heading) * side, heading

    def _overpass(self, start: float, end: float, rng: np.random.Generator) -> Overpass:
        """An overpass across the road that hides the whole car from the camera from `start` to `end`."""
        times = start, (start + end) / 2, end
        return overpass_between([self.camera_at(t).position for t in times], [*map(self.target_at, times)], 60.0, rng)


class _Waves:
    """Named smooth functions of time with values of about -1 to 1: sums of two sines whose phases are random."""

    _PERIODS = {
        "sweep x": (3.3, 2.1),
        "sweep y": (4.1, 2.6),
        "shake x": (0.31, 0.17),
        "shake y": (0.27, 0.14),
        "yaw": (11.0, 6.3),
        "tilt": (9.0, 5.2),
        "roll": (3.7, 1.9),
        "zoom": (7.0, 4.4),
        "speed": (5.2, 3.1),
    }  # seconds

    def __init__(self, rng: np.random.Generator):
        self._phases = {name: rng.uniform(0, 2 * np.pi, 2) for name in self._PERIODS}

    def __call__(self, name: str, t: float) -> float:
        slow, fast = 2 * np.pi * t / np.array(self._PERIODS[name]) + self._phases[name]
        return float(0.7 * np.sin(slow) + 0.3 * np.sin(fast))


def _loop(rng: np.random.Generator) -> np.ndarray:
    """A winding closed road: rows of travelled distance, x, y (metres) and heading (radians, without jumps)."""
    angle, radius = np.linspace(0, 2 * np.pi, 2401), np.full(2401, 62.0)
    for k, strength in ((2, 0.10), (3, 0.07), (4, 0.05), (5, 0.03)):
        radius += 62.0 * strength * np.cos(k * angle + rng.uniform(0, 2 * np.pi))
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    step = np.hypot(np.diff(x), np.diff(y))
    heading = np.unwrap(np.arctan2(np.diff(y), np.diff(x)))
    heading = np.append((heading[0] + heading[-1] - 2 * np.pi) / 2, (heading[1:] + heading[:-1]) / 2)
    return np.column_stack([np.append(0, np.cumsum(step)), x, y, np.append(heading, heading[0] + 2 * np.pi)])
