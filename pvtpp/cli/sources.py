"""Where `pvtpp track` takes its frames from: a video file, a folder of images, a camera."""

from __future__ import annotations

import glob
import os
import re
import time
from dataclasses import dataclass
from typing import Callable, Iterator, Optional

import numpy as np

from pvtpp.cli.video_file import TimedImage, VideoFile, quiet
from pvtpp.errors import InputError
from pvtpp.tracker import check_image
from pvtpp_benchmarks.datasets.image_files import IMAGE_ENDINGS, ImageReader, list_images

DEFAULT_FPS = 30.0
# So many pictures a camera's driver keeps waiting, as a rule at most.
WAITING = 4
POSSIBLE = "a video file, a folder of images, or the number of a camera (0 for /dev/video0)"
SIZES_REPORTED = 3
"""So many changes of the image size are reported; a source that changes all the time would fill the screen."""
Warn = Callable[[str], None]


def ignore(text: str) -> None:
    """Take a warning that was given before."""


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
        How many frames there are, as far as known; None where nobody knows.
    live
        A camera, which neither waits nor starts again.
    read
        Iterates over images and times; called with what takes warnings. Capture times of a camera are those at which
        the driver delivered the images.
    first_ns
        When a camera delivered the first one, by `time.perf_counter_ns`.
    """

    name: str
    fps: float
    count: Optional[int]
    live: bool
    read: Callable[[Warn], Iterator[TimedImage]]
    first_ns: Optional[int] = None

    def frames(self, warn: Warn = ignore) -> Iterator[TimedImage]:
        """Read the images from the first one on.

        Parameters
        ----------
        warn
            Called with a line for each fault that does not end the reading, and for images of another size.

        Yields
        ------
        TimedImage
            Image, uint8 BGR ``(height, width, 3)``, and capture time, nanoseconds since the first.

        Raises
        ------
        InputError
            For an image that cannot be read.
        """
        shape, changes = None, 0
        for index, timed in enumerate(self.read(warn)):
            height, width = timed.image.shape[:2]
            if shape is not None and shape != (height, width):
                changes += 1
                if changes <= SIZES_REPORTED:
                    more = "; later changes are not reported" if changes == SIZES_REPORTED else ""
                    warn(
                        f"{self.name}: from frame {index} on the images are {width} x {height} pixels, before they "
                        f"were {shape[1]} x {shape[0]}{more}"
                    )
            shape = height, width
            yield timed


def open_source(text: str, fps: Optional[float] = None) -> Source:
    """Open a source of frames.

    Parameters
    ----------
    text
        The number of a camera or its device file, else a video file or a folder of images.
    fps
        Overrules what the source says of its rate and of its frames' times.

    Raises
    ------
    InputError
        For a source that is not there, does not open or shows nothing.
    """
    if fps is not None and not 0 < fps <= 1000:
        raise InputError(f"--fps is {fps:g}, allowed is above 0 and at most 1000")
    camera = re.fullmatch(r"(?:/dev/video)?(\d+)", text, re.ASCII)
    if camera:
        if len(camera[1]) > 9:
            raise InputError(f"camera {camera[1]}: no such number, allowed is 0 to 999999999")
        return _camera(int(camera[1]), fps)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        raise InputError(
            f"{text}: a stream from the network is not read here, only {POSSIBLE}; for streams there are the ROS nodes "
            "and pvtpp.LiveTracker"
        )
    if os.path.isdir(text):
        return _folder(text, fps)
    if not os.path.exists(text):
        raise InputError(f"{text}: no such file or folder; expected {POSSIBLE}")
    if not os.path.isfile(text):
        raise InputError(f"{text}: neither a file nor a folder; expected {POSSIBLE}")
    if text.lower().endswith(IMAGE_ENDINGS):
        raise InputError(f"{text}: a single image; expected {POSSIBLE}")
    return _video(text, fps)


def _folder(path: str, fps: Optional[float]) -> Source:
    paths = list_images(path)
    if not paths:
        raise InputError(f"{path}: no images in this folder ({', '.join(IMAGE_ENDINGS)}){_found_instead(path)}")
    reader, rate = ImageReader(paths), fps or DEFAULT_FPS

    def read(warn: Warn) -> Iterator[TimedImage]:
        for index in range(len(paths)):
            yield TimedImage(round(index * 1e9 / rate), reader.read(index))

    return Source(path, rate, len(paths), False, read)


def _found_instead(path: str) -> str:
    """Say where images are, if in a folder inside this one; else how many files of other kinds there are."""
    try:
        inside = sorted(entry.name for entry in os.scandir(path) if not entry.name.startswith("."))
        folders = [name for name in inside if os.path.isdir(os.path.join(path, name))]
        with_images = [name for name in folders if _holds_images(os.path.join(path, name))]
    except OSError:
        return ""
    if with_images:
        return f"; there are some in {os.path.join(path, with_images[0])}"
    files = len(inside) - len(folders)
    return f"; it holds {files} other file{'s' * (files != 1)}, such as {inside[0]}" if files else "; it holds no files"


def _holds_images(folder: str) -> bool:
    return any(name.lower().endswith(IMAGE_ENDINGS) and not name.startswith(".") for name in os.listdir(folder))


def _video(path: str, fps: Optional[float]) -> Source:
    video = VideoFile.open(path, fps)
    return Source(path, video.fps, video.count, False, video.frames)


def _camera(number: int, fps: Optional[float]) -> Source:
    import cv2

    with quiet():
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

    def timed(image: np.ndarray) -> TimedImage:
        return TimedImage(time.perf_counter_ns() - first_ns, check_image(image, f"camera {number}"))

    def read(warn: Warn) -> Iterator[TimedImage]:
        try:
            yield TimedImage(0, check_image(first, f"camera {number}"))
            # What came while the target was drawn and the tracker loaded would be taken for new.
            for _ in range(WAITING):
                capture.grab()
            image = capture.read()[1]
            while image is not None:
                yield timed(image)
                image = capture.read()[1]
        finally:
            capture.release()

    rate = fps or (claimed if 0 < claimed <= 1000 else DEFAULT_FPS)
    return Source(f"camera {number}", rate, None, True, read, first_ns)
