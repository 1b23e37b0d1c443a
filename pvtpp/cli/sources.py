"""Where commands that read a camera take their frames from: every kind of source is found by what names it."""

from __future__ import annotations

import argparse
import os
import re
import stat
from typing import Iterator, Optional

from pvtpp.cli.video_file import VideoFile
from pvtpp.errors import InputError
from pvtpp.sources.camera import camera_clock, open_camera, open_pipeline
from pvtpp.sources.capture_clock import CaptureClock
from pvtpp.sources.recorded import Recorded, TimedImage
from pvtpp.sources.source import Source, Warn
from pvtpp.sources.stream import open_pipe, open_stream
from pvtpp_benchmarks.datasets.image_files import IMAGE_ENDINGS, ImageReader, list_images

DEFAULT_FPS = 30.0
POSSIBLE = (
    "a video file, a folder of images, the number of a camera (0 for /dev/video0), a stream (rtsp://, udp://, "
    "http://..), a named pipe or - for standard input, or a GStreamer pipeline (.. ! appsink)"
)


def add_source(parser: argparse.ArgumentParser, offset: bool = True) -> None:
    """Add the source and what is said of its times; `offset`: also the capture offset."""
    parser.add_argument("source", metavar="SOURCE", help=POSSIBLE)
    parser.add_argument(
        "--fps",
        type=float,
        help="frame rate of the source (default: the times in a video, the rate of a camera, 30 for a folder)",
    )
    if not offset:
        return
    parser.add_argument(
        "--capture-offset",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="how long a live source takes from the capture of a frame to its arrival, as far as the stream does not "
        "say; it is subtracted from every capture time (default 0)",
    )


def open_source(text: str, fps: Optional[float] = None, capture_offset: float = 0.0, patient: bool = False) -> Source:
    """Open a source of frames.

    Parameters
    ----------
    text
        What `POSSIBLE` says.
    fps
        Overrules what the source says of its rate, and a file of its frames' times.
    capture_offset
        Subtracted from the capture times of a live source, seconds.
    patient
        Wait for a live source that is not there yet.

    Raises
    ------
    InputError
        For a source that is not there, cannot be opened or shows nothing. Streams and cameras are opened when they are
        read, and raise it then.
    """
    if fps is not None and not 0 < fps <= 1000:
        raise InputError(f"--fps is {fps:g}, allowed is above 0 and at most 1000")
    clock = CaptureClock(capture_offset)
    camera = re.fullmatch(r"(?:/dev/video)?(\d+)", text, re.ASCII)
    if camera:
        if len(camera[1]) > 9:
            raise InputError(f"camera {camera[1]}: no such number, allowed is 0 to 999999999")
        return open_camera(int(camera[1]), camera_clock(capture_offset), patient, fps)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        return open_stream(text, clock, patient, fps)
    if " ! " in text:
        return open_pipeline(text, clock, patient, fps)
    if text == "-" or (os.path.exists(text) and stat.S_ISFIFO(os.stat(text).st_mode)):
        return open_pipe(text, clock, patient, fps)
    if capture_offset:
        raise InputError(f"--capture-offset {capture_offset:g} has no effect on {text}: a file has times of its own")
    if os.path.isdir(text):
        return _folder(text, fps)
    if not os.path.exists(text):
        raise InputError(f"{text}: no such file or folder; expected {POSSIBLE}")
    if not os.path.isfile(text):
        raise InputError(f"{text}: neither a file nor a folder; expected {POSSIBLE}")
    if text.lower().endswith(IMAGE_ENDINGS):
        raise InputError(f"{text}: a single image; expected {POSSIBLE}")
    video = VideoFile.open(text, fps)
    return Recorded(text, video.fps, video.count, video.frames)


def _folder(path: str, fps: Optional[float]) -> Source:
    paths = list_images(path)
    if not paths:
        raise InputError(f"{path}: no images in this folder ({', '.join(IMAGE_ENDINGS)}){_found_instead(path)}")
    reader, rate = ImageReader(paths), fps or DEFAULT_FPS

    def read(warn: Warn) -> Iterator[TimedImage]:
        for index in range(len(paths)):
            yield TimedImage(round(index * 1e9 / rate), reader.read(index))

    return Recorded(path, rate, len(paths), read)


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
