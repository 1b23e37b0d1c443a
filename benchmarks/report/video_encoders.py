"""Encoders that write MP4 files: the first that is there is taken, H.264 before what browsers do not play.

H.264 comes from the program ``ffmpeg``, from PyAV (``pip install av``), or from an OpenCV of a system's package. The
OpenCV of PyPI has no encoder for it.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import suppress
from fractions import Fraction
from typing import Any, Callable, Dict, Optional, Protocol

import cv2
import numpy as np

from pvtpp.errors import InputError

_QUALITY = {"preset": "veryfast", "crf": "20"}


class Encoder(Protocol):
    """Writes one file; made by a function of path, frames per second, width and height (both even)."""

    in_browsers: bool
    """Whether browsers play what it writes."""

    def write(self, image: np.ndarray) -> None:
        """Write one image, ``(height, width, 3)``, uint8, BGR, C-contiguous."""

    def close(self) -> None:
        """Finish the file. Raises InputError where it could not be written."""

    def abort(self) -> None:
        """Stop; the file is of no use."""


class FfmpegEncoder:
    """H.264 by the program ``ffmpeg``, which works beside this process.

    Parameters
    ----------
    path
        The file to write.
    fps
        Frames per second.
    width, height
        Of the images, pixels, even.
    """

    in_browsers = True

    def __init__(self, path: str, fps: float, width: int, height: int):
        self._path = path
        # A pipe for its messages would fill up and stop it.
        self._messages = tempfile.TemporaryFile()
        options = [word for name, value in _QUALITY.items() for word in (f"-{name}", value)]
        # In a session of its own, as Ctrl-C is for this process alone.
        own_session = shutil.which("setsid")
        command = [*([own_session] if own_session else []), shutil.which("ffmpeg") or "ffmpeg"]
        command += ["-hide_banner", "-loglevel", "error", "-nostdin", "-y", "-f", "rawvideo"]
        command += ["-pix_fmt", "bgr24", "-s", f"{width}x{height}", "-r", f"{fps:.6f}", "-i", "pipe:0"]
        command += ["-c:v", "libx264", *options, "-pix_fmt", "yuv420p", f"file:{path}"]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            close_fds=False,
            stderr=self._messages,
            start_new_session=own_session is None,
        )

    def write(self, image: np.ndarray) -> None:
        """Write one image."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(image.tobytes())
        except OSError:
            self.close()
            raise InputError(f"{self._path}: ffmpeg ended early") from None

    def close(self) -> None:
        """Finish the file. Raises InputError where it could not be written."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        status = self._process.wait()
        self._messages.seek(0)
        text = " ".join(self._messages.read().decode(errors="replace").split())
        self._messages.close()
        if status:
            reason = text or f"status {status}"
            raise InputError(f"{self._path}: ffmpeg could not write it ({reason}); is the disk full?")

    def abort(self) -> None:
        """Stop it."""
        self._process.kill()
        with suppress(InputError, ValueError):
            self.close()


class PyavEncoder:
    """H.264 by PyAV, an optional package.

    Parameters
    ----------
    path
        The file to write.
    fps
        Frames per second.
    width, height
        Of the images, pixels, even.
    """

    in_browsers = True

    def __init__(self, path: str, fps: float, width: int, height: int):
        import av

        self._path, self._av = path, av
        self._file: Any = av.open(path, "w")
        try:
            self._stream: Any = self._file.add_stream("libx264", rate=Fraction(fps).limit_denominator(100000))
            self._stream.width, self._stream.height = width, height
            self._stream.pix_fmt, self._stream.options = "yuv420p", dict(_QUALITY)
        except Exception:
            self._file.close()
            raise

    def write(self, image: np.ndarray) -> None:
        """Write one image."""
        self._mux(self._av.VideoFrame.from_ndarray(image, format="bgr24"))

    def close(self) -> None:
        """Finish the file. Raises InputError where it could not be written."""
        self._mux(None)
        try:
            self._file.close()
        except OSError as error:
            raise self._failed(error) from None

    def abort(self) -> None:
        """Close what there is."""
        with suppress(Exception):
            self._file.close()

    def _mux(self, frame: Any) -> None:
        try:
            for packet in self._stream.encode(frame):
                self._file.mux(packet)
        except OSError as error:
            raise self._failed(error) from None

    def _failed(self, error: OSError) -> InputError:
        return InputError(f"{self._path}: PyAV could not write it ({error.strerror or error}); is the disk full?")


class OpencvEncoder:
    """OpenCV's own writer.

    Parameters
    ----------
    path
        The file to write.
    fps
        Frames per second.
    width, height
        Of the images, pixels, even.
    codec
        ``avc1`` for H.264, ``mp4v`` for MPEG-4 Part 2.

    Raises
    ------
    InputError
        Where this OpenCV lacks the codec.
    """

    def __init__(self, path: str, fps: float, width: int, height: int, codec: str = "mp4v"):
        self.in_browsers = codec == "avc1"
        self._writer = cv2.VideoWriter(path, int.from_bytes(codec.encode(), "little"), fps, (width, height))
        if not self._writer.isOpened():
            self._writer.release()
            raise InputError(f"{path}: OpenCV {cv2.__version__} here cannot encode {codec} of {width}x{height}")

    def write(self, image: np.ndarray) -> None:
        """Write one image."""
        self._writer.write(image)

    def close(self) -> None:
        """Finish the file."""
        self._writer.release()

    def abort(self) -> None:
        """Close what there is."""
        self._writer.release()


MakeEncoder = Callable[[str, float, int, int], Encoder]


def _opencv_h264(path: str, fps: float, width: int, height: int) -> Encoder:
    return OpencvEncoder(path, fps, width, height, "avc1")


# Other threads are at work when a program is started. With `close_fds` False (files are not inherited anyway), a full
# path and no new session, Python 3.8 spawns it. Else it copies this process first, which can stand still for ever: in
# what a library does at a copy.
def _has_ffmpeg() -> bool:
    program = shutil.which("ffmpeg")
    if program is None:
        return False
    command = [program, "-hide_banner", "-encoders"]
    try:
        listed = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            close_fds=False,
            timeout=20,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return b" libx264 " in listed.stdout


def _has_pyav() -> bool:
    try:
        from av.codec import Codec

        Codec("libx264", "w")
    except Exception:  # Not installed, or an FFmpeg without it.
        return False
    return True


def _has_opencv_h264() -> bool:
    """Whether it is worth trying: where it is in vain, FFmpeg prints lines that nobody can keep back."""
    version = getattr(cv2, "version", None)
    return not getattr(version, "ci_build", False)


H264: Dict[str, MakeEncoder] = {"ffmpeg": FfmpegEncoder, "PyAV": PyavEncoder, "OpenCV": _opencv_h264}
"""Encoders of H.264, the first one that is there is taken."""
_IS_THERE: Dict[str, Callable[[], bool]] = {"ffmpeg": _has_ffmpeg, "PyAV": _has_pyav, "OpenCV": _has_opencv_h264}


def h264() -> Optional[str]:
    """Name the encoder of H.264 that is there, a key of `H264`; None without one."""
    return next((name for name in H264 if _IS_THERE[name]()), None)


def open_encoder(path: str, part: str, fps: float, width: int, height: int) -> Encoder:
    """Open the best encoder that is there.

    Parameters
    ----------
    path
        The file as the user named it, for messages.
    part
        The file to write.
    fps
        Frames per second.
    width, height
        Of the images, pixels, even.

    Raises
    ------
    InputError
        Where no encoder takes these images.
    """
    name = h264()
    if name is not None:
        try:
            return H264[name](part, fps, width, height)
        except Exception:  # What is left to do is to write what browsers do not play.
            pass
    try:
        return OpencvEncoder(part, fps, width, height)
    except InputError as error:
        raise InputError(str(error).replace(part, path)) from None
