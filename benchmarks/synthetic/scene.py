"""The world of a generated clip: poses of camera and cars at any time, and the image that the camera records.

Ground coordinates are those of `pvtpp_benchmarks.synthetic.scenery`. Pixel coordinates are continuous; the first pixel
covers 0 to 1.
"""

from __future__ import annotations

from functools import cached_property
from typing import List, NamedTuple, Sequence, Tuple

import cv2
import numpy as np

from pvtpp_benchmarks.synthetic import scenery
from pvtpp_benchmarks.synthetic.config import AerialClip

_HALF_M, _TEXELS_PER_M = 125.0, 8.0
_CAR_LENGTH, _FROM_CENTRE_LINE = 4.7, 2.1
_CAR_MIDDLE = np.array([0.0, 0.0, -0.8])
_TEXEL_TO_M = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, _TEXELS_PER_M]]) / _TEXELS_PER_M
_TEXEL_TO_M[:2, 2] -= _HALF_M
_SWINGS = (2 * np.pi * 0.9, 2 * np.pi * 1.3)  # radians per second, sideways and up and down
# OpenCV's pixel coordinates begin in the middle of the first pixel.
_PIXEL = np.array([[1.0, 0.0, -0.5], [0.0, 1.0, -0.5], [0.0, 0.0, 1.0]])


class Camera(NamedTuple):
    """A pinhole camera.

    Attributes
    ----------
    rotation
        From the axes of the world to those of the camera (x right, y down, z forward), shape ``(3, 3)``.
    position
        In the world, metres, shape ``(3,)``.
    focal
        Focal length in pixels.
    centre
        Principal point ``(x, y)`` in pixels.
    """

    rotation: np.ndarray
    position: np.ndarray
    focal: float
    centre: np.ndarray

    def project(self, points: np.ndarray) -> np.ndarray:
        """Project points of the world in metres, shape ``(..., 3)``, to pixels, shape ``(..., 2)``."""
        seen = (np.asarray(points) - self.position) @ self.rotation.T
        return seen[..., :2] / np.maximum(seen[..., 2:], 1e-6) * self.focal + self.centre

    def plane(self, height: float) -> np.ndarray:
        """Homography from ``(x, y, 1)`` on the horizontal plane at `height` (metres) to pixels, shape ``(3, 3)``."""
        origin = self.rotation @ (np.array([0.0, 0.0, -height]) - self.position)
        lens = np.array([[self.focal, 0, self.centre[0]], [0, self.focal, self.centre[1]], [0, 0, 1]])
        return lens @ np.column_stack([self.rotation[:, :2], origin])


class Overpass(NamedTuple):
    """A horizontal deck over the road that hides the target.

    Attributes
    ----------
    corners
        In metres, shape ``(4, 3)``.
    picture
        The deck from above, uint8 BGR, its long side along the rows.
    """

    corners: np.ndarray
    picture: np.ndarray


class AerialScene:
    """The world of one clip: poses and images at any time in seconds."""

    def __init__(self, config: AerialClip):
        self.config = config
        rng = np.random.default_rng([config.seed, 7])
        self._waves = _Waves(rng)
        self._road = _loop(rng)
        self._bearing = np.radians(rng.choice([35, 145, -35, -145]) + rng.uniform(-8, 8))
        self._focal = config.width * 0.94
        self._distance = self._focal * _CAR_LENGTH / config.target_px
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
        aimed = _about(2, 0.04 * waves("roll", t)) @ _about(0, depression - np.pi / 2) @ _about(2, -yaw)
        distance = self._distance * (1 + 0.16 * min(agility, 1.0) * waves("zoom", t))
        # A part of the aim's motion is a rotation of the gimbal, the rest is flight: a gyro measures only the rotation.
        reach = 0.25 * agility * np.array([self.config.width, 0.72 * self.config.height]) / self._focal
        wander = reach * [waves("sweep x", t), waves("sweep y", t)]
        shake = 0.0022 * agility * np.array([waves("shake x", t), waves("shake y", t)])
        gimbal = _about(0, -0.35 * wander[1] - shake[1]) @ _about(1, 0.35 * wander[0] + shake[0])
        flight = np.array([-0.65 * wander[0], -0.65 * wander[1] / np.sin(depression)]) * distance
        aim = np.array([x, y, 0.0]) + np.append(scenery.turn(yaw) @ flight, 0.0) + _CAR_MIDDLE
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
        seen = self.camera_at(t).project(self._target.placed(*self.target_at(t)).faces.reshape(-1, 3))
        low, high = seen.min(axis=0), seen.max(axis=0)
        return np.concatenate([low, high - low])

    def hidden_at(self, t: float) -> float:
        """The fraction of the target that an overpass hides or that is outside the image, 0 to 1."""
        camera = self.camera_at(t)
        seen = camera.project(self._target.placed(*self.target_at(t)).faces.reshape(-1, 3))
        outline = cv2.convexHull(seen.astype(np.float32))
        area = cv2.contourArea(outline)
        w, h = self.config.width, self.config.height
        visible = cv2.intersectConvexConvex(outline, _rectangle(w, h))[0]
        for overpass in self._overpasses:
            visible -= cv2.intersectConvexConvex(outline, camera.project(overpass.corners).astype(np.float32))[0]
        return float(np.clip(1 - visible / area, 0, 1))

    def render_at(self, t: float) -> np.ndarray:
        """The image of an exposure that is centred on `t`, shape ``(height, width, 3)``, uint8, BGR."""
        first, second = (self._picture(t + side * self.config.exposure / 4) for side in (-1, 1))
        image = cv2.addWeighted(first, 0.5, second, 0.5, 0)
        rng = np.random.default_rng([self.config.seed, round(t * 1e9)])
        y, x = rng.integers(0, 65, 2)
        grain = self._painted[2][y : y + self.config.height, x : x + self.config.width]
        return cv2.add(image, grain, dtype=cv2.CV_8U)

    @cached_property
    def _painted(self) -> Tuple[np.ndarray, List[scenery.Mesh], np.ndarray]:
        """Ground, objects on it, and sensor noise; made on first access, since the ground truth needs none of them."""
        decks = [overpass.corners[:, :2] for overpass in self._overpasses]
        ground, things = scenery.paint_ground(self._road[:-1, 1:3], decks, _HALF_M, _TEXELS_PER_M, self._rng)
        grain = self._rng.normal(0, self.config.noise, (self.config.height + 64, self.config.width + 64, 3))
        return ground, things, np.rint(grain).astype(np.int16)

    def _picture(self, t: float) -> np.ndarray:
        camera, size = self.camera_at(t), (self.config.width, self.config.height)
        to_image = _PIXEL @ camera.plane(0) @ _TEXEL_TO_M
        image = cv2.warpPerspective(self._painted[0], to_image, size, borderMode=cv2.BORDER_REFLECT_101)
        moving = [self._target.placed(*self.target_at(t))]
        if self.config.distractor:
            moving.append(self._other.placed(*self.distractor_at(t)))
        for car in moving:
            outline = scenery.shadow(car)
            scenery.darken(image, camera.project(np.column_stack([outline, np.zeros(len(outline))])) - 0.5, 0.45)
        _draw(image, camera, self._painted[1] + moving)
        for overpass in self._overpasses:
            _draw_overpass(image, camera, overpass)
        return image

    def _swing(self, t: float) -> np.ndarray:
        """Rotation of the hand that swings the camera back and forth, mostly sideways."""
        peak, (side, nod) = np.radians(self.config.swing), _SWINGS
        return _about(0, 0.25 * peak / nod * np.sin(nod * t)) @ _about(1, 0.97 * peak / side * np.sin(side * t))

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
        crossings = []
        for t in (start, (start + end) / 2, end):
            x, y, heading = self.target_at(t)
            eye, car = self.camera_at(t).position, np.array([x, y, 0.0]) + _CAR_MIDDLE
            crossings.append((car + (eye - car) * (scenery.DECK_HEIGHT + car[2]) / (car[2] - eye[2]))[:2])
        along = np.array([np.cos(heading), np.sin(heading)])
        across = np.array([-along[1], along[0]])
        reach = (np.array(crossings) - crossings[1]) @ along
        low, high = reach.min() - 0.38 * _CAR_LENGTH, reach.max() + 0.38 * _CAR_LENGTH
        half = 60.0
        flat = [
            crossings[1] + along * a + across * b for a, b in ((low, -half), (low, half), (high, half), (high, -half))
        ]
        corners = np.column_stack([flat, np.full(4, -scenery.DECK_HEIGHT)])
        return Overpass(corners, scenery.overpass_deck(2 * half, high - low, rng))


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


def _about(axis: int, angle: float) -> np.ndarray:
    """Rotation (3, 3) by `angle` radians about the axis x, y or z (0, 1, 2)."""
    matrix, (i, j) = np.eye(3), ((1, 2), (2, 0), (0, 1))[axis]
    matrix[i, i] = matrix[j, j] = np.cos(angle)
    matrix[j, i] = np.sin(angle)
    matrix[i, j] = -matrix[j, i]
    return matrix


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


def _draw(image: np.ndarray, camera: Camera, things: Sequence[scenery.Mesh]) -> None:
    """Draw the meshes that are in view, far ones first, without faces that are turned away from the camera."""
    middles = np.array([thing.faces.mean(axis=(0, 1)) for thing in things])
    at = camera.project(middles)
    depth = (middles - camera.position) @ camera.rotation[2]
    extent = [np.abs(thing.faces - middle).max() for thing, middle in zip(things, middles)]
    margin = (2 * camera.focal * np.array(extent) / np.maximum(depth, 1.0))[:, None]
    in_view = ((at > -margin) & (at < margin + image.shape[1::-1])).all(axis=1)
    for index in sorted(np.flatnonzero(in_view).tolist(), key=lambda i: -depth[i]):
        corners = camera.project(things[index].faces) - 0.5
        a, b = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
        towards_us = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0] > 0
        polygons = np.round(corners * 16).astype(np.int32)
        for face in np.flatnonzero(towards_us):
            cv2.fillConvexPoly(image, polygons[face], things[index].colours[face].tolist(), cv2.LINE_AA, 4)


def _draw_overpass(image: np.ndarray, camera: Camera, overpass: Overpass) -> None:
    """Draw the visible sides of the deck, then the deck."""
    top = overpass.corners
    side = np.array(
        [[top[i], top[(i + 1) % 4], top[(i + 1) % 4] + (0, 0, 1.1), top[i] + (0, 0, 1.1)] for i in range(4)]
    )
    _draw(image, camera, [scenery.Mesh(side, np.full((4, 3), 92.0))])
    corners = (camera.project(top) - 0.5).astype(np.float32)
    if cv2.intersectConvexConvex(corners, _rectangle(image.shape[1], image.shape[0]))[0] <= 0:
        return
    rows, columns = overpass.picture.shape[:2]
    picture = np.array(
        [[-0.5, -0.5], [columns - 0.5, -0.5], [columns - 0.5, rows - 0.5], [-0.5, rows - 0.5]], dtype=np.float32
    )
    to_image = cv2.getPerspectiveTransform(picture, corners)
    size = (image.shape[1], image.shape[0])
    deck = cv2.warpPerspective(overpass.picture, to_image, size, borderMode=cv2.BORDER_REPLICATE)
    mask = np.zeros(image.shape[:2], dtype=np.uint8)
    cv2.fillConvexPoly(mask, np.round(corners * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
    cv2.copyTo(deck, mask, image)


def _rectangle(width: float, height: float) -> np.ndarray:
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
