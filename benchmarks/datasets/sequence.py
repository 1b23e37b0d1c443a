"""One annotated video: the frames of the camera, and the ground truth of the world."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Optional, Sequence, Tuple

import numpy as np

from pvtpp.errors import InputError
from pvtpp.tracker import Frame
from pvtpp_benchmarks.datasets.gyro import GyroRecording
from pvtpp_benchmarks.datasets.image_files import ImageReader
from pvtpp_benchmarks.datasets.image_files import read_image as read_image


@dataclass(frozen=True)
class VideoSequence:
    """A clip with its ground truth. The first frames of camera and world are both at time 0.

    Attributes
    ----------
    name
        Name of the sequence.
    ground_truth_xywh
        One row ``[left, top, width, height]`` in pixels per *world* frame, shape ``(n, 4)``, float64, read-only. The
        row is NaN where the target is absent, that is, where a value was not finite or the box has no area.
    world_fps
        Annotated world frames per second.
    camera_fps
        Camera frames per second. The camera may be slower than the world: its rate must divide `world_fps`.
    image_paths
        One image file per *camera* frame; None where only annotations are at hand.
    source
        The annotation file, which errors name.
    size
        Width and height of the images in pixels, where known.
    images_missing
        The folder of images that does not exist, for the error of a frame that is asked for its image.
    gyro
        The recording of a gyro on the camera, if there is one.
    attributes
        What the data set says of the clip as a whole, such as ``fast motion``; empty where it says nothing.
    """

    name: str
    ground_truth_xywh: np.ndarray
    world_fps: float = 30.0
    camera_fps: float = 30.0
    image_paths: Optional[Sequence[str]] = None
    source: str = field(default="", compare=False)
    size: Optional[Tuple[int, int]] = None
    images_missing: str = field(default="", compare=False)
    gyro: Optional[GyroRecording] = field(default=None, compare=False)
    attributes: Tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        boxes = np.array(self.ground_truth_xywh, dtype=np.float64)
        where = self.source or self.name
        if boxes.ndim != 2 or boxes.shape[1] != 4 or len(boxes) == 0:
            raise InputError(
                f"{where}: ground truth has shape {boxes.shape}, expected (frames, 4) with at least one frame"
            )
        if not (0 < self.camera_fps < math.inf and 0 < self.world_fps < math.inf):
            raise InputError(
                f"{where}: frame rates must be finite and above 0, got camera {self.camera_fps}, world {self.world_fps}"
            )
        stride = self.world_fps / self.camera_fps
        if abs(stride - round(stride)) > 1e-9 or round(stride) < 1:
            raise InputError(
                f"{where}: camera fps {self.camera_fps} does not divide world fps {self.world_fps}, "
                "so camera frames would fall between annotated world frames"
            )
        absent = ~(np.isfinite(boxes).all(axis=1) & (boxes[:, 2] > 0) & (boxes[:, 3] > 0))
        boxes[absent] = np.nan
        boxes.flags.writeable = False
        object.__setattr__(self, "ground_truth_xywh", boxes)
        shown = len(range(0, len(boxes), self.stride))
        if self.image_paths is not None and len(self.image_paths) != shown:
            raise InputError(
                f"{where}: {len(self.image_paths)} images for {shown} camera frames "
                f"({len(boxes)} annotated world frames, every {self.stride}. one shown)"
            )

    @property
    def stride(self) -> int:
        """World frames per camera frame."""
        return round(self.world_fps / self.camera_fps)

    def __len__(self) -> int:
        """Number of camera frames."""
        return -(-len(self.ground_truth_xywh) // self.stride)

    @property
    def world_t_ns(self) -> np.ndarray:
        """Times of the world frames in nanoseconds, shape ``(n,)``, int64."""
        return frame_times_ns(len(self.ground_truth_xywh), self.world_fps)

    @property
    def camera_t_ns(self) -> np.ndarray:
        """Capture times of the camera frames in nanoseconds, int64: a subset of the world's times."""
        return self.world_t_ns[:: self.stride]

    def digest(self) -> str:
        """Tell it from another sequence of the same name: a digest of its boxes and frame rates."""
        boxes = hashlib.sha256(self.ground_truth_xywh.tobytes()).hexdigest()
        return hashlib.sha256(f"{self.world_fps!r} {self.camera_fps!r} {boxes}".encode()).hexdigest()[:12]

    def frame(self, index: int) -> Frame:
        """Camera frame `index`; its image is read on first access."""
        t_ns = round(index * self.stride * (1e9 / self.world_fps))
        if self.image_paths is None:
            where = f" of {self.source}" if self.source else ""
            if self.images_missing:
                where = f", expected in the folder {self.images_missing}, which does not exist"
            return Frame(index, t_ns, None, source=f"{self.name} frame {index}{where}")
        images = self._images
        return Frame(index, t_ns, lambda: images.read(index), source=self.image_paths[index])

    @cached_property
    def _images(self) -> ImageReader:
        """The reader of all images, which keeps the levels of the first one for images of more than 8 bits."""
        return ImageReader(self.image_paths or ())


def frame_times_ns(count: int, fps: float) -> np.ndarray:
    """Times of the frames 0 to ``count - 1`` at `fps`, rounded to nanoseconds, shape ``(count,)``, int64."""
    return np.rint(np.arange(count) * (1e9 / fps)).astype(np.int64)
