"""What to render: the config of a generated clip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Tuple

import numpy as np

from pvtpp.errors import InputError


@dataclass(frozen=True)
class AerialClip:
    """What to render.

    `target_px` is the length of the car in pixels at middle distance. `agility` scales how fast it moves through the image
    (1: up to a fifth of its own length per frame at 30 fps; 0: the camera holds it in the middle). `occlusions` are
    ``(start, end)`` in seconds during which a displacement hides the target. `exposure` is in seconds, `noise` in grey levels.
    `swing` is the peak rate, degrees per second, at which a hand turns the camera to and fro on top of it all.
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
        try:
            occlusions = tuple((float(start), float(end)) for start, end in self.occlusions)
        except (TypeError, ValueError):
            occlusions = ((np.nan, np.nan),)
        allowed = [
            ("seed", isinstance(self.seed, int) and self.seed >= 0, "an integer of at least 0"),
            ("width", _between(self.width, 64, 4096) and isinstance(self.width, int), "64..4096 whole pixels"),
            ("height", _between(self.height, 64, 4096) and isinstance(self.height, int), "64..4096 whole pixels"),
            ("seconds", _between(self.seconds, 1e-3, 600), "above 0 and at most 600"),
            ("world_fps", _between(self.world_fps, 1e-3, 1000), "above 0 and at most 1000"),
            ("camera_fps", _between(self.camera_fps, 1e-3, 1000), "above 0 and at most 1000"),
            ("target_px", _between(self.target_px, 8, 4096), "8 pixels or more"),
            ("agility", _between(self.agility, 0, 2), "0..2"),
            ("exposure", _between(self.exposure, 0, 0.1), "0..0.1 seconds"),
            ("noise", _between(self.noise, 0, 50), "0..50 grey levels"),
            ("swing", _between(self.swing, 0, 180), "0..180 degrees per second"),
            (
                "occlusions",
                all(0.4 <= a < b <= a + 3 for a, b in occlusions),
                "(start, end) from 0.4 s on, each at most 3 s",
            ),
        ]
        for field, fine, what in allowed:
            if not fine:
                raise InputError(f"generated clip {self.name}: {field} is {getattr(self, field)!r}, allowed is {what}")
        object.__setattr__(self, "occlusions", occlusions)


def _between(value: Any, low: float, high: float) -> bool:
    return isinstance(value, (int, float)) and low <= value <= high
