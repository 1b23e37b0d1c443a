"""Pictures drawn on frames: shapes with a soft edge, what an occluder looks like, and copies of the target."""

from __future__ import annotations

import math
from typing import NamedTuple, Optional, Sequence, Tuple

import cv2
import numpy as np

from pvtpp_benchmarks.synthetic.scenery import noise

SHAPES = ("box", "ellipse", "pole")
"""Outlines of occluders. A pole reaches across the image."""


class Outline(NamedTuple):
    """A shape with a soft edge.

    Attributes
    ----------
    shape
        One of `SHAPES`.
    half
        Half its width and height in pixels before it is turned.
    angle
        By which it is turned, in radians.
    feather
        Width of the soft edge in pixels.
    """

    shape: str
    half: Tuple[float, float]
    angle: float
    feather: float

    @property
    def reach(self) -> np.ndarray:
        """Half the width and height of the box round the turned shape and its soft edge, shape ``(2,)``."""
        c, s = abs(math.cos(self.angle)), abs(math.sin(self.angle))
        a, b = self.half
        return np.array([c * a + s * b, s * a + c * b]) + self.feather

    def opacity(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Opacity, 0 to 1, at places in pixels from the centre; the arrays are of one shape."""
        c, s = math.cos(self.angle), math.sin(self.angle)
        along, across = np.abs(c * x + s * y), np.abs(c * y - s * x)
        a, b = self.half
        if self.shape == "ellipse":
            outside = (np.hypot(along / a, across / b) - 1.0) * min(a, b)
        else:
            bend = 0.25 * min(a, b) if self.shape == "box" else 0.0
            qx, qy = along - (a - bend), across - (b - bend)
            outside = np.hypot(np.maximum(qx, 0), np.maximum(qy, 0)) + np.minimum(np.maximum(qx, qy), 0) - bend
        return np.clip(0.5 - outside / self.feather, 0.0, 1.0)


class Sprite(NamedTuple):
    """A picture, uint8 BGR with the opacity as fourth channel, which is 0 at the border."""

    picture: np.ndarray

    @classmethod
    def of(cls, picture: np.ndarray, opacity: np.ndarray) -> Sprite:
        """Put a picture ``(h, w, 3)`` and its opacity ``(h, w)``, 0 to 1, together."""
        return cls(np.dstack([picture, np.rint(opacity * 255)]).clip(0, 255).astype(np.uint8))


def occluder_sprite(outline: Outline, first: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> Sprite:
    """Picture of an occluder: noise and stripes in colours of its own, a piece of the scene, or both."""
    width, height = (2 * np.ceil(outline.reach).astype(int) + 2).tolist()
    x = np.arange(width, dtype=np.float32)[None, :] + 0.5 - width / 2
    y = np.arange(height, dtype=np.float32)[:, None] + 0.5 - height / 2
    opacity = outline.opacity(*np.broadcast_arrays(x, y))
    share = rng.choice([0.0, 0.5, 1.0], p=[0.4, 0.2, 0.4])
    picture = np.zeros((height, width, 3), dtype=np.float32)
    if share < 1:
        picture += np.float32(1 - share) * _painted(x, y, outline, first, rng)
    if share > 0:
        picture += np.float32(share) * _piece(first, box, width, height, rng)
    c, s = math.cos(outline.angle), math.sin(outline.angle)
    # Light from one side, as on something round.
    shade = 1 + np.float32(0.22) * np.clip((c * x + s * y) / outline.half[0], -1, 1) * rng.choice([-1, 1])
    picture = picture * shade[:, :, None] + rng.normal(0, 3, (height, width, 1)).astype(np.float32)
    return Sprite.of(picture, opacity)


def _painted(x: np.ndarray, y: np.ndarray, outline: Outline, first: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    height, width = y.shape[0], x.shape[1]
    # Most colours are those of a place in the scene, some are any.
    own = first[rng.integers(first.shape[0]), rng.integers(first.shape[1])].astype(np.float32)
    colour = own * rng.uniform(0.5, 1.3) if rng.random() < 0.7 else rng.uniform(30, 220, 3) * 0.6 + rng.uniform(10, 90)
    side = max(width, height)
    grain = cv2.resize(noise(rng, min(side, 256), 5), (side, side), interpolation=cv2.INTER_LINEAR)
    shade = 1 + np.float32(0.16) * grain[:height, :width]
    if rng.random() < 0.6:
        angle, pitch = rng.uniform(0, np.pi), max(min(outline.half) * rng.uniform(0.3, 0.9), 3.0)
        wave = np.sin((x * math.cos(angle) + y * math.sin(angle)) * np.float32(2 * np.pi / pitch))
        shade = shade + np.float32(rng.uniform(0.08, 0.3)) * np.clip(3 * wave, -1, 1)
    return np.asarray(shade[:, :, None] * np.asarray(colour, dtype=np.float32))


def _piece(first: np.ndarray, box: np.ndarray, width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """A piece of the first image, cut where the target is not, mirrored on where it is too small."""
    rows, columns = min(height, first.shape[0] // 2), min(width, first.shape[1] // 2)
    rows, columns = max(rows, 1), max(columns, 1)
    for _ in range(20):
        top, left = rng.integers(first.shape[0] - rows + 1), rng.integers(first.shape[1] - columns + 1)
        apart = np.abs(np.array([left + columns / 2, top + rows / 2]) - box[:2] - box[2:] / 2)
        if (apart > (np.array([columns, rows]) + box[2:]) / 2).any():
            break
    piece = first[top : top + rows, left : left + columns][:: rng.choice([-1, 1]), :: rng.choice([-1, 1])]
    piece = np.pad(piece, ((0, height - rows), (0, width - columns), (0, 0)), mode="symmetric")
    return piece.astype(np.float32) * np.float32(rng.uniform(0.75, 1.2))


def target_sprite(first: np.ndarray, box: np.ndarray) -> Sprite:
    """The target as the first image shows it, with a soft edge."""
    left, top = np.floor(box[:2]).astype(int)
    right, bottom = np.ceil(box[:2] + box[2:]).astype(int)
    rows = np.clip(np.arange(top, max(bottom, top + 2)), 0, first.shape[0] - 1)
    columns = np.clip(np.arange(left, max(right, left + 2)), 0, first.shape[1] - 1)
    picture = np.ascontiguousarray(first[rows[:, None], columns[None, :]])
    height, width = picture.shape[:2]
    feather = max(1.0, 0.12 * min(width, height))
    outline = Outline("box", (max(width / 2 - feather, 0.5), max(height / 2 - feather, 0.5)), 0.0, feather)
    x, y = np.arange(width)[None, :] + 0.5 - width / 2, np.arange(height)[:, None] + 0.5 - height / 2
    return Sprite.of(picture, outline.opacity(*np.broadcast_arrays(x, y)))


def paste(image: np.ndarray, sprite: Sprite, centre: np.ndarray, size: Optional[Sequence[float]] = None) -> None:
    """Draw a sprite on an image, in place, to parts of a pixel; `size` is width and height if not the sprite's own."""
    height, width = sprite.picture.shape[:2]
    sx, sy = (1.0, 1.0) if size is None else (size[0] / width, size[1] / height)
    left, top = centre[0] - width * sx / 2, centre[1] - height * sy / 2
    x0, y0 = max(math.floor(left), 0), max(math.floor(top), 0)
    x1 = min(math.ceil(left + width * sx), image.shape[1])
    y1 = min(math.ceil(top + height * sy), image.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    # OpenCV's pixel coordinates begin in the middle of the first pixel.
    matrix = np.array([[sx, 0, left - x0 + 0.5 * (sx - 1)], [0, sy, top - y0 + 0.5 * (sy - 1)]])
    moved = cv2.warpAffine(sprite.picture, matrix, (x1 - x0, y1 - y0), borderMode=cv2.BORDER_REPLICATE)
    opacity = cv2.extractChannel(moved, 3) * np.float32(1 / 255)
    window = image[y0:y1, x0:x1]
    picture = cv2.cvtColor(moved, cv2.COLOR_BGRA2BGR)
    window[:] = cv2.blendLinear(np.ascontiguousarray(window), picture, 1 - opacity, opacity)
