"""What a pinhole camera sees of a world of ground, objects that stand or move on it, and overpasses.

Ground coordinates are those of `pvtpp_benchmarks.synthetic.scenery`. Pixel coordinates are continuous; the first pixel
covers 0 to 1.
"""

from __future__ import annotations

from typing import List, NamedTuple, Sequence, Tuple

import cv2
import numpy as np

from pvtpp_benchmarks.synthetic import scenery

HALF_M = 125.0
"""Half the side of the ground, metres; its origin is in the middle."""
CAR_LENGTH = 4.7
"""In metres."""
CAR_MIDDLE = np.array([0.0, 0.0, -0.8])
"""Of a car whose place on the ground is the origin, metres."""
Pose = Tuple[float, float, float]
_TEXELS_PER_M = 8.0
_TEXEL_TO_M = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, _TEXELS_PER_M]]) / _TEXELS_PER_M
_TEXEL_TO_M[:2, 2] -= HALF_M
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


class Ground(NamedTuple):
    """The ground and what stands on it.

    Attributes
    ----------
    texture
        The ground from above, uint8 BGR.
    things
        Houses and parked cars.
    """

    texture: np.ndarray
    things: List[scenery.Mesh]

    @classmethod
    def painted(cls, road: np.ndarray, overpasses: Sequence[Overpass], rng: np.random.Generator) -> Ground:
        """Paint the ground round a closed road, ``(n, 2)`` in metres; nothing stands under an overpass."""
        decks = [overpass.corners[:, :2] for overpass in overpasses]
        return cls(*scenery.paint_ground(road, decks, HALF_M, _TEXELS_PER_M, rng))


def picture(
    camera: Camera,
    size: Tuple[int, int],
    ground: Ground,
    moving: Sequence[scenery.Mesh],
    overpasses: Sequence[Overpass],
) -> np.ndarray:
    """Draw what the camera sees at one moment, uint8 BGR, of this width and height; `moving` are placed meshes."""
    to_image = _PIXEL @ camera.plane(0) @ _TEXEL_TO_M
    image = cv2.warpPerspective(ground.texture, to_image, size, borderMode=cv2.BORDER_REFLECT_101)
    for mesh in moving:
        outline = scenery.shadow(mesh)
        scenery.darken(image, camera.project(np.column_stack([outline, np.zeros(len(outline))])) - 0.5, 0.45)
    _draw(image, camera, [*ground.things, *moving])
    for overpass in overpasses:
        _draw_overpass(image, camera, overpass)
    return image


def box_xywh(camera: Camera, mesh: scenery.Mesh) -> np.ndarray:
    """The exact box ``[left, top, width, height]`` of a placed mesh in pixels, visible or not."""
    seen = camera.project(mesh.faces.reshape(-1, 3))
    low, high = seen.min(axis=0), seen.max(axis=0)
    return np.concatenate([low, high - low])


def hidden(camera: Camera, size: Tuple[int, int], mesh: scenery.Mesh, overpasses: Sequence[Overpass]) -> float:
    """The fraction of a placed mesh that an overpass hides or that is outside the image, 0 to 1."""
    outline = cv2.convexHull(camera.project(mesh.faces.reshape(-1, 3)).astype(np.float32))
    visible = cv2.intersectConvexConvex(outline, _rectangle(*size))[0]
    for overpass in overpasses:
        visible -= cv2.intersectConvexConvex(outline, camera.project(overpass.corners).astype(np.float32))[0]
    return float(np.clip(1 - visible / cv2.contourArea(outline), 0, 1))


def overpass_between(
    eyes: Sequence[np.ndarray], poses: Sequence[Pose], half: float, rng: np.random.Generator
) -> Overpass:
    """An overpass that hides the whole car from the camera at three moments and all between.

    `eyes` are the camera's positions ``(3,)`` and `poses` the car's places at the three; the deck reaches `half` metres
    to both sides.
    """
    crossings = []
    for eye, pose in zip(eyes, poses):
        car = np.array([pose[0], pose[1], 0.0]) + CAR_MIDDLE
        crossings.append((car + (eye - car) * (scenery.DECK_HEIGHT + car[2]) / (car[2] - eye[2]))[:2])
    heading = poses[-1][2]
    along = np.array([np.cos(heading), np.sin(heading)])
    across = np.array([-along[1], along[0]])
    reach = (np.array(crossings) - crossings[1]) @ along
    low, high = reach.min() - 0.38 * CAR_LENGTH, reach.max() + 0.38 * CAR_LENGTH
    flat = [crossings[1] + along * a + across * b for a, b in ((low, -half), (low, half), (high, half), (high, -half))]
    corners = np.column_stack([flat, np.full(4, -scenery.DECK_HEIGHT)])
    return Overpass(corners, scenery.overpass_deck(2 * half, high - low, rng))


def about(axis: int, angle: float) -> np.ndarray:
    """Rotation (3, 3) by `angle` radians about the axis x, y or z (0, 1, 2)."""
    matrix, (i, j) = np.eye(3), ((1, 2), (2, 0), (0, 1))[axis]
    matrix[i, i] = matrix[j, j] = np.cos(angle)
    matrix[j, i] = np.sin(angle)
    matrix[i, j] = -matrix[j, i]
    return matrix


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
        # A corner beside or behind the camera lies farther out than a pixel's number can be.
        polygons = np.round(np.clip(corners, -1e6, 1e6) * 16).astype(np.int32)
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
