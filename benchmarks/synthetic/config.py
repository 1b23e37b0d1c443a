"""The configuration of a generated clip."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Tuple

import numpy as np

from pvtpp.validation import Rule, between, check, holds


def _whole(low: int, high: float, unit: str = "") -> Rule:
    """Allow integers from `low` to `high`, both included."""
    upper = f" to {high:g}" if np.isfinite(high) else ""
    return holds(f"an integer from {low}{upper}{unit}", lambda value: isinstance(value, int) and low <= value <= high)


_OCCLUSIONS = "(start, end) in seconds, each from 0.4 on and at most 3 s long"
_RULES = {
    "seed": _whole(0, np.inf),
    "width": _whole(64, 4096, " pixels"),
    "height": _whole(64, 4096, " pixels"),
    "seconds": between(1e-3, 600),
    "world_fps": between(1e-3, 1000),
    "camera_fps": between(1e-3, 1000),
    "target_px": between(8, 4096),
    "agility": between(0, 2),
    "exposure": between(0, 0.1),
    "noise": between(0, 50),
    "swing": between(0, 180),
    "occlusions": holds(_OCCLUSIONS, lambda value: all(0.4 <= start < end <= start + 3 for start, end in value)),
}


@dataclass(frozen=True)
class AerialClip:
    """The configuration of a generated clip.

    Attributes
    ----------
    name
        Name of the sequence.
    seed
        Seed of the world, an integer from 0.
    width, height
        Size of the images in pixels, 64 to 4096.
    seconds
        Length of the clip.
    world_fps, camera_fps
        Annotated frames and camera frames per second; the camera's rate must divide the world's.
    target_px
        Length of the car in pixels at the mean distance of the camera.
    agility
        Speed of the car through the image, 0 to 2. With 1 it moves by up to a fifth of its own length per frame at
        30 fps; with 0 the camera keeps it in the middle.
    distractor
        Whether a similar car meets the target.
    occlusions
        Times ``(start, end)`` in seconds during which an overpass hides the target, each at most 3 s long and from
        0.4 s on.
    exposure
        Exposure time in seconds.
    noise
        Standard deviation of the sensor noise in grey levels.
    swing
        Peak rate in degrees per second at which a hand turns the camera back and forth, in addition to its flight.
    """

    name: str = "aerial"
    seed: int = 9
    width: int = 640
    height: int = 360
    seconds: float = 8.0
    world_fps: float = 30.0
    camera_fps: float = 30.0
    target_px: float = 46.0
    agility: float = 1.0
    distractor: bool = True
    occlusions: Tuple[Tuple[float, float], ...] = ((6.2, 6.55),)
    exposure: float = 0.008
    noise: float = 3.0
    swing: float = 0.0

    def __post_init__(self) -> None:
        # An iterator must survive its check.
        with suppress(TypeError):
            object.__setattr__(self, "occlusions", tuple(self.occlusions))
        check(self, _RULES)
        occlusions = tuple((float(start), float(end)) for start, end in self.occlusions)
        object.__setattr__(self, "occlusions", occlusions)
