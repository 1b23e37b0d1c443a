"""The files that `pvtpp track` writes.

They are found writable before the work, never replace the source, and each is kept whatever happens to the others.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
from contextlib import contextmanager
from typing import Iterable, Iterator, List, Optional

import numpy as np

from pvtpp.cli.frame_records import ENDINGS, FrameRecord
from pvtpp.errors import InputError
from pvtpp.sources.recorded import TimedImage
from pvtpp_benchmarks.report.files import check_writable

VIDEO = "tracked.mp4"
FASTEST = 240.0
"""Frames per second of a video at most, where the source has no constant rate."""
CLEAR_LINE = "\r\033[K"


def check(options: argparse.Namespace) -> None:
    """Raise InputError for an --out, --log or --video of another ending, not writable, or the same as the source."""
    for option, endings in (("out", ENDINGS), ("log", (".jsonl",)), ("video", (".mp4",))):
        path = getattr(options, option)
        if path and not path.endswith(endings):
            raise InputError(f"--{option} {path}: the name must end in {' or '.join(endings)}")
        check_spares(f"--{option}", path, options.source)
        check_writable(path)


def check_spares(option: str, path: Optional[str], kept: str, what: str = "the source") -> None:
    """Raise InputError where the file that `option` names is the one that must be kept; `what` says which that is."""
    if path and os.path.exists(path) and os.path.exists(kept) and os.path.samefile(path, kept):
        raise InputError(f"{option} {path}: this is {what}, which would be lost; give another name")


def default_video(source: str) -> Optional[str]:
    """Return `VIDEO`; None, with a warning, where it cannot be written, since nobody asked for it.

    Raises InputError where it is the source.
    """
    check_spares("--video", VIDEO, source)
    try:
        check_writable(VIDEO)
    except InputError as error:
        warn_of_video(error)
        return None
    return VIDEO


def warn(text: str) -> None:
    """Print one line of warning to stderr, in place of a line of progress on a terminal."""
    print(f"{CLEAR_LINE if sys.stderr.isatty() else ''}pvtpp track: warning: {text}", file=sys.stderr)


def warn_of_video(error: InputError) -> None:
    """Say on stderr why there is no video that nobody asked for."""
    warn(f"no video: {error}")


def record(video: str, drawn: Iterable[TimedImage], fps: float) -> None:
    """Write images as MP4, each shown from its time on as far as the rate allows, all in the size of the first.

    Parameters
    ----------
    video
        The file.
    drawn
        Images, uint8 BGR, and their times.
    fps
        Rate of the video, frames per second.

    Raises
    ------
    InputError
        Where writing fails.
    """
    from pvtpp_benchmarks.report.video import write_video

    write_video(video, of_one_size(at_constant_rate(drawn, fps)), fps, warn)


def video_rate(records: Iterable[FrameRecord], fps: float) -> float:
    """Choose the rate of a video that shows each of these frames at its time.

    Parameters
    ----------
    records
        In order.
    fps
        What the source says, which is taken where the times agree with it.

    Returns
    -------
    float
        Frames per second: else, most steps between frames are not shorter than its step.
    """
    times = np.array([record.t_ns for record in records]) * 1e-9
    if (np.round(times * fps) == np.arange(len(times))).all():
        return fps
    shortest = float(np.percentile(np.diff(times), 5))
    return min(max(1 / shortest, 1.0), FASTEST)


def at_constant_rate(timed: Iterable[TimedImage], fps: float) -> Iterator[np.ndarray]:
    """Repeat images so that, at `fps` frames per second, each begins about at its time; each is shown at least once."""
    shown, last = 0, None
    for t_ns, image in timed:
        if last is not None:
            until = max(round(t_ns * 1e-9 * fps), shown + 1)
            yield from itertools.repeat(last, until - shown)
            shown = until
        last = image
    if last is not None:
        yield last


def of_one_size(images: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Bring images to the size of the first one, with black borders where the aspect ratio differs."""
    import cv2

    shape = None
    for image in images:
        shape = shape or image.shape
        if image.shape == shape:
            yield image
            continue
        scale = min(shape[0] / image.shape[0], shape[1] / image.shape[1])
        height, width = (max(round(side * scale), 1) for side in image.shape[:2])
        top, left = (shape[0] - height) // 2, (shape[1] - width) // 2
        whole = np.zeros(shape, dtype=image.dtype)
        whole[top : top + height, left : left + width] = cv2.resize(image, (width, height))
        yield whole


@contextmanager
def kept(path: Optional[str], written: List[str], broken: List[InputError]) -> Iterator[None]:
    """Note in `written` the file that the block writes, in `broken` why not, so that others can still be written."""
    try:
        yield
    except InputError as error:
        broken.append(error)
    else:
        written.append(str(path))
