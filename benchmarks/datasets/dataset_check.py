"""Check that a copy of a data set is complete and readable, before a long benchmark run needs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, Optional, Tuple

import numpy as np

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.dataset import Dataset
from pvtpp_benchmarks.datasets.sequence import VideoSequence, read_image

DECODE = ("ends", "all", "none")


@dataclass(frozen=True)
class SequenceReport:
    """The report of one sequence.

    Attributes
    ----------
    name
        Name of the sequence.
    frames
        Number of camera frames.
    world_frames
        Number of annotated frames.
    camera_fps, world_fps
        Camera frames and annotated frames per second.
    absent
        Number of annotated frames without a target.
    images
        Number of images; None where only annotations are at hand.
    size
        Width and height of the images in pixels; None where unknown.
    outside
        Number of boxes that lie wholly outside the image; 0 where the size is unknown.
    problems
        What is wrong, one sentence each.
    """

    name: str
    frames: int = 0
    world_frames: int = 0
    camera_fps: float = 0.0
    world_fps: float = 0.0
    absent: int = 0
    images: Optional[int] = None
    size: Optional[Tuple[int, int]] = None
    outside: int = 0
    problems: Tuple[str, ...] = ()


@dataclass(frozen=True)
class DatasetReport:
    """The report of a data set.

    Attributes
    ----------
    dataset
        Name of the data set.
    rows
        The reports of its sequences.
    problems
        Every problem of the data set and its sequences, as one sentence that names the sequence or file.
    """

    dataset: str
    rows: Tuple[SequenceReport, ...]
    problems: Tuple[str, ...]


def check(dataset: Dataset, decode: str = "ends") -> DatasetReport:
    """Read every sequence of a data set and report all that is wrong.

    Parameters
    ----------
    dataset
        The data set to check.
    decode
        Which images are opened: the first and last of each sequence (``ends``), ``all`` or ``none``.

    Raises
    ------
    InputError
        For an unknown `decode`. Problems of the data are reported, not raised.
    """
    if decode not in DECODE:
        raise InputError(f"unknown choice of images to decode {decode!r}; valid: {', '.join(DECODE)}")
    rows = tuple(_check_name(dataset, name, decode) for name in dataset.names)
    problems = [problem for row in rows for problem in row.problems]
    if dataset.published is not None and len(dataset) != dataset.published:
        problems.insert(0, f"{dataset.name}: {len(dataset)} of the {dataset.published} published sequences are here")
    return DatasetReport(dataset.name, rows, tuple(problems))


def _check_name(dataset: Dataset, name: str, decode: str) -> SequenceReport:
    try:
        sequence = dataset[name]
    except InputError as error:
        return SequenceReport(name, problems=(str(error),))
    return check_sequence(sequence, decode)


def check_sequence(sequence: VideoSequence, decode: str = "ends") -> SequenceReport:
    """Check one sequence; `decode` as in `check`."""
    xywh = sequence.ground_truth_xywh
    absent = np.isnan(xywh[:, 0])
    problems: List[str] = []
    if absent[0]:
        problems.append(f"{sequence.name}: the first box is NaN or has no area, so no tracker can start there")
    size = _decode(sequence, decode, problems)
    outside = 0
    if size is not None:
        left_top, right_bottom = xywh[:, :2], xywh[:, :2] + xywh[:, 2:]
        # Comparisons with NaN are false, so absent targets do not count as outside.
        gone = (right_bottom <= 0).any(axis=1) | (left_top >= np.array(size)).any(axis=1)
        outside = int(gone.sum())
        if outside:
            first = int(np.flatnonzero(gone)[0])
            problems.append(
                f"{sequence.name}: {outside} boxes lie wholly outside the {size[0]}x{size[1]} image, "
                f"the first in row {first + 1}"
            )
    return SequenceReport(
        sequence.name,
        len(sequence),
        len(xywh),
        sequence.camera_fps,
        sequence.world_fps,
        int(absent.sum()),
        None if sequence.image_paths is None else len(sequence.image_paths),
        size,
        outside,
        tuple(problems),
    )


def _decode(sequence: VideoSequence, decode: str, problems: List[str]) -> Optional[Tuple[int, int]]:
    """Open the chosen images; returns the size of the first that can be read, else the size that the annotation says.

    Appends what is wrong to `problems`.
    """
    paths = list(sequence.image_paths or ())
    if decode == "none" or not paths:
        return sequence.size
    size = None
    for path in paths if decode == "all" else dict.fromkeys([paths[0], paths[-1]]):
        try:
            height, width = read_image(path).shape[:2]
        except InputError as error:
            problems.append(str(error))
            continue
        if size is None:
            size = (width, height)
        elif size != (width, height):
            problems.append(f"{path}: image is {width}x{height}, the sequence began with {size[0]}x{size[1]}")
    if size is not None and sequence.size is not None and size != tuple(sequence.size):
        width, height = sequence.size
        problems.append(f"{sequence.name}: images are {size[0]}x{size[1]}, the annotation says {width}x{height}")
    return size or sequence.size
