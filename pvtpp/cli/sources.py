"""Where `pvtpp track` takes its frames from: a video file, a folder of images, a camera."""

from __future__ import annotations

import glob
import math
import os
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Callable, Iterator, Optional

import numpy as np

from pvtpp.errors import InputError
from pvtpp.tracker import check_image
from pvtpp_benchmarks.datasets.image_files import IMAGE_ENDINGS, ImageReader, list_images

DEFAULT_FPS = 30.0
# So many pictures a camera's driver keeps waiting, as a rule at most.
WAITING = 4
# A video may hold a little less than its header says, which for some formats is an estimate.
WHOLE = 0.95


@dataclass(frozen=True)
class Source:
    """Frames in the order they were captured.

    Attributes
    ----------
    name
        For messages.
    fps
        Frame rate; of a camera, what it claims.
    count
        How many frames there are; None where nobody knows.
    live
        A camera, which neither waits nor starts again.
    images
        Iterates over the images from the first one on, uint8 BGR ``(height, width, 3)``. Raises InputError for one that
        cannot be read.
    first_ns
        When a camera delivered the first one, by `time.perf_counter_ns`.
    """

    name: str
    fps: float
    count: Optional[int]
    live: bool
    images: Callable[[], Iterator[np.ndarray]]
    first_ns: Optional[int] = None


def open_source(text: str, fps: Optional[float] = None) -> Source:
    """Open a source of frames.

    Parameters
    ----------
    text
        The number of a camera, else a video file or a folder of images.
    fps
        Overrules what the source says of its rate.

    Raises
    ------
    InputError
        For a source that is not there, does not open or shows nothing.
    """
    if fps is not None and not 0 < fps <= 1000:
        raise InputError(f"--fps is {fps:g}, allowed is above 0 and at most 1000")
    if re.fullmatch(r"\d+", text):
        if len(text) > 9:
            raise InputError(f"camera {text}: no such number, allowed is 0 to 999999999")
        return _camera(int(text), fps)
    if os.path.isdir(text):
        return _folder(text, fps)
    if not os.path.isfile(text):
        raise InputError(f"{text}: no such video file or image folder (a camera is named by its number)")
    return _video(text, fps)


def _folder(path: str, fps: Optional[float]) -> Source:
    paths = list_images(path)
    if not paths:
        raise InputError(f"{path}: no images in this folder ({', '.join(IMAGE_ENDINGS)})")
    reader = ImageReader(paths)
    return Source(path, fps or DEFAULT_FPS, len(paths), False, lambda: map(reader.read, range(len(paths))))


def _video(path: str, fps: Optional[float]) -> Source:
    import cv2

    with _quiet():
        capture = cv2.VideoCapture(path)
    claimed, count = capture.get(cv2.CAP_PROP_FPS), int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    opened = capture.isOpened() and capture.read()[0]
    capture.release()
    if not opened:
        raise InputError(f"{path}: not a video that OpenCV can read")
    if fps is None and not (math.isfinite(claimed) and 0 < claimed <= 1000):
        raise InputError(f"{path}: the video does not say its frame rate (it says {claimed:g}), give --fps")

    def images() -> Iterator[np.ndarray]:
        capture, read = cv2.VideoCapture(path), 0
        try:
            found, image = capture.read()
            while found:
                read += 1
                yield image
                found, image = capture.read()
        finally:
            capture.release()
        if read < WHOLE * count:
            raise InputError(f"{path}: ends after {read} of {count} frames")

    return Source(path, fps or claimed, count if count > 0 else None, False, images)


def _camera(number: int, fps: Optional[float]) -> Source:
    import cv2

    with _quiet():
        capture = cv2.VideoCapture(number)
    if not capture.isOpened():
        found = ", ".join(sorted(glob.glob("/dev/video*"))) or "none"
        raise InputError(f"camera {number}: cannot be opened (missing, or in use); video devices here: {found}")
    # The driver's queue would hand out old frames as new ones.
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    if fps is not None:
        capture.set(cv2.CAP_PROP_FPS, fps)
    first, first_ns = capture.read()[1], time.perf_counter_ns()
    if first is None:
        capture.release()
        raise InputError(f"camera {number}: opened, but it delivers no image")
    claimed = capture.get(cv2.CAP_PROP_FPS)

    def images() -> Iterator[np.ndarray]:
        try:
            yield check_image(first, f"camera {number}")
            # What came while the target was drawn and the tracker loaded would be taken for new.
            for _ in range(WAITING):
                capture.grab()
            image = capture.read()[1]
            while image is not None:
                yield image
                image = capture.read()[1]
        finally:
            capture.release()

    rate = fps or (claimed if 0 < claimed <= 1000 else DEFAULT_FPS)
    return Source(f"camera {number}", rate, None, True, images, first_ns)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without OpenCV's own lines on what it tried in vain: the one clear error comes from here."""
    import cv2

    logging = getattr(getattr(cv2, "utils", None), "logging", None)
    if logging is None:
        # Older OpenCV says little.
        yield
        return
    before = logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        logging.setLogLevel(before)
