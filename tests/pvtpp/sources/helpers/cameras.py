"""Cameras of the network, played on loopback: RTSP with sender reports, MJPEG over HTTP, MPEG-TS over UDP.

The lowest rows of every image show its number in black and white, so that a test knows which one it has; `sent` says
when each was made. What a test does to a camera (cut, silence, damage, another size) is said by attributes.
"""

import base64
import contextlib
import http.server
import io
import re
import socket
import socketserver
import struct
import threading
import time
from fractions import Fraction

import av
import cv2
import numpy as np

FPS = 30
BITS = 8
NTP_OFFSET = 2_208_988_800
PATIENCE_S = 30


def image_of(number, size):
    """The image of this number, BGR."""
    width, height = size
    image = np.full((height, width, 3), 90, np.uint8)
    left, side = width // 4 + number % 32, height // 4
    image[side : 2 * side, left : left + side] = 200
    for bit in range(BITS):
        image[-height // 8 :, bit * width // BITS : (bit + 1) * width // BITS] = 255 * (number >> bit & 1)
    return image


def number_of(image, near):
    """The number of an image, the one next to `near`."""
    height, width = image.shape[:2]
    strip = image[-height // 16 :].mean(axis=(0, 2))
    found = sum(int(strip[(2 * bit + 1) * width // (2 * BITS)] > 127) << bit for bit in range(BITS))
    return near - ((near - found + 2 ** (BITS - 1)) % 2**BITS - 2 ** (BITS - 1))


def h264(size, gop):
    """An encoder of H.264 without delay; its `encode` takes numbered images."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height = size
    encoder.pix_fmt, encoder.time_base, encoder.framerate = "yuv420p", Fraction(1, 90000), Fraction(FPS)
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "g": str(gop), "crf": "20"}
    return encoder


def units_of(data):
    """The units (NAL) of a byte stream of H.264."""
    return [part.rstrip(b"\0") for part in re.split(b"\0\0\0?\1", data) if part]


class Camera:
    """What all cameras have in common.

    Attributes
    ----------
    sent, newest
        When each image was made, `time.time_ns` by number; the number of the newest.
    silent, damaged
        Events that the test sets: send nothing; send noise in place of data.
    size
        Of the images from the next connection on.
    clients
        How many connections there were.
    """

    def __init__(self, size=(320, 180), gop=10):
        self.size, self.gop = size, gop
        self.sent, self.newest = {}, 0
        self.silent, self.damaged, self.over = threading.Event(), threading.Event(), threading.Event()
        self.clients = 0
        self._number = 0
        self._connections = set()
        self._lock = threading.Lock()

    def numbers(self, over):
        """Numbers of images, each at its time."""
        due = time.monotonic()
        while not (over.is_set() or self.over.is_set()):
            due = max(due + 1 / FPS, time.monotonic() - 0.2)
            time.sleep(max(due - time.monotonic(), 0))
            if not self.silent.is_set():
                with self._lock:
                    number, self._number = self._number, self._number + 1
                self.sent[number] = time.time_ns()
                self.newest = number
                yield number

    def spoilt(self, data):
        return bytes(np.random.default_rng(0).integers(0, 255, len(data), np.uint8)) if self.damaged.is_set() else data

    def cut(self):
        """End all connections at once."""
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class RtspCamera(Camera):
    """RTSP over TCP with H.264; its clock may be off by `clock_off_s`, and without `reports` it tells no time."""

    def __init__(self, *arguments, reports=True, clock_off_s=0.0, password=None, port=0, **options):
        super().__init__(*arguments, **options)
        self.reports, self.clock_off_s, self.password = reports, clock_off_s, password
        camera = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                camera._connections.add(self.request)
                self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with contextlib.suppress(OSError):
                    camera._serve(self.rfile, self.wfile)
                camera._connections.discard(self.request)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True

            def handle_error(self, request, address):
                pass

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self.url = f"rtsp://127.0.0.1:{self.port}/live"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self.cut()

    def _serve(self, requests, answers):
        playing, over = None, threading.Event()
        encoder = h264(self.size, self.gop)
        encoder.open()
        parts = base64.b64encode(b"")
        units = [unit for unit in units_of(encoder.extradata or b"") if unit]
        parts = b",".join(base64.b64encode(unit) for unit in units)
        try:
            while True:
                head = []
                while True:
                    line = requests.readline()
                    if not line:
                        return
                    if line[:1] == b"$":
                        continue
                    if not line.strip():
                        break
                    head.append(line.decode("latin-1").strip())
                if not head:
                    continue
                method = head[0].split()[0]
                fields = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
                answer = ["RTSP/1.0 200 OK", f"CSeq: {fields.get('CSeq', '0')}"]
                body = b""
                known = base64.b64encode((self.password or "").encode()).decode()
                if self.password and fields.get("Authorization") != f"Basic {known}":
                    answer = ["RTSP/1.0 401 Unauthorized", answer[1], 'WWW-Authenticate: Basic realm="camera"']
                elif method == "OPTIONS":
                    answer.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
                elif method == "DESCRIBE":
                    body = (
                        b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
                        b"a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;sprop-parameter-sets="
                        + parts
                        + b"\r\na=control:track\r\n"
                    )
                    answer += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
                elif method == "SETUP":
                    answer += ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 1"]
                elif method == "PLAY":
                    answer += ["Session: 1"]
                answers.write("\r\n".join(answer).encode() + b"\r\n\r\n" + body)
                if method == "TEARDOWN":
                    return
                if method == "PLAY" and playing is None:
                    self.clients += 1
                    playing = threading.Thread(target=self._play, args=(answers, encoder, over), daemon=True)
                    playing.start()
        finally:
            over.set()

    def _play(self, answers, encoder, over):
        sequence, begun_ns = 0, None
        last_report = 0.0
        with contextlib.suppress(OSError, ValueError):
            for number in self.numbers(over):
                made_ns = self.sent[number]
                begun_ns = begun_ns or made_ns
                stamp = (1000 + (made_ns - begun_ns) * 9 // 100_000) & 0xFFFFFFFF
                if self.reports and time.monotonic() - last_report > 1.0:
                    last_report = time.monotonic()
                    seconds = made_ns * 1e-9 + self.clock_off_s + NTP_OFFSET
                    whole = int(made_ns // 10**9 + NTP_OFFSET + self.clock_off_s // 1)
                    part = (made_ns % 10**9) * 1e-9 + self.clock_off_s % 1
                    whole, part = whole + int(part), part % 1
                    assert abs(whole + part - seconds) < 1e-3
                    report = struct.pack("!BBHIIIIII", 0x80, 200, 6, 7, whole, int(part * 2**32), stamp, 0, 0)
                    answers.write(b"$\1" + struct.pack("!H", len(report)) + report)
                frame = av.VideoFrame.from_ndarray(image_of(number, self.size), "bgr24")
                frame.pts, frame.time_base = number * 3000, Fraction(1, 90000)
                units = [unit for packet in encoder.encode(frame) for unit in units_of(bytes(packet))]
                for last, payload in self._payloads(units):
                    header = struct.pack("!BBHII", 0x80, 96 | (128 if last else 0), sequence & 0xFFFF, stamp, 7)
                    payload = payload[:2] + self.spoilt(payload[2:])
                    answers.write(b"$\0" + struct.pack("!H", 12 + len(payload)) + header + payload)
                    sequence += 1

    @staticmethod
    def _payloads(units):
        for at, unit in enumerate(units):
            end = at == len(units) - 1
            if len(unit) <= 1200:
                yield end, unit
                continue
            pieces = [unit[1:][i : i + 1200] for i in range(0, len(unit) - 1, 1200)]
            for number, piece in enumerate(pieces):
                first, last = number == 0, number == len(pieces) - 1
                mark = (first << 7) | (last << 6) | (unit[0] & 31)
                yield end and last, bytes([(unit[0] & 0xE0) | 28, mark]) + piece


class HttpCamera(Camera):
    """MJPEG over HTTP, as most cheap cameras have it."""

    def __init__(self, *arguments, status=200, **options):
        super().__init__(*arguments, **options)
        camera = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                if status != 200:
                    return
                camera.clients += 1
                camera._connections.add(self.request)
                with contextlib.suppress(OSError):
                    for number in camera.numbers(threading.Event()):
                        data = cv2.imencode(".jpg", image_of(number, camera.size))[1].tobytes()
                        data = camera.spoilt(data)
                        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                        self.wfile.write(head.encode() + data + b"\r\n")
                camera._connections.discard(self.request)

            def log_message(self, *what):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *of: None
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/video"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self.cut()


class UdpCamera(Camera):
    """MPEG-TS with H.264 over UDP, as most video links of drones have it."""

    def __init__(self, *arguments, port=None, **options):
        super().__init__(*arguments, **options)
        if port is None:
            with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
        self.url = f"udp://127.0.0.1:{port}"
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._port = port
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def close(self):
        self.over.set()
        self._thread.join(PATIENCE_S)
        self._socket.close()

    def _send(self):
        for data in transport_stream(self, self.over):
            data = self.spoilt(data)
            for at in range(0, len(data), 1316):
                with contextlib.suppress(OSError):
                    self._socket.sendto(data[at : at + 1316], ("127.0.0.1", self._port))


def transport_stream(camera, over):
    """The bytes of an MPEG-TS stream, image by image; a changed `size` goes on in the same stream."""
    held = io.BytesIO()
    container = av.open(held, "w", format="mpegts", options={"flush_packets": "1"})
    size, stream, encoder = None, None, None
    begun_ns = None
    try:
        for number in camera.numbers(over):
            if size != camera.size:
                size = camera.size
                if stream is None:
                    stream = container.add_stream("libx264", rate=FPS)
                    stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
                    stream.options = {"preset": "ultrafast", "tune": "zerolatency", "g": str(camera.gop), "crf": "20"}
                    stream.time_base = Fraction(1, 90000)
                else:
                    encoder = h264(size, camera.gop)
            made_ns = camera.sent[number]
            begun_ns = begun_ns or made_ns
            frame = av.VideoFrame.from_ndarray(image_of(number, size), "bgr24")
            frame.pts, frame.time_base = (made_ns - begun_ns) * 9 // 100_000 + 9000, Fraction(1, 90000)
            for packet in (encoder or stream).encode(frame):
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
