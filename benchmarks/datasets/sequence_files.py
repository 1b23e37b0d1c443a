"""Where one sequence lies on disk, and how it becomes a VideoSequence: the shape all published layouts share."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import Dict, List, Optional, Tuple

import numpy as np

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets import gyro
from pvtpp_benchmarks.datasets.box_files import read_flags, read_xywh
from pvtpp_benchmarks.datasets.sequence import VideoSequence

IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp")


@dataclass(frozen=True)
class SequenceFiles:
    """The files of one sequence; nothing is read before `read`.

    `annotation` has one box per world frame. `images` is a folder with one file per camera frame; with `first` set,
    those numbered from `first` on count, as many as there are camera frames (sequences may share the folder). `absent`
    lists flag files and the value in them that says "the target is not there"; those that do not exist are skipped.
    `skip` drops annotation rows at the head. `init_only`: the annotation is the first box, the others are withheld.
    """

    name: str
    annotation: str
    images: Optional[str] = None
    first: Optional[int] = None
    skip: int = 0
    world_fps: float = 30.0
    camera_fps: Optional[float] = None
    absent: Tuple[Tuple[str, int], ...] = ()
    init_only: bool = False
    size: Optional[Tuple[int, int]] = None

    def read(self, images: bool = True) -> VideoSequence:
        """The sequence; without images if `images` is False or their folder is absent, with the gyro that lies beside the
        annotation. InputError if files misfit.
        """
        boxes = read_xywh(self.annotation)
        for path, value in self.absent:
            if os.path.isfile(path):
                boxes[read_flags(path, len(boxes)) == value] = np.nan
        boxes = boxes[self.skip :]
        camera_fps = self.world_fps if self.camera_fps is None else self.camera_fps
        paths = self._image_paths() if images else None
        if paths and self.init_only:
            boxes = np.vstack([boxes[:1], np.full((len(paths) - 1, 4), np.nan)])
        if paths is None or self.first is None:
            absent = self.images if images and self.images and not os.path.isdir(self.images) else ""
            beside = gyro.read(os.path.dirname(self.annotation))
            return VideoSequence(
                self.name, boxes, self.world_fps, camera_fps, paths, self.annotation, self.size, absent, beside
            )
        sequence = VideoSequence(self.name, boxes, self.world_fps, camera_fps, None, self.annotation, self.size)
        return replace(sequence, image_paths=numbered_images(paths, self.first, len(sequence), self.images or ""))

    def _image_paths(self) -> Optional[List[str]]:
        if self.images is None or not os.path.isdir(self.images):
            return None
        paths = list_images(self.images)
        # Images beside their annotation have no folder of their own whose absence would tell that there are none.
        return None if not paths and self.images == os.path.dirname(self.annotation) else paths


def list_images(folder: str) -> List[str]:
    """The image files of a folder in the order of their numbers."""
    names = [n for n in os.listdir(folder) if n.lower().endswith(IMAGE_ENDINGS) and not n.startswith(".")]
    # Numbers without leading zeros sort wrongly as text.
    names.sort(key=None if len(set(map(len, names))) < 2 else _natural)
    return [os.path.join(folder, name) for name in names]


def numbered_images(paths: List[str], first: int, count: int, folder: str) -> List[str]:
    """Of these image files those numbered `first .. first + count - 1`; InputError names the first that is missing."""
    by_number: Dict[int, str] = {}
    for path in paths:
        digits = re.search(r"(\d+)\D*$", os.path.splitext(os.path.basename(path))[0])
        if digits:
            by_number[int(digits.group(1))] = path
    wanted = range(first, first + count)
    missing = next((number for number in wanted if number not in by_number), None)
    if missing is not None:
        raise InputError(f"{folder}: image number {missing} is missing, expected {first} to {first + count - 1}")
    return [by_number[number] for number in wanted]


def annotation_clips(folder: str, images: Optional[str] = None, **shared: object) -> List[SequenceFiles]:
    """A clip per `SEQ.txt` or `SEQ_gt.txt` of a flat folder; the images of each in ``<images>/<SEQ>``."""
    clips = []
    for stem in sorted(name[:-4] for name in os.listdir(folder) if name.endswith(".txt") and not name.startswith(".")):
        name = stem[:-3] if stem.endswith("_gt") else stem
        place = os.path.join(images, name) if images else None
        clips.append(SequenceFiles(name, os.path.join(folder, f"{stem}.txt"), place, **shared))  # type: ignore[arg-type]
    return clips


def first_folder(root: str, *candidates: str) -> Optional[str]:
    """The first of these folders under `root` that exists, "" meaning the root itself."""
    places = (os.path.join(root, candidate) if candidate else root for candidate in candidates)
    return next(filter(os.path.isdir, places), None)


def subfolders(root: str) -> List[str]:
    """Names of the folders in `root`, sorted, hidden ones left out."""
    with os.scandir(root) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))


def _natural(name: str) -> List[Tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
