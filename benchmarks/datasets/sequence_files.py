"""The files of one sequence, and how they become a `VideoSequence`: common to all published layouts."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import Dict, List, Optional, Tuple

import numpy as np

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets import gyro
from pvtpp_benchmarks.datasets.attributes import Attributes
from pvtpp_benchmarks.datasets.box_files import read_flags
from pvtpp_benchmarks.datasets.box_format import BoxFormat, read_boxes
from pvtpp_benchmarks.datasets.image_files import decode, is_hidden, visible
from pvtpp_benchmarks.datasets.image_files import list_images as list_images
from pvtpp_benchmarks.datasets.sequence import VideoSequence


@dataclass(frozen=True)
class SequenceFiles:
    """The files of one sequence; nothing is read before `read`.

    Attributes
    ----------
    name
        Name of the sequence.
    annotation
        Box file with one row per world frame.
    images
        Folder with one image per camera frame; None where there are no images.
    first
        Number of the first image, for sequences that share a folder: images from this number on are taken, as many as
        there are camera frames. None takes all images of the folder.
    skip
        Number of annotation rows to leave out at the start.
    world_fps
        Annotated frames per second.
    camera_fps
        Camera frames per second; None is `world_fps`.
    absent
        Flag files, each with the value that means that the target is absent. Files that do not exist are skipped.
    init_only
        Whether the annotation has the first box only, as in test sets whose other boxes are withheld.
    size
        Width and height of the images in pixels, where the layout tells them.
    boxes
        The format of the box file.
    attributes
        Where the benchmark attributes of the sequence are; None where the layout has none.
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
    boxes: BoxFormat = BoxFormat()
    attributes: Optional[Attributes] = None

    def read(self, images: bool = True) -> VideoSequence:
        """Read the sequence, with the gyro recording that lies beside the annotation.

        It has no images if `images` is False or their folder does not exist. Raises InputError where files are
        malformed or do not fit together.
        """
        boxes = read_boxes(self.annotation, self.boxes, self._image_size())
        for path, value in self.absent:
            if os.path.isfile(path):
                boxes[read_flags(path, len(boxes)) == value] = np.nan
        boxes = boxes[self.skip :]
        camera_fps = self.world_fps if self.camera_fps is None else self.camera_fps
        paths = self._image_paths() if images else None
        named = self.attributes.of(self.name) if self.attributes else ()
        if paths and self.init_only:
            boxes = np.vstack([boxes[:1], np.full((len(paths) - 1, 4), np.nan)])
        if paths is None or self.first is None:
            absent = self.images if images and self.images and not os.path.isdir(self.images) else ""
            beside = gyro.read(os.path.dirname(self.annotation))
            return VideoSequence(
                self.name, boxes, self.world_fps, camera_fps, paths, self.annotation, self.size, absent, beside, named
            )
        sequence = VideoSequence(
            self.name, boxes, self.world_fps, camera_fps, None, self.annotation, self.size, attributes=named
        )
        return replace(sequence, image_paths=numbered_images(paths, self.first, len(sequence), self.images or ""))

    def _image_size(self) -> Optional[Tuple[int, int]]:
        """Width and height of the images where the boxes cannot be read without them, else what the layout says."""
        paths = self._image_paths() if self.size is None and self.boxes.scale == "normalised" else None
        if not paths:
            return self.size
        height, width = decode(paths[0]).shape[:2]
        return (width, height)

    def _image_paths(self) -> Optional[List[str]]:
        if self.images is None or not os.path.isdir(self.images):
            return None
        paths = list_images(self.images)
        # Where images lie beside their annotation, the folder always exists: no images then means annotations alone.
        return None if not paths and self.images == os.path.dirname(self.annotation) else paths


def numbered_images(paths: List[str], first: int, count: int, folder: str) -> List[str]:
    """The image files that are numbered `first` to ``first + count - 1``; InputError names the first missing number."""
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
    """List a flat folder of ``SEQ.txt`` or ``SEQ_gt.txt``, with images in ``<images>/SEQ``.

    `shared` are fields of `SequenceFiles` that all sequences have in common.
    """
    clips = []
    for stem in (name[:-4] for name in visible(folder) if name.endswith(".txt")):
        name = stem[:-3] if stem.endswith("_gt") else stem
        place = os.path.join(images, name) if images else None
        path = os.path.join(folder, f"{stem}.txt")
        clips.append(SequenceFiles(name, path, place, **shared))  # type: ignore[arg-type]
    return clips


def first_folder(root: str, *candidates: str) -> Optional[str]:
    """The first of these folders under `root` that exists, None if none does; "" stands for the root itself."""
    places = (os.path.join(root, candidate) if candidate else root for candidate in candidates)
    return next(filter(os.path.isdir, places), None)


def subfolders(root: str) -> List[str]:
    """Names of the folders in `root`, sorted, without hidden ones."""
    with os.scandir(root) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and not is_hidden(entry.name))
