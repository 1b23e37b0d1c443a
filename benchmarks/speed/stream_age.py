"""How old the evidence is when frames come by a stream, and whether memory grows while the stream is in trouble.

    python -m pvtpp_benchmarks.speed.stream_age --kinds rtsp,http,udp --seconds 60 --json stream_age.json

A camera (`pvtpp_benchmarks.network_cameras`) in a process of its own shows the generated clip; every image says when it
was made, so ages are true ones. The tracker takes `--tracker-ms`, knows the truth and sleeps meanwhile. ``delay_ms`` is
the stream's own: from the making of an image to its arrival as a frame; coding, network and FFmpeg's look ahead are in
it. ``time_error_ms`` is the capture time that the source gives minus the true one. ``beyond_delay_frames`` is the 95th
percentile of the evidence's true age less the median delay, in frame intervals.

With ``--trouble-every`` the camera is stopped for 5 s and killed and started again, in turn.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import Any, Dict, Iterator, List, Optional

import cv2
import numpy as np

from pvtpp import predictors, propagation
from pvtpp.arguments import check_options, comma_separated
from pvtpp.core.presence import PresenceConfig
from pvtpp.errors import InputError
from pvtpp.live.config import LiveConfig
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.sources.capture_clock import CaptureClock
from pvtpp.sources.live_source import LiveSource
from pvtpp.sources.stream import open_stream
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp.validation import at_least
from pvtpp_benchmarks.network_cameras import CAMERAS, made_ns, mark_of
from pvtpp_benchmarks.process_use import resident_mib
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.speed.live_soak import percentiles, shown
from pvtpp_benchmarks.speed.propagation_frame import scene

WARM_UP_S = 7.0
"""Two spans of the stream's clock, and a bit."""
SILENCE_S = 5.0


class MarkedTruth:
    """A tracker that answers with the truth of the image's number after a fixed time.

    Parameters
    ----------
    boxes
        True boxes ``[cx, cy, w, h]`` by image, shape ``(n, 4)``, pixels.
    seconds
        Processing time of a frame.
    """

    def __init__(self, boxes: np.ndarray, seconds: float):
        self._boxes, self._seconds = boxes, seconds

    def init(self, frame: Frame, box: np.ndarray) -> None:
        """Start; nothing is remembered."""

    def track(self, frame: Frame, search_box: Optional[np.ndarray] = None) -> TrackerOutput:
        """The true box of the frame."""
        box = self.box_of(frame)
        time.sleep(self._seconds)
        return TrackerOutput(box)

    def box_of(self, frame: Frame) -> np.ndarray:
        """The true box of a frame, by the number in its image."""
        box: np.ndarray = self._boxes[shown(mark_of(frame.image).number)]
        return box


class Follower:
    """Follows the stream in a thread, and notes true ages.

    Attributes
    ----------
    ages, delays, errors
        Seconds: true age of the evidence at 200 Hz, delay of each frame, error of each capture time.
    """

    def __init__(self, source: LiveSource, live: LiveTracker, tracker: MarkedTruth):
        self.source, self._live, self._tracker = source, live, tracker
        self.ages: List[float] = []
        self.delays: List[float] = []
        self.errors: List[float] = []
        self.said: List[str] = []
        self.measuring = False
        self._made: Dict[int, int] = {}
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        for frame in self.source.frames(self.said.append):
            now = time.time_ns()
            made = made_ns(mark_of(frame.image), now)
            self._made[frame.t_ns] = made
            if len(self._made) > 600:
                del self._made[next(iter(self._made))]
            self._live.submit(frame)
            if not self._live.active:
                self._live.init(frame, self._tracker.box_of(frame))
            if self.measuring:
                self.delays.append((now - made) * 1e-9)
                self.errors.append((frame.t_ns - made) * 1e-9)

    def close(self) -> None:
        """End it."""
        self.source.close()
        self._thread.join(10.0)

    def sample(self) -> None:
        """Note the true age of the evidence now."""
        trajectory = self._live.trajectory()
        made = None if trajectory is None else self._made.get(trajectory.evidence_ns)
        if made is not None:
            self.ages.append((time.time_ns() - made) * 1e-9)


@contextlib.contextmanager
def playing(kind: str, port: int, options: argparse.Namespace) -> Iterator[List[subprocess.Popen]]:
    """Play the camera in a process; whoever starts another one puts it in place of the first of the list."""
    started = [start(kind, port, options)]
    try:
        yield started
    finally:
        started[0].kill()
        started[0].wait()


def start(kind: str, port: int, options: argparse.Namespace) -> subprocess.Popen:
    """Start the camera's process."""
    size = [str(each) for each in options.size]
    command = [sys.executable, "-m", "pvtpp_benchmarks.network_cameras", kind, "--fps", str(options.fps)]
    return subprocess.Popen([*command, "--port", str(port), "--size", *size], stdout=subprocess.DEVNULL)


def free_port() -> int:
    """A port that nobody uses now."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def trouble(number: int, started: List[subprocess.Popen], kind: str, port: int, options: argparse.Namespace) -> None:
    """Stop the camera for a while, or kill it and start another one, in turn."""
    if number % 2:
        started[0].kill()
        started[0].wait()
        started[0] = start(kind, port, options)
    else:
        os.kill(started[0].pid, signal.SIGSTOP)
        time.sleep(SILENCE_S)
        os.kill(started[0].pid, signal.SIGCONT)


def measure(kind: str, options: argparse.Namespace) -> Dict[str, Any]:
    """Follow the stream for `options.seconds`; returns the figures."""
    _, boxes = scene(*options.size)
    port = free_port()
    tracker = MarkedTruth(boxes, options.tracker_ms / 1e3)
    paths = {"rtsp": "rtsp://127.0.0.1:{}/live", "http": "http://127.0.0.1:{}/video", "udp": "udp://127.0.0.1:{}"}
    source = open_stream(paths[kind].format(port), CaptureClock(), patient=True)
    live = LiveTracker(
        tracker,
        {"kalman": predictors.create("kalman")},
        propagation.create("optical_flow"),
        "predicted",
        config=LiveConfig(switch_interval_s=0.001),
        presence=PresenceConfig(),
    )
    memory: List[float] = []
    with playing(kind, port, options) as started, live:
        follower = Follower(source, live, tracker)
        while not live.active:
            time.sleep(0.05)
        time.sleep(WARM_UP_S)
        follower.measuring = True
        begin = last = time.monotonic()
        troubles = 0
        while time.monotonic() - begin < options.seconds:
            if options.trouble_every and time.monotonic() - begin > (troubles + 1) * options.trouble_every:
                trouble(troubles, started, kind, port, options)
                troubles += 1
            if source.status.condition.value == "playing":
                follower.sample()
            if time.monotonic() - last > 1:
                last = time.monotonic()
                memory.append(resident_mib())
            time.sleep(0.005)
        presence = live.presence
        follower.close()
    delays, ages = np.array(follower.delays), np.array(follower.ages)
    beyond = (np.percentile(ages, 95) - np.median(delays)) * options.fps
    return {
        "timing": source.timing.value,
        "frames": len(delays),
        "dropped": source.dropped,
        "delay_ms": percentiles(delays, 1e3),
        "time_error_ms": percentiles(np.array(follower.errors), 1e3),
        "evidence_age_ms": percentiles(ages, 1e3),
        "beyond_delay_frames": round(float(beyond), 3),
        "connections": source.connections,
        "troubles": troubles,
        "said": sorted({line.split(": ", 1)[-1] for line in follower.said}),
        "presence": None if presence is None else presence.value,
        "memory_mib": [round(value, 1) for value in (memory[0], max(memory), memory[-1])] if memory else [],
    }


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--kinds",
        type=comma_separated,
        default=("rtsp",),
        metavar="A,B",
        help=f"of {', '.join(CAMERAS)} (default rtsp)",
    )
    parser.add_argument("--seconds", type=float, default=30.0, help="default: %(default)s")
    parser.add_argument("--fps", type=float, default=30.0, help="default: %(default)s")
    parser.add_argument("--size", type=int, nargs=2, default=[1280, 720], metavar=("W", "H"), help="default: 1280 720")
    parser.add_argument("--tracker-ms", type=float, default=20.0, help="default: %(default)s")
    parser.add_argument("--trouble-every", type=float, default=0.0, metavar="SECONDS", help="default: never")
    parser.add_argument("--json", metavar="FILE", help="also write the figures here")
    options = parser.parse_args(arguments)
    unknown = [kind for kind in options.kinds if kind not in CAMERAS]
    if unknown or not options.kinds:
        parser.error(f"--kinds: no kind {', '.join(unknown)}, allowed are: {', '.join(CAMERAS)}")
    cv2.setNumThreads(1)
    try:
        check_options(options, {"seconds": at_least(1)})
        check_writable(options.json)
        found = {}
        for kind in options.kinds:
            found[kind] = measure(kind, options)
            print(f"{kind}:")
            for name, value in found[kind].items():
                print(f"{name:>20}  {value}", flush=True)
    except InputError as error:
        parser.error(str(error))
    if options.json:
        settings = {key: value for key, value in vars(options).items() if key != "json"}
        write_json(options.json, {"protocol": facts(0), "settings": settings, "kinds": found})
    return 0


if __name__ == "__main__":
    sys.exit(main())
