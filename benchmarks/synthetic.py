"""A generated aerial clip: a drone follows a car that never stays where it was seen.

Everything is a function of time (`AerialScene.camera_at`, `target_at`, `render_at`), so the world can be asked between
frames, and the ground truth is the exact box round the projected car. The same config gives the same pixels.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from typing import Any, Dict, Optional, Tuple

import cv2
import numpy as np

from benchmarks.aerial_scene import AerialScene
from benchmarks.datasets.sequence import Sequence, frame_times_ns
from pvtpp.errors import InputError
from pvtpp.tracker import Frame

HIDDEN = 0.9  # above this hidden fraction the target counts as absent


@dataclass(frozen=True)
class AerialClip:
    """What to render.

    `target_px` is the length of the car in pixels at middle distance. `agility` scales how fast it moves through the image
    (1: up to a fifth of its own length per frame at 30 fps; 0: the camera holds it in the middle). `occlusions` are
    ``(start, end)`` in seconds during which a bridge hides the target. `exposure` is in seconds, `noise` in grey levels.
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
            ("occlusions", all(0.4 <= a < b <= a + 2 for a, b in occlusions), "(start, end) from 0.4 s on, each at most 2 s"),
        ]
        for field, fine, what in allowed:
            if not fine:
                raise InputError(f"generated clip {self.name}: {field} is {getattr(self, field)!r}, allowed is {what}")
        object.__setattr__(self, "occlusions", occlusions)


class RenderedClip(Sequence):
    """The clip as a sequence: images are rendered when first looked at and kept as JPEG, the bytes that `save` writes.

    `scene` answers for any time, between the frames too.
    """

    scene: AerialScene
    _jpegs: Dict[int, np.ndarray]

    @classmethod
    def of(cls, config: AerialClip) -> RenderedClip:
        """The clip of a config; `render` is the public name."""
        scene = AerialScene(config)
        times = frame_times_ns(max(round(config.seconds * config.world_fps), 1), config.world_fps) / 1e9
        boxes = np.array([scene.box_xywh_at(t) for t in times])
        boxes[[scene.hidden_at(t) > HIDDEN for t in times]] = np.nan
        if np.isnan(boxes[0]).any():
            raise InputError(f"generated clip {config.name}: the target does not show in the first frame, choose another seed")
        size = (config.width, config.height)
        clip = cls(config.name, boxes, config.world_fps, config.camera_fps, source=f"generated clip {config.name}", size=size)
        object.__setattr__(clip, "scene", scene)
        object.__setattr__(clip, "_jpegs", {})
        return clip

    def frame(self, index: int) -> Frame:
        """Camera frame `index`, rendered when first looked at."""
        if not 0 <= index < len(self):
            raise InputError(f"{self.source}: no frame {index}, allowed are 0..{len(self) - 1}")
        return Frame(
            index,
            int(self.camera_t_ns[index]),
            lambda: np.asarray(cv2.imdecode(self._jpeg(index), cv2.IMREAD_COLOR)),
            source=f"{self.source} frame {index}",
        )

    def save(self, folder: str) -> None:
        """Write ``img/000001.jpg ...``, ``groundtruth.txt`` (``x,y,w,h`` per camera frame, NaN while absent), ``index.json``
        and, where the world is faster than the camera, its boxes as ``groundtruth_30fps.txt``.

        The folder must not exist; it appears whole or not at all. Raises InputError where it cannot be written.
        """
        folder = os.path.abspath(folder)
        if os.path.exists(folder):
            raise InputError(f"{folder}: exists already; the generated clip is written to a new folder only")
        parent = os.path.dirname(folder)
        try:
            os.makedirs(parent, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".aerial-", dir=parent) as scratch:
                whole = os.path.join(scratch, "clip")
                os.makedirs(os.path.join(whole, "img"))
                for index in range(len(self)):
                    self._jpeg(index).tofile(os.path.join(whole, "img", f"{index + 1:06d}.jpg"))
                self._save_truth(whole, os.path.basename(folder))
                os.replace(whole, folder)
        except OSError as error:
            raise InputError(f"{folder}: cannot write the generated clip ({error.strerror or error})") from None

    def _save_truth(self, folder: str, name: str) -> None:
        boxes = self.ground_truth_xywh
        np.savetxt(os.path.join(folder, "groundtruth.txt"), boxes[:: self.stride], "%.6f", ",")
        if self.stride > 1:
            np.savetxt(os.path.join(folder, f"groundtruth_{self.world_fps:g}fps.txt"), boxes, "%.6f", ",")
        config = self.scene.config
        about = {"name": name, "frames": len(self), "fps": self.camera_fps, "width": config.width, "height": config.height}
        with open(os.path.join(folder, "index.json"), "w", encoding="utf-8") as file:
            json.dump([about], file)

    def _jpeg(self, index: int) -> np.ndarray:
        if index not in self._jpegs:
            image = self.scene.render_at(int(self.camera_t_ns[index]) / 1e9)
            self._jpegs[index] = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].ravel()
        return self._jpegs[index]

    def __reduce__(self) -> Tuple[Any, ...]:
        return render, (self.scene.config,)


def render(config: Optional[AerialClip] = None) -> RenderedClip:
    """The clip of this config (None: the default one). Raises InputError where the first frame does not show the target."""
    return RenderedClip.of(config or AerialClip())


def _between(value: Any, low: float, high: float) -> bool:
    return isinstance(value, (int, float)) and low <= value <= high
