"""A generated aerial clip as a sequence: a drone follows a car that moves fast through the image.

Everything is a function of time (`AerialScene.camera_at`, `target_at`, `render_at`), so the world is also known between
frames. The ground truth is the exact box round the projected car. The same configuration gives the same pixels.
"""

from __future__ import annotations

import json
import os
import tempfile
from typing import Any, Dict, Optional, Tuple

import cv2
import numpy as np

from pvtpp.errors import InputError
from pvtpp.tracker import Frame
from pvtpp_benchmarks.datasets.gyro import GyroRecording
from pvtpp_benchmarks.datasets.sequence import VideoSequence, frame_times_ns
from pvtpp_benchmarks.synthetic.config import AerialClip
from pvtpp_benchmarks.synthetic.scene import AerialScene

GYRO_HZ = 200.0
"""Samples per second of the generated gyro."""
HIDDEN = 0.9
"""The hidden fraction of the target above which it counts as absent."""


class RenderedClip(VideoSequence):
    """A generated clip as a sequence.

    Images are rendered on first access and kept as JPEG, the bytes that `save` writes.

    Attributes
    ----------
    scene
        The world of the clip, at any time.
    """

    scene: AerialScene
    _jpegs: Dict[int, np.ndarray]

    @classmethod
    def of(cls, config: AerialClip) -> RenderedClip:
        """Make the clip of a configuration; `render` is the public name."""
        scene = AerialScene(config)
        times = frame_times_ns(max(round(config.seconds * config.world_fps), 1), config.world_fps) / 1e9
        boxes = np.array([scene.box_xywh_at(t) for t in times])
        boxes[[scene.hidden_at(t) > HIDDEN for t in times]] = np.nan
        if np.isnan(boxes[0]).any():
            raise InputError(
                f"generated clip {config.name}: the target does not show in the first frame, choose another seed"
            )
        clip = cls(
            config.name,
            boxes,
            config.world_fps,
            config.camera_fps,
            source=f"generated clip {config.name}",
            size=(config.width, config.height),
            gyro=_gyro(scene) if config.swing else None,
        )
        object.__setattr__(clip, "scene", scene)
        object.__setattr__(clip, "_jpegs", {})
        return clip

    def frame(self, index: int) -> Frame:
        """Camera frame `index`; its image is rendered on first access. InputError for a frame outside the clip."""
        if not 0 <= index < len(self):
            raise InputError(f"{self.source}: no frame {index}, allowed are 0..{len(self) - 1}")
        return Frame(
            index,
            int(self.camera_t_ns[index]),
            lambda: np.asarray(cv2.imdecode(self._jpeg(index), cv2.IMREAD_COLOR)),
            source=f"{self.source} frame {index}",
        )

    def save(self, folder: str) -> None:
        """Write the clip to a new folder, whole or not at all.

        It holds ``img/000001.jpg ...``, ``groundtruth.txt`` (``x,y,w,h`` per camera frame, NaN while the target is
        absent) and ``index.json``; where the world is faster than the camera, also its boxes as
        ``groundtruth_30fps.txt``; where the camera is swung, also ``gyro.csv`` and ``camera.json``.

        Raises
        ------
        InputError
            If the folder exists, or where it cannot be written.
        """
        folder = os.path.abspath(folder)
        require_new(folder)
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
        if self.gyro:
            self.gyro.write(folder)
        config = self.scene.config
        about = {
            "name": name,
            "frames": len(self),
            "fps": self.camera_fps,
            "width": config.width,
            "height": config.height,
        }
        with open(os.path.join(folder, "index.json"), "w", encoding="utf-8") as file:
            json.dump([about], file)

    def _jpeg(self, index: int) -> np.ndarray:
        if index not in self._jpegs:
            image = self.scene.render_at(int(self.camera_t_ns[index]) / 1e9)
            self._jpegs[index] = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].ravel()
        return self._jpegs[index]

    def __reduce__(self) -> Tuple[Any, ...]:
        return render, (self.scene.config,)


def _gyro(scene: AerialScene) -> GyroRecording:
    """The recording of a gyro in the camera, from half a second before the clip."""
    times = np.arange(-0.5, scene.config.seconds + 0.1, 1 / GYRO_HZ)
    camera = scene.camera_at(0.0)
    matrix = np.array([[camera.focal, 0, camera.centre[0]], [0, camera.focal, camera.centre[1]], [0, 0, 1]])
    rates = np.array([scene.rate_at(t) for t in times])
    return GyroRecording(np.rint(times * 1e9), rates, matrix, np.eye(3), scene.config.name)


def require_new(folder: str) -> None:
    """Raise InputError where a clip's folder exists already."""
    if os.path.exists(folder):
        raise InputError(f"{folder}: exists already; the generated clip is written to a new folder only")


def render(config: Optional[AerialClip] = None) -> RenderedClip:
    """Make the clip of a configuration, None being the default one.

    Raises
    ------
    InputError
        If the first frame does not show the target.
    """
    return RenderedClip.of(config or AerialClip())
