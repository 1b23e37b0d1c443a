"""A stream from the network or a pipe, read by PyAV (FFmpeg): RTSP, MPEG-TS over UDP, MJPEG over HTTP and the like."""

from __future__ import annotations

import os
import re
import select
import struct
import time
from collections import deque
from typing import Any, Callable, Deque, Dict, Iterator, List, Optional, Tuple

import numpy as np

from pvtpp.errors import InputError
from pvtpp.sources.capture_clock import Arrival, CaptureClock
from pvtpp.sources.live_source import Connection, Fault, LiveSource, Shot
from pvtpp.sources.source import Condition

SCHEMES = ("rtsp", "rtsps", "rtp", "udp", "tcp", "srt", "http", "https")
OPEN_S = 8.0
"""A stream that shows nothing for so long after the request is silent. MPEG-TS must wait for a whole picture."""
SILENCE_S = 2.0
"""So is one of which nothing has come for so long."""
BROKEN = 100
"""After so many broken packets without an image the decoder is made anew."""
BEHIND_S, CAUGHT_UP_S = 0.7, 0.1
"""A decoder that falls so far behind leaves out all but whole images (key frames) until it has caught up, seconds."""
WITH_TIMES = ("rtsp", "rtp", "sdp", "mpegts", "matroska", "webm", "flv", "nut", "mov", "mp4", "ogg", "hls", "srt")
"""Formats whose times are the sender's; others (MJPEG, raw video) have none, and FFmpeg makes some up."""
HELD = {"rtsp": 1, "rtp": 1, "sdp": 1, "mpegts": 2}
"""So many images FFmpeg holds back: it knows the end of an image, and of a packet of MPEG-TS, by the next one."""
WHOLE = ("mjpeg", "jpeg2000", "rawvideo")
"""Codecs of which it knows the end at once."""
OPTIONS = {
    # Packets that came while the stream was examined are old.
    "fflags": "nobuffer",
    "analyzeduration": "1000000",
    "rtsp_flags": "prefer_tcp",
    "max_delay": "100000",
    "reorder_queue_size": "16",
}
MISSING = "streams need PyAV: pip install 'pvtpp[streams]' (or pip install av)"


def library() -> Any:
    """Return the module ``av``; InputError, which says what to install, where it cannot be imported."""
    try:
        import av
    except ImportError as error:
        raise InputError(f"{MISSING} [{error}]") from None
    # Without its own lines on what it tried in vain: the one clear error comes from here.
    av.logging.set_level(None)
    return av


def shown(url: str) -> str:
    """The address without user and password, for messages."""
    return re.sub(r"(?<=://)[^/@]*@", "", url)


def open_stream(url: str, clock: CaptureClock, patient: bool = False, fps: Optional[float] = None) -> LiveSource:
    """Read a stream from the network.

    Parameters
    ----------
    url
        Its address, one of `SCHEMES`.
    clock, patient, fps
        As of `LiveSource`.

    Raises
    ------
    InputError
        For another scheme, or without PyAV.
    """
    scheme = url.partition("://")[0].lower()
    if scheme not in SCHEMES:
        raise InputError(f"{shown(url)}: streams by {scheme} are not read, allowed are: {', '.join(SCHEMES)}")
    library()
    name = shown(url)
    return LiveSource(name, lambda: Stream(name, url), clock, patient, fps=fps)


def open_pipe(path: str, clock: CaptureClock, patient: bool = False, fps: Optional[float] = None) -> LiveSource:
    """Read video that another program writes into a pipe; it ends with the pipe.

    Parameters
    ----------
    path
        A named pipe, or ``-`` for the standard input.
    clock, patient, fps
        As of `LiveSource`.

    Raises
    ------
    InputError
        Where it cannot be opened, or without PyAV.
    """
    library()
    try:
        descriptor = os.dup(0) if path == "-" else os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    name = "standard input" if path == "-" else path
    return LiveSource(name, lambda: _pipe(name, descriptor), clock, patient, again=False, fps=fps)


def _pipe(name: str, descriptor: int) -> Connection:
    ready = select.poll()
    ready.register(descriptor, select.POLLIN)
    until = time.monotonic() + OPEN_S
    while not ready.poll(100):
        if time.monotonic() > until:
            raise Fault(Condition.SILENT, f"{name}: nothing was written into the pipe within {OPEN_S:g} s")
    # Read without blocking, FFmpeg notices when nothing comes.
    os.set_blocking(descriptor, False)
    return Stream(name, f"pipe:{descriptor}")


class Stream:
    """One connection, as `Connection`.

    Parameters
    ----------
    name
        For messages.
    url
        What FFmpeg opens.

    Attributes
    ----------
    fps
        What the stream claims; 0 where it does not.

    Raises
    ------
    Fault
        Where it does not open, or holds no video.
    """

    def __init__(self, name: str, url: str):
        self._av = library()
        self._name = name
        with self._faults(opening=True):
            self._container = self._av.open(url, options=OPTIONS, timeout=(OPEN_S, SILENCE_S))
        try:
            if not self._container.streams.video:
                raise Fault(Condition.UNDECODABLE, f"{name}: there is no video in this stream")
            stream = self._container.streams.video[0]
            stream.thread_type = "SLICE"
            # Threads by frame, and the order of display, hold images back.
            stream.codec_context.options = {"flags": "low_delay"}
        except BaseException:
            self._container.close()
            raise
        formats = self._container.format.name.split(",")
        self._base = stream.time_base if set(formats) & set(WITH_TIMES) else None
        self.fps = 0.0 if self._base is None else float(stream.average_rate or stream.guessed_rate or 0)
        held = 0 if stream.codec_context.name in WHOLE else max(HELD.get(name, 0) for name in formats)
        # When the last packets came out: each came out as one of the next ones arrived.
        self._came: Deque[int] = deque(maxlen=held + 1)
        self._packets: Iterator[Any] = self._container.demux(stream)
        self._times: Dict[int, Arrival] = {}
        self._since_image = 0
        self._last_image = time.monotonic()
        self._pace = _Pace()
        # Each image stands alone: only those that are taken are decoded, by who takes them. Then no queue can build.
        alone = stream.codec_context.name == "mjpeg"
        self._decoder: Any = self._av.CodecContext.create("mjpeg", "r") if alone else None

    def read(self) -> Optional[Shot]:
        """Wait for the next image, as `Connection.read`."""
        with self._faults():
            packet = next(self._packets, None)
        if packet is None or packet.size == 0:
            raise Fault(Condition.GONE, f"{self._name}: the other side ended the stream")
        self._came.append(time.time_ns())
        arrival = Arrival(self._came[0], self._nanoseconds(packet.pts), _sender_ns(packet))
        if self._decoder is not None:
            self._check_alive(0)
            return Shot(arrival, lambda: self._loaded(packet))
        skipped = self._pace.skips(arrival) and not packet.is_keyframe
        images = [] if skipped else self._decoded(packet, arrival)
        if not images:
            self._check_alive(0 if skipped else 1)
            return None
        self._since_image, self._last_image = 0, time.monotonic()
        # A decoder seldom gives two at once; the newer one counts.
        image = images[-1]
        known = self._times.pop(image.pts, arrival) if image.pts is not None else arrival
        if len(self._times) > 64:
            self._times.clear()
        return Shot(known, lambda: _bgr(image))

    def close(self) -> None:
        """Close the connection."""
        self._container.close()

    def _decoded(self, packet: Any, arrival: Arrival) -> List[Any]:
        if packet.pts is not None:
            self._times[packet.pts] = arrival
        try:
            return list(packet.decode())
        except self._av.error.FFmpegError:
            return []

    def _loaded(self, packet: Any) -> np.ndarray:
        try:
            (image,) = self._decoder.decode(packet)
            found = _bgr(image)
        except (self._av.error.FFmpegError, ValueError):
            self._since_image += 1
            raise Fault(Condition.UNDECODABLE, f"{self._name}: an image cannot be decoded") from None
        self._since_image, self._last_image = 0, time.monotonic()
        return found

    def _check_alive(self, packets: int) -> None:
        self._since_image += packets
        late = self._decoder is None and time.monotonic() - self._last_image > OPEN_S
        if self._since_image >= BROKEN or late:
            raise Fault(Condition.UNDECODABLE, f"{self._name}: data comes, but no image can be decoded from it")

    def _nanoseconds(self, pts: Optional[int]) -> Optional[int]:
        return None if pts is None or self._base is None else int(pts * self._base * 1_000_000_000)

    def _faults(self, opening: bool = False) -> _Faults:
        return _Faults(self._av.error, self._name, opening)


class _Faults:
    """Turns what FFmpeg raises into Fault."""

    def __init__(self, errors: Any, name: str, opening: bool):
        self._errors, self._name, self._opening = errors, name, opening

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Optional[BaseException], at: Any) -> None:
        if error is None or isinstance(error, Fault) or not isinstance(error, Exception):
            return
        condition, text = self._meaning(error)
        raise Fault(condition, f"{self._name}: {text}") from None

    def _meaning(self, error: Exception) -> Tuple[Condition, str]:
        errors, reason = self._errors, getattr(error, "strerror", None) or str(error)
        if isinstance(error, (errors.ExitError, errors.TimeoutError)):
            limit = OPEN_S if self._opening else SILENCE_S
            return Condition.SILENT, f"nothing came within {limit:g} s"
        if isinstance(error, errors.EOFError):
            return Condition.GONE, "the other side ended the stream"
        if isinstance(error, (errors.HTTPClientError, errors.HTTPServerError, errors.ConnectionRefusedError)):
            return Condition.REFUSED, f"refused ({reason})"
        if isinstance(error, OSError):
            if self._opening:
                return Condition.REFUSED, f"cannot be reached ({reason})"
            return Condition.GONE, f"it broke off ({reason})"
        return Condition.UNDECODABLE, f"what comes is no video that can be read ({reason})"


class _Pace:
    """Notices when packets are taken later and later after their time: the decoder does not keep up."""

    def __init__(self) -> None:
        self._least: Optional[int] = None
        self._skipping = False

    def skips(self, arrival: Arrival) -> bool:
        """Whether packets between whole images are to be left out, given the newest one."""
        if arrival.stream_ns is None:
            return False
        lag = arrival.arrived_ns - arrival.stream_ns
        if self._least is None or lag < self._least or lag > self._least + 30 * 10**9:
            self._least = lag
        behind_s = (lag - self._least) * 1e-9
        self._skipping = behind_s > (CAUGHT_UP_S if self._skipping else BEHIND_S)
        return self._skipping


def _sender_ns(packet: Any) -> Optional[int]:
    """Capture by the sender's clock, from RTCP sender reports; None before the first one, or where PyAV is too old."""
    has: Optional[Callable[[str], bool]] = getattr(packet, "has_sidedata", None)
    if has is None or not has("prft"):
        return None
    # AVProducerReferenceTime begins with the wall clock, microseconds since 1970.
    (micros,) = struct.unpack_from("=q", bytes(packet.get_sidedata("prft")))
    return int(micros) * 1000


def _bgr(image: Any) -> np.ndarray:
    array: np.ndarray = image.to_ndarray(format="bgr24")
    return array
