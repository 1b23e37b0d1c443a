"""Cameras of the network, played: RTSP with sender reports, MPEG-TS over UDP, MJPEG over HTTP. For tests and trials.

    python -m pvtpp_benchmarks.network_cameras rtsp --port 8554

shows the generated clip, forwards and backwards, at an address that it prints. The lowest rows of every image hold its
number and the time at which it was made in black and white (`marked`, `mark_of`), so that whoever receives it can say
which one it is and how late. What a camera does wrong is said by attributes.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import http.server
import io
import re
import socket
import socketserver
import struct
import sys
import threading
import time
from fractions import Fraction
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Set, Tuple

import numpy as np

from pvtpp.sources.stream import library

NTP_OFFSET = 2_208_988_800
NUMBER_BITS, TIME_BITS = 16, 32
REPORT_EVERY_S = 1.0
LARGEST_PAYLOAD = 1200
TS_PACKETS = 1316
MakeImage = Callable[[int], np.ndarray]


class Mark(NamedTuple):
    """What an image says of itself: its number modulo 2**16, and when it was made, milliseconds modulo 2**32."""

    number: int
    milliseconds: int


def marked(image: np.ndarray, number: int, t_ns: int) -> np.ndarray:
    """Return a copy of the image, uint8 BGR, with its number and the time (`time.time_ns`) in its lowest rows."""
    image = image.copy()
    height, width = image.shape[:2]
    rows = max(height // 16, 2)
    for line, (value, bits) in enumerate(((number, NUMBER_BITS), (t_ns // 1_000_000, TIME_BITS))):
        bottom = height - line * rows
        for bit in range(bits):
            image[bottom - rows : bottom, bit * width // bits : (bit + 1) * width // bits] = 255 * (value >> bit & 1)
    return image


def mark_of(image: np.ndarray) -> Mark:
    """Read what `marked` wrote."""
    height, width = image.shape[:2]
    rows = max(height // 16, 2)
    found = []
    for line, bits in enumerate((NUMBER_BITS, TIME_BITS)):
        bottom = height - line * rows
        strip = image[bottom - rows * 3 // 4 : bottom - rows // 4].mean(axis=(0, 2))
        found.append(sum(int(strip[(2 * bit + 1) * width // (2 * bits)] > 127) << bit for bit in range(bits)))
    return Mark(*found)


def made_ns(mark: Mark, near_ns: int) -> int:
    """When an image was made, nanoseconds by `time.time_ns` in whole milliseconds; it is near to `near_ns`."""
    near = near_ns // 1_000_000
    half = 2 ** (TIME_BITS - 1)
    return (near - ((near - mark.milliseconds + half) % 2**TIME_BITS - half)) * 1_000_000


class NetworkCamera:
    """What all cameras have in common.

    Parameters
    ----------
    image
        Makes the image of a number, uint8 BGR.
    fps
        Images a second.
    gop
        Every so many images one is whole (a key frame).

    Attributes
    ----------
    url
        Where it is to be had.
    sent, newest
        When each of the last images was made, `time.time_ns` by number; the number of the newest.
    silent, damaged
        Send nothing; send noise for data. Events, set by others.
    """

    url = ""

    def __init__(self, image: MakeImage, fps: float = 30.0, gop: int = 10):
        self.image, self.fps, self.gop = image, fps, gop
        self.sent: Dict[int, int] = {}
        self.newest = 0
        self.silent, self.damaged, self.over = threading.Event(), threading.Event(), threading.Event()
        self._next = 0
        self._open: Set[socket.socket] = set()
        self._lock = threading.Lock()

    def images(self, over: threading.Event) -> Iterator[Tuple[int, np.ndarray]]:
        """Yield images and their numbers, each at its time, until `over` is set."""
        due = time.monotonic()
        while not (over.is_set() or self.over.is_set()):
            due = max(due + 1 / self.fps, time.monotonic() - 0.2)
            time.sleep(max(due - time.monotonic(), 0))
            if self.silent.is_set():
                continue
            with self._lock:
                number, self._next = self._next, self._next + 1
            t_ns = time.time_ns()
            self.sent[number], self.newest = t_ns, number
            self.sent.pop(number - 1000, None)
            yield number, marked(self.image(number), number, t_ns)

    def cut(self) -> None:
        """End all connections at once."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Stop."""
        self.over.set()
        self.cut()

    def spoilt(self, data: bytes) -> bytes:
        """The data, or as much noise while `damaged`."""
        if not self.damaged.is_set():
            return data
        return np.random.default_rng(0).integers(0, 255, len(data), dtype=np.uint8).tobytes()

    @contextlib.contextmanager
    def connected(self, connection: socket.socket) -> Iterator[None]:
        """Note a connection during the block, which its end may interrupt."""
        self._open.add(connection)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with contextlib.suppress(OSError):
                yield
        finally:
            self._open.discard(connection)

    def serve(self, server: Any) -> int:
        """Run a server in a thread; return its port."""
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return int(server.server_address[1])


def h264(shape: Tuple[int, ...], fps: float, gop: int) -> Any:
    """An encoder of H.264 without delay, for images of this shape."""
    encoder = library().CodecContext.create("libx264", "w")
    encoder.height, encoder.width = shape[:2]
    encoder.pix_fmt, encoder.time_base, encoder.framerate = "yuv420p", Fraction(1, 90000), Fraction(round(fps))
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "g": str(gop), "crf": "20"}
    return encoder


def coded(encoder: Any, image: np.ndarray, stamp: int) -> List[Any]:
    """The packets of an image at this time, in units of 1/90000 s."""
    frame = library().VideoFrame.from_ndarray(np.ascontiguousarray(image), "bgr24")
    frame.pts, frame.time_base = stamp, Fraction(1, 90000)
    return list(encoder.encode(frame))


def units_of(data: bytes) -> List[bytes]:
    """The units (NAL) of a byte stream of H.264."""
    return [part.rstrip(b"\0") for part in re.split(b"\0\0\0?\1", data) if part.rstrip(b"\0")]


class RtspCamera(NetworkCamera):
    """RTSP over TCP with H.264.

    Parameters
    ----------
    image, options
        As of `NetworkCamera`.
    host, port
        To listen on; port 0 takes a free one.
    reports
        Whether it tells its time (RTCP sender reports).
    clock_off_s
        By how much its clock is ahead, seconds.
    login
        ``user:password`` that it asks for; None for none.
    """

    def __init__(
        self,
        image: MakeImage,
        host: str = "127.0.0.1",
        port: int = 0,
        reports: bool = True,
        clock_off_s: float = 0.0,
        login: Optional[str] = None,
        **options: Any,
    ):
        super().__init__(image, **options)
        self.reports, self.clock_off_s, self.login = reports, clock_off_s, login
        camera = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with camera.connected(self.request):
                    _RtspConversation(camera, self.rfile, self.wfile).run()

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True

        self._server = Server((host, port), Handler)
        self.url = f"rtsp://{host}:{self.serve(self._server)}/live"

    def close(self) -> None:
        """Stop."""
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        super().close()


class _RtspConversation:
    """One connection to an RTSP camera."""

    def __init__(self, camera: RtspCamera, requests: Any, answers: Any):
        self._camera, self._requests, self._answers = camera, requests, answers
        self._over = threading.Event()
        self._encoder = h264(camera.image(0).shape, camera.fps, camera.gop)
        self._encoder.open()
        self._player: Optional[threading.Thread] = None

    def run(self) -> None:
        """Answer requests until the other side goes."""
        try:
            while True:
                head = self._head()
                if head is None or not self._answer(head):
                    return
        finally:
            self._over.set()
            if self._player is not None:
                self._player.join(5.0)

    def _head(self) -> Optional[List[str]]:
        lines: List[str] = []
        while True:
            line = self._requests.readline()
            if not line:
                return None
            if line[:1] == b"$":
                # Receiver reports.
                continue
            if line.strip():
                lines.append(line.decode("latin-1").strip())
            elif lines:
                return lines

    def _answer(self, head: List[str]) -> bool:
        method = head[0].split()[0]
        fields = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
        answer, body = ["RTSP/1.0 200 OK", f"CSeq: {fields.get('CSeq', '0')}", "Session: 1"], b""
        login = self._camera.login
        if login is not None and fields.get("Authorization") != f"Basic {base64.b64encode(login.encode()).decode()}":
            answer = ["RTSP/1.0 401 Unauthorized", answer[1], 'WWW-Authenticate: Basic realm="camera"']
        elif method == "OPTIONS":
            answer.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
        elif method == "DESCRIBE":
            body = self._description()
            answer += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
        elif method == "SETUP":
            answer.append("Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
        self._answers.write("\r\n".join(answer).encode() + b"\r\n\r\n" + body)
        if method == "PLAY" and self._player is None and "200" in answer[0]:
            self._player = threading.Thread(target=self._play, daemon=True)
            self._player.start()
        return method != "TEARDOWN"

    def _description(self) -> bytes:
        sets = b",".join(base64.b64encode(unit) for unit in units_of(self._encoder.extradata or b""))
        return (
            b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000"
            b"\r\na=fmtp:96 packetization-mode=1;sprop-parameter-sets=" + sets + b"\r\na=control:track\r\n"
        )

    def _play(self) -> None:
        camera, sequence, reported = self._camera, 0, 0.0
        begun_ns: Optional[int] = None
        with contextlib.suppress(OSError, ValueError):
            for number, image in camera.images(self._over):
                t_ns = camera.sent[number]
                begun_ns = begun_ns or t_ns
                stamp = (1000 + (t_ns - begun_ns) * 9 // 100_000) & 0xFFFFFFFF
                if camera.reports and time.monotonic() - reported > REPORT_EVERY_S:
                    reported = time.monotonic()
                    self._send(1, _report(t_ns + round(camera.clock_off_s * 1e9), stamp))
                units = [unit for packet in coded(self._encoder, image, stamp) for unit in units_of(bytes(packet))]
                for last, payload in _payloads(units):
                    header = struct.pack("!BBHII", 0x80, 96 | (128 if last else 0), sequence & 0xFFFF, stamp, 7)
                    self._send(0, header + payload[:2] + camera.spoilt(payload[2:]))
                    sequence += 1

    def _send(self, channel: int, data: bytes) -> None:
        self._answers.write(b"$" + bytes([channel]) + struct.pack("!H", len(data)) + data)


def _report(t_ns: int, stamp: int) -> bytes:
    """A sender report of RTCP (RFC 3550, 6.4.1): this time of the sender's clock is this time of the stream."""
    whole, rest = divmod(t_ns, 10**9)
    return struct.pack("!BBHIIIIII", 0x80, 200, 6, 7, whole + NTP_OFFSET, (rest << 32) // 10**9, stamp, 0, 0)


def _payloads(units: List[bytes]) -> Iterator[Tuple[bool, bytes]]:
    """Payloads of RTP for the units of an image (RFC 6184), and whether each is the last one."""
    for at, unit in enumerate(units):
        end = at == len(units) - 1
        if len(unit) <= LARGEST_PAYLOAD:
            yield end, unit
            continue
        pieces = [unit[1:][i : i + LARGEST_PAYLOAD] for i in range(0, len(unit) - 1, LARGEST_PAYLOAD)]
        for number, piece in enumerate(pieces):
            first, last = number == 0, number == len(pieces) - 1
            mark = (first << 7) | (last << 6) | (unit[0] & 31)
            yield end and last, bytes([(unit[0] & 0xE0) | 28, mark]) + piece


class HttpCamera(NetworkCamera):
    """MJPEG over HTTP.

    Parameters
    ----------
    image, options
        As of `NetworkCamera`.
    host, port
        To listen on; port 0 takes a free one.
    status
        What it answers, 200 or an error.
    """

    def __init__(self, image: MakeImage, host: str = "127.0.0.1", port: int = 0, status: int = 200, **options: Any):
        super().__init__(image, **options)
        camera = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with camera.connected(self.request):
                    self.send_response(status)
                    self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                    self.end_headers()
                    if status == 200:
                        camera.send_parts(self.wfile)

            def log_message(self, *said: Any) -> None:
                """Say nothing."""

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

        self._server = Server((host, port), Handler)
        self.url = f"http://{host}:{self.serve(self._server)}/video"

    def send_parts(self, file: Any) -> None:
        """Send image after image."""
        import cv2

        for _, image in self.images(threading.Event()):
            data = self.spoilt(cv2.imencode(".jpg", image)[1].tobytes())
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
            file.write(head.encode() + data + b"\r\n")

    def close(self) -> None:
        """Stop."""
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        super().close()


class UdpCamera(NetworkCamera):
    """MPEG-TS with H.264 over UDP.

    Parameters
    ----------
    image, options
        As of `NetworkCamera`.
    host, port
        Where it sends to; port 0 takes one that is free.
    """

    def __init__(self, image: MakeImage, host: str = "127.0.0.1", port: int = 0, **options: Any):
        super().__init__(image, **options)
        if not port:
            with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
                probe.bind((host, 0))
                port = int(probe.getsockname()[1])
        self.url = f"udp://{host}:{port}"
        self._to = host, port
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        super().close()
        self._thread.join(10.0)

    def _send(self) -> None:
        with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sender:
            for data in transport_stream(self, self.over):
                data = self.spoilt(data)
                for at in range(0, len(data), TS_PACKETS):
                    with contextlib.suppress(OSError):
                        sender.sendto(data[at : at + TS_PACKETS], self._to)


def transport_stream(camera: NetworkCamera, over: threading.Event) -> Iterator[bytes]:
    """Yield the bytes of an MPEG-TS stream, image by image; images of another size go on in the same stream."""
    held = io.BytesIO()
    container = library().open(held, "w", format="mpegts", options={"flush_packets": "1"})
    shape, stream, encoder = None, None, None
    begun_ns: Optional[int] = None
    try:
        for number, image in camera.images(over):
            if stream is None:
                stream = container.add_stream("libx264", rate=round(camera.fps))
                stream.height, stream.width = image.shape[:2]
                stream.pix_fmt, stream.time_base = "yuv420p", Fraction(1, 90000)
            if shape != image.shape:
                shape = image.shape
                encoder = h264(shape, camera.fps, camera.gop)
            t_ns = camera.sent[number]
            begun_ns = begun_ns or t_ns
            for packet in coded(encoder, image, (t_ns - begun_ns) * 9 // 100_000 + 9000):
                packet.stream = stream
                container.mux(packet)
            data = held.getvalue()
            held.seek(0)
            held.truncate()
            if data:
                yield data
    finally:
        # Left to the interpreter, older PyAV would write into a buffer that is gone.
        container.close()


CAMERAS = {"rtsp": RtspCamera, "http": HttpCamera, "udp": UdpCamera}


def main(arguments: Optional[List[str]] = None) -> int:
    """Play a camera until it is interrupted."""
    from pvtpp_benchmarks.speed.live_soak import shown
    from pvtpp_benchmarks.speed.propagation_frame import scene

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=list(CAMERAS))
    parser.add_argument("--host", default="127.0.0.1", help="to listen on, or to send to (default %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="(default: a free one)")
    parser.add_argument("--size", type=int, nargs=2, default=[1280, 720], metavar=("W", "H"), help="default: 1280 720")
    parser.add_argument("--fps", type=float, default=30.0, help="default: %(default)s")
    options = parser.parse_args(arguments)
    images, _ = scene(*options.size)
    make: Any = CAMERAS[options.kind]
    camera = make(lambda number: images[shown(number)], host=options.host, port=options.port, fps=options.fps)
    sys.stdout.write(f"{camera.url}\n")
    sys.stdout.flush()
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        pass
    finally:
        camera.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
