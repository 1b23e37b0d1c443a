"""Check that a copy of a data set is complete and readable, before a long benchmark run needs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from pvtpp.errors import InputError
from pvtpp.pixel_depth import Stretch
from pvtpp_benchmarks.datasets.box_recognition import Recognised, recognise, recognise_one_based
from pvtpp_benchmarks.datasets.dataset import Dataset
from pvtpp_benchmarks.datasets.image_files import Header, decode, read_header
from pvtpp_benchmarks.datasets.sequence import VideoSequence

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
    warnings
        What may be meant so but seldom is, one sentence each.
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
    warnings: Tuple[str, ...] = ()


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
    warnings
        Every warning, in the same form.
    """

    dataset: str
    rows: Tuple[SequenceReport, ...]
    problems: Tuple[str, ...]
    warnings: Tuple[str, ...] = ()


def check(dataset: Dataset, decode: str = "ends") -> DatasetReport:
    """Read every sequence of a data set and report all that is wrong.

    Parameters
    ----------
    dataset
        The data set to check.
    decode
        Which images are opened: the first and last of each sequence (``ends``), ``all`` or ``none``. With ``ends`` the
        headers of the others are read.

    Raises
    ------
    InputError
        For an unknown `decode`. Problems of the data are reported, not raised.
    """
    if decode not in DECODE:
        raise InputError(f"unknown choice of images to decode {decode!r}; valid: {', '.join(DECODE)}")
    rows, boxes = [], []
    for name in dataset.names:
        try:
            sequence = dataset[name]
        except InputError as error:
            rows.append(SequenceReport(name, problems=(str(error),)))
            continue
        rows.append(check_sequence(sequence, decode))
        boxes.append((sequence.ground_truth_xywh, rows[-1].size))
    problems = [problem for row in rows for problem in row.problems]
    warnings = [warning for row in rows for warning in row.warnings]
    if dataset.published is not None and len(dataset) != dataset.published:
        problems.insert(0, f"{dataset.name}: {len(dataset)} of the {dataset.published} published sequences are here")
    # In published data sets the boxes count as they are, whatever the first pixel is called.
    if "boxes" in dataset.options and not warnings:
        one_based = recognise_one_based([xywh for xywh, _ in boxes], [size for _, size in boxes])
        if one_based is not None:
            warnings.append(_suspicion(dataset.name, one_based))
    return DatasetReport(dataset.name, tuple(rows), tuple(problems), tuple(warnings))


def check_sequence(sequence: VideoSequence, decode: str = "ends") -> SequenceReport:
    """Check one sequence; `decode` as in `check`."""
    xywh = sequence.ground_truth_xywh
    absent = np.isnan(xywh[:, 0])
    problems: List[str] = []
    warnings: List[str] = []
    if absent[0]:
        problems.append(f"{sequence.name}: the first box is NaN or has no area, so no tracker can start there")
    size = _check_images(sequence, decode, problems, warnings)
    recognised = recognise(xywh, size)
    if recognised is not None:
        warnings.append(_suspicion(sequence.name, recognised))
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
        tuple(warnings),
    )


def _suspicion(name: str, found: Recognised) -> str:
    return (
        f"{name}: the boxes look like {found.boxes} ({found.reason}); the data sets 'folder' and 'annotations' "
        f"read such files with --boxes {found.boxes}; --sheet FILE.png draws the boxes to look at"
    )


class _Image(NamedTuple):
    """What is known of an image file: by its header alone, and by its pixels where it was opened."""

    path: str
    stored: Optional[Header]
    opened: Optional[Header]


def _check_images(
    sequence: VideoSequence, choice: str, problems: List[str], warnings: List[str]
) -> Optional[Tuple[int, int]]:
    """Look at the images; returns the size of the first that can be opened, else the size that the annotation says.

    Appends what is wrong to `problems`, and what reading changes to `warnings`.
    """
    paths = list(sequence.image_paths or ())
    if choice == "none" or not paths:
        return sequence.size
    to_open = set(paths if choice == "all" else (paths[0], paths[-1]))
    images: List[_Image] = []
    for path in dict.fromkeys(paths):
        opened = None
        if path in to_open:
            try:
                pixels = decode(path)
                opened = Header(pixels.shape[1], pixels.shape[0], 8 * pixels.dtype.itemsize, False)
                if opened.bits > 8 and not any(image.opened for image in images):
                    levels = Stretch.of(pixels)
                    warnings.append(
                        f"{sequence.name}: the images have {opened.bits} bits a value; they are stretched to 8 bits by "
                        f"the levels of the first one, {levels.low:g} to {levels.high:g}"
                    )
            except InputError as error:
                problems.append(str(error))
        images.append(_Image(path, read_header(path), opened))
    _compare(images, problems)
    if any(image.stored is not None and image.stored.alpha for image in images):
        warnings.append(f"{sequence.name}: the images have an alpha channel, which is left out")
    first = next((image.opened for image in images if image.opened is not None), None)
    if first is None:
        return sequence.size
    if sequence.size is not None and (first.width, first.height) != tuple(sequence.size):
        width, height = sequence.size
        problems.append(
            f"{sequence.name}: images are {first.width}x{first.height}, the annotation says {width}x{height}"
        )
    return (first.width, first.height)


def _compare(images: List[_Image], problems: List[str]) -> None:
    """Append a line for every other size and number of bits than the first image has."""
    first = next((image for image in images if image.opened or image.stored), images[0])
    others: Dict[str, List[str]] = {}
    for image in images:
        # A header says nothing of the turn that a file may ask for, so it is held against a header.
        now, began = (image.opened, first.opened) if image.opened and first.opened else (image.stored, first.stored)
        if now is None or began is None:
            continue
        if (now.width, now.height) != (began.width, began.height):
            reason = f"image is {now.width}x{now.height}, the sequence began with {began.width}x{began.height}"
            others.setdefault(reason, []).append(image.path)
        if max(now.bits, 8) != max(began.bits, 8):
            reason = f"image has {now.bits} bits a value, the sequence began with {began.bits}"
            others.setdefault(reason, []).append(image.path)
    for reason, paths in others.items():
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        problems.append(f"{paths[0]}{more}: {reason}")
