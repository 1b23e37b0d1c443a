"""Frames of a video file and their times, read to the end whatever its header claims."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Callable, Iterator, List, Optional, Tuple, Union

import numpy as np

from pvtpp.cli.container import is_cut_off
from pvtpp.cli.frame_times import FrameTimes, GivenRate
from pvtpp.errors import InputError
from pvtpp.opencv import quiet
from pvtpp.pixel_depth import Stretch
from pvtpp.sources.recorded import TimedImage

PROBED = 8
"""So many frames are looked at to see whether the header's rate is about right."""
MISLEADING = 1.5
"""A header's rate that differs from the file's times by more than this factor is not used."""
WHOLE = 0.95
"""A file that ends before this share of the duration in its header was cut off."""
TRIES = 1000
"""So often a frame is asked for after one that could not be decoded; at the end of a file this takes some 10 ms."""


@dataclass(frozen=True)
class VideoFile:
    """A video file that OpenCV opens.

    Attributes
    ----------
    path
        The file.
    fps
        Frames per second: as given, else the header's, else of the times of the first frames.
    given
        Whether `fps` was given, which the times of the frames then follow.
    count
        How many frames the header claims; None where it does not.
    claimed_s
        Duration that the header claims, seconds; None where it does not.
    deep
        Whether it is a grey video of 16 bits, which is stretched to 8 bits by the levels of the first frame
        (`pvtpp.pixel_depth`). Colours of more than 8 bits are converted by the decoder.
    """

    path: str
    fps: float
    given: bool
    count: Optional[int]
    claimed_s: Optional[float]
    deep: bool

    @classmethod
    def open(cls, path: str, fps: Optional[float] = None) -> VideoFile:
        """Look at a file.

        Parameters
        ----------
        path
            The file.
        fps
            Frames per second that its frames were captured at; None: as their times in the file say.

        Raises
        ------
        InputError
            For a file that OpenCV cannot read, or that says nothing of its rate.
        """
        import cv2

        with quiet():
            capture = cv2.VideoCapture(path)
            try:
                claimed, count = _finite(capture, cv2.CAP_PROP_FPS), _finite(capture, cv2.CAP_PROP_FRAME_COUNT)
                if not capture.isOpened() or _next(capture, TRIES)[0] is None:
                    raise InputError(f"{path}: not a video that OpenCV can read")
                times = _times(capture, 1 if fps else PROBED)
            finally:
                capture.release()
            deep = _is_deep(path)
        measured = _rate(times)
        believed = 0 < claimed <= 1000 and (not measured or 1 / MISLEADING < claimed / measured < MISLEADING)
        rate = fps or (claimed if believed else round(measured, 3))
        if not rate:
            raise InputError(f"{path}: the video does not say its frame rate (it says {claimed:g}), give --fps")
        claimed_s = count / claimed if count > 0 and 0 < claimed <= 1000 else None
        return cls(path, rate, fps is not None, int(count) if count > 0 else None, claimed_s, deep)

    def frames(self, warn: Callable[[str], None]) -> Iterator[TimedImage]:
        """Read all frames.

        Parameters
        ----------
        warn
            Called with a line for each kind of fault: impossible times, frames that cannot be decoded, an early end.

        Yields
        ------
        TimedImage
            Always with a later time than the one before.

        Raises
        ------
        InputError
            After the last frame, where the file was cut off.
        """
        import cv2

        times: Union[FrameTimes, GivenRate]
        times = GivenRate(self.fps) if self.given else FrameTimes(self.path, self.fps, warn)
        capture, stretch = cv2.VideoCapture(self.path), None
        broken: List[float] = []
        try:
            if self.deep:
                capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
            while True:
                # Asked further, some backends wait at the end of a file.
                tries = TRIES if _backend(capture) == "FFMPEG" else 1
                image, failed = _next(capture, tries)
                if image is None:
                    break
                if failed:
                    broken.append(times.last_s)
                t_ns = times.add(float(capture.get(cv2.CAP_PROP_POS_MSEC)))
                if self.deep:
                    stretch = stretch or Stretch.of(image)
                    image = cv2.cvtColor(stretch(image), cv2.COLOR_GRAY2BGR)
                yield TimedImage(t_ns, image)
        finally:
            capture.release()
        times.finish()
        if broken:
            warn(
                f"{self.path}: frames could not be decoded in {len(broken)} places and are left out, the first "
                f"{broken[0]:.3f} s after the start"
            )
        if self.count is None or times.count < WHOLE * self.count:
            if is_cut_off(self.path):
                of = "" if self.count is None else f" of {self.count}"
                raise InputError(f"{self.path}: ends after {times.count}{of} frames")
            # What a header claims is often an estimate; where the duration fits, the count does not matter.
            reached = times.count / self.fps if self.given else times.last_s + 1 / self.fps
            if self.claimed_s and reached < WHOLE * self.claimed_s:
                warn(
                    f"{self.path}: ends after {times.count} frames ({reached:.2f} s); its header claims {self.count} "
                    f"({self.claimed_s:.2f} s)"
                )


def _next(capture: Any, tries: int) -> Tuple[Optional[np.ndarray], int]:
    """The next image, None at the end; and how many times none could be decoded before it."""
    for failed in range(tries):
        found, image = capture.read()
        if found and image is not None:
            return image, failed
    return None, tries


def _times(capture: Any, count: int) -> np.ndarray:
    """Times of the frame that was read last and of the following ones, `count` in all at most, milliseconds."""
    import cv2

    times = [float(capture.get(cv2.CAP_PROP_POS_MSEC))]
    while len(times) < count and capture.grab():
        times.append(float(capture.get(cv2.CAP_PROP_POS_MSEC)))
    return np.array(times)


def _rate(times: np.ndarray) -> float:
    """Frames per second by the most usual steps between these times (milliseconds); 0 where they say nothing."""
    steps = np.diff(times)
    if len(steps) < 2 or not (steps > 0).all():
        return 0.0
    # Matroska rounds times to milliseconds.
    return 1e3 / float(steps[np.abs(steps - np.median(steps)) <= 1.01].mean())


def _finite(capture: Any, setting: int) -> float:
    value = float(capture.get(setting))
    return value if math.isfinite(value) else 0.0


def _backend(capture: Any) -> str:
    try:
        return str(capture.getBackendName())
    except Exception:  # Fakes and some builds have none.
        return ""


def _is_deep(path: str) -> bool:
    """Whether it is grey with 16 bits. Raises InputError for a grey video of more than 8 bits that is not delivered so.

    OpenCV would give the upper 8 bits of each value: next to nothing of what a thermal camera sees.
    """
    import cv2

    capture = cv2.VideoCapture(path)
    try:
        tag = int(_finite(capture, getattr(cv2, "CAP_PROP_CODEC_PIXEL_FORMAT", 46))) & 0xFFFFFFFF
        text = tag.to_bytes(4, "little")
        # FFmpeg's tags of raw grey: Y1, 0, bits for little endian; bits, 0, 1Y for big endian.
        bits = text[3] if text[:3] == b"Y1\0" else text[0] if text[1:] == b"\x001Y" else 8
        if bits <= 8:
            return False
        if text == b"Y1\0\x10" and capture.set(cv2.CAP_PROP_CONVERT_RGB, 0):
            image, _ = _next(capture, TRIES)
            if image is not None and image.dtype == np.uint16:
                return True
    finally:
        capture.release()
    raise InputError(
        f"{path}: a grey video of {bits} bits a value, of which OpenCV {cv2.__version__} gives the upper 8 only; "
        f"give a folder of its images instead (ffmpeg -i {path} -pix_fmt gray16be FOLDER/%06d.png)"
    )
