"""Measure the constant delay of a camera: how much later a frame's capture time is said to be than it was.

By a light: the screen of this machine (--screen) or an LED of the board (--led) is switched at random times, under
three flashes a second, and the camera looks at it. Let it fill the picture, or say where it is seen with --box. A fixed
exposure helps. A screen shows a picture some time after it was drawn, which is in the result; an LED does not.

By a gyro (--gyro): camera and gyro are turned to and fro together over a scene with texture for the time. Another
program writes the gyro's samples into a file of rows t_ns,x,y,z (radians per second), by the clock of the system; for a
recording, by the clock of its frames, of which the first one is at 0. The camera's calibration is an object
{"camera_matrix": 3 x 3, "camera_from_imu": 3 x 3}, the second where the axes differ.

  pvtpp stamp-offset rtsp://192.168.1.20/live --screen
  pvtpp stamp-offset 0 --led /sys/class/leds/ACT/brightness --box 300,180,40,30
  pvtpp stamp-offset 0 --gyro gyro.csv --camera camera.json
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from typing import List, NamedTuple, Optional, Tuple

import numpy as np

from pvtpp.blink_offset import LEAST_EDGES, SHORTEST_DWELL, BlinkOffset, blink_offset
from pvtpp.cli.lights import LED_EXAMPLE, Led, Light, Screen
from pvtpp.cli.output import say
from pvtpp.cli.sources import add_source, open_source
from pvtpp.cli.track import first_box
from pvtpp.errors import InputError
from pvtpp.sources.capture_clock import LARGEST_OFFSET_S
from pvtpp.sources.source import Source, closed_when
from pvtpp.turned_camera import TurnedCamera
from pvtpp_benchmarks.datasets.gyro import GyroRecording, read_camera, read_files

SECONDS = 20.0
PATIENCE_S = 20.0
"""A live source that gives no frames for so long beyond the measurement gives none."""
FIRST_FRAMES = 15
"""These say how fast the frames come, and so how fast the light may be switched."""
SETTLE_NS = 2_000_000_000
"""Until then a stream may still learn when its times began, and a camera how bright the light is."""
LEAST_DWELL_S, LONGEST_DWELL = 0.2, 2.5
"""Between two switches: at least so long, which is under three flashes a second, and so many times the least."""
MARGIN = 1.1
WEAK_CORRELATION, WEAK_CONTRAST = 0.8, 5.0
ROS_LIMIT_S = 1.0


class Filmed(NamedTuple):
    """What a camera saw of a light: capture times, brightness and kinds of timing of the frames, and the switches."""

    t_ns: List[int]
    brightness: List[float]
    timings: List[str]
    edges_ns: List[int]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_source(parser, offset=False)
    kinds = parser.add_mutually_exclusive_group(required=True)
    kinds.add_argument("--screen", action="store_true", help="by the screen: it becomes white and black")
    kinds.add_argument("--led", metavar="FILE", help=f"by an LED that is switched in this file: {LED_EXAMPLE}")
    kinds.add_argument("--gyro", metavar="FILE", help="by a gyro: rows t_ns,x,y,z")
    parser.add_argument("--camera", metavar="FILE", help="with --gyro: the camera's calibration (.json)")
    parser.add_argument("--box", metavar="X,Y,W,H", help="where the light is seen: left, top, width, height in pixels")
    parser.add_argument(
        "--screen-delay",
        type=float,
        metavar="SECONDS",
        help="from drawing to light, as known of this screen; it is taken off the result (default 0)",
    )
    parser.add_argument(
        "--seconds", type=float, help=f"how long to measure (default {SECONDS:g}; a recording: all of it)"
    )
    parser.add_argument(
        "--reach", type=float, default=1.0, metavar="SECONDS", help="largest delay that is looked for (default 1)"
    )


def run(options: argparse.Namespace) -> int:
    """Measure, and print the option that takes the result."""
    _check(options)
    return _by_gyro(options) if options.gyro is not None else _by_light(options)


def _check(options: argparse.Namespace) -> None:
    for name, value, low, high in (
        ("--seconds", options.seconds, 1.0, 3600.0),
        ("--reach", options.reach, 0.01, LARGEST_OFFSET_S),
        ("--screen-delay", options.screen_delay, 0.0, 1.0),
    ):
        if value is not None and not low <= value <= high:
            raise InputError(f"{name} is {value:g}, allowed is {low:g} to {high:g} seconds")
    if (options.gyro is None) != (options.camera is None):
        raise InputError("--gyro FILE and --camera FILE belong together: samples and calibration")
    if options.screen_delay is not None and not options.screen:
        raise InputError("--screen-delay is of --screen alone")
    if options.box is not None and options.gyro is not None:
        raise InputError("--box is where a light is seen, and of no use with --gyro")


def _by_light(options: argparse.Namespace) -> int:
    source = open_source(options.source, options.fps)
    if not source.live:
        raise InputError(f"{source.name}: a recording cannot see the light; a camera or a stream is needed")
    light: Light = Screen() if options.screen else Led(options.led)
    with closing(light):
        filmed = film(source, light, options.seconds or SECONDS, options.reach, options.box)
    found = blink_offset(filmed.t_ns, filmed.brightness, filmed.edges_ns, options.reach)
    delay_s = found.delay_s - (options.screen_delay or 0.0)
    shown = (
        f"{found.edges} of {found.shown} switches timed, contrast {found.contrast:.0f} of 255, "
        f"correlation {found.correlation:.2f}"
    )
    _tell(source, delay_s, f", standard error {found.sigma_s * 1e3:.1f} ms", shown, filmed.timings)
    if options.screen and options.screen_delay is None:
        say("  the screen's own delay is in it, 10 to 50 ms with most: --screen-delay SECONDS takes it off")
    _warn_if_weak(found)
    _warn_if_early(delay_s, 3 * found.sigma_s)
    return 0


def film(source: Source, light: Light, seconds: float, reach_s: float, box: Optional[str]) -> Filmed:
    """Switch the light at random times while the frames of the source are read.

    Parameters
    ----------
    source
        A live one; closed at the end.
    light
        Off.
    seconds
        How long it is switched.
    reach_s
        For so long frames are read after that.
    box
        The part of the frames that shows the light, ``left,top,width,height``; None: all.

    Raises
    ------
    InputError
        Where no frames come, or too slowly for the time.
    """
    reading = _Reading(source, box)
    random = np.random.default_rng(0)
    try:
        for _ in range(round(PATIENCE_S / 0.1)):
            if len(reading.t_ns) >= FIRST_FRAMES or reading.ended:
                break
            light.wait(0.1)
        if reading.error is not None:
            raise reading.error
        shortest_s = _shortest_dwell(reading, seconds)
        _ask(f"the light is switched for {seconds:g} s; the camera must see it")
        edges: List[int] = []
        passed = 0.0
        while passed < seconds and not (reading.ended or light.ended):
            edges.append(light.switch(len(edges) % 2 == 0))
            dwell = float(random.uniform(shortest_s, LONGEST_DWELL * shortest_s))
            light.wait(dwell)
            passed += dwell
        light.wait(reach_s)
    finally:
        reading.close()
    if reading.error is not None:
        raise reading.error
    begin = next((at for at, t_ns in enumerate(reading.t_ns) if t_ns - reading.t_ns[0] >= SETTLE_NS), 0)
    return Filmed(reading.t_ns[begin:], reading.brightness[begin:], reading.timings[begin:], edges)


def _shortest_dwell(reading: _Reading, seconds: float) -> float:
    if len(reading.t_ns) < FIRST_FRAMES:
        raise InputError(
            f"{reading.name}: {len(reading.t_ns)} frames within {PATIENCE_S:g} s, at least {FIRST_FRAMES} are needed"
        )
    interval_s = float(np.median(np.diff(reading.t_ns))) * 1e-9
    shortest_s = max(LEAST_DWELL_S, MARGIN * SHORTEST_DWELL * interval_s)
    needed_s = SETTLE_NS * 1e-9 + (2 * LEAST_EDGES + 2) * shortest_s * LONGEST_DWELL
    if seconds < needed_s:
        raise InputError(
            f"--seconds {seconds:g} is too short at {1 / interval_s:.1f} frames a second, needed are {needed_s:.0f}"
        )
    return shortest_s


class _Reading:
    """Reads brightness in a thread of its own, since a window needs the first thread."""

    def __init__(self, source: Source, box: Optional[str]):
        self.name = source.name
        self.t_ns: List[int] = []
        self.brightness: List[float] = []
        self.timings: List[str] = []
        self.error: Optional[InputError] = None
        self.ended = False
        self._source, self._box = source, box
        self._thread = threading.Thread(target=self._read, name="pvtpp brightness", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it; afterwards the lists do not change."""
        self._source.close()
        self._thread.join()

    def _read(self) -> None:
        try:
            part: Tuple[slice, ...] = ()
            for frame in self._source.frames(_warn):
                if not self.t_ns and self._box is not None:
                    part = _part(self._box, frame.image, self.name)
                image = frame.image[part]
                self.brightness.append(float(image.mean()) if image.size else 0.0)
                self.timings.append(self._source.timing.value)
                self.t_ns.append(frame.t_ns)
        except InputError as error:
            self.error = error
        finally:
            self.ended = True


def _part(text: str, image: np.ndarray, name: str) -> Tuple[slice, ...]:
    centre_x, centre_y, width, height = first_box(text, image, name)
    left, top = max(int(centre_x - width / 2), 0), max(int(centre_y - height / 2), 0)
    right, bottom = int(np.ceil(centre_x + width / 2)), int(np.ceil(centre_y + height / 2))
    return slice(top, max(bottom, top + 1)), slice(left, max(right, left + 1))


def _by_gyro(options: argparse.Namespace) -> int:
    matrix, axes = read_camera(options.camera)
    source = open_source(options.source, options.fps)
    if source.live and not os.access(options.gyro, os.R_OK):
        raise InputError(f"{options.gyro}: cannot be read; another program must write the gyro's samples there")
    # A live one is read when it has been written.
    recording = None if source.live else read_files(options.gyro, options.camera)
    turned, timings = TurnedCamera(matrix, source.name), []
    limit_s = options.seconds or (SECONDS if source.live else np.inf)
    if source.live:
        _ask(f"turn camera and gyro to and fro for {limit_s:g} s")
    until = time.monotonic() + limit_s + PATIENCE_S
    with closed_when(source, lambda: source.live and time.monotonic() > until):
        for frame in source.frames(_warn):
            turned.add(frame)
            timings.append(source.timing.value)
            if frame.t_ns - turned.t_ns[0] >= limit_s * 1e9:
                break
    if not turned.t_ns:
        raise InputError(f"{source.name}: no image could be read")
    if recording is None:
        recording = read_files(options.gyro, options.camera, growing=True)
    _check_clocks(turned.t_ns, recording, source)
    samples = zip(recording.t_ns.tolist(), recording.rates)
    offset_s, explained = turned.offset(samples, axes, options.reach)
    shown = f"the gyro then explains {100 * explained:.0f} % of the rotation that the images show"
    _tell(source, -offset_s, "", shown, timings)
    _warn_if_early(-offset_s, 0.002)
    return 0


def _check_clocks(t_ns: List[int], recording: GyroRecording, source: Source) -> None:
    first, last = int(recording.t_ns[0]), int(recording.t_ns[-1])
    if last < t_ns[0] or first > t_ns[-1]:
        clock = "by time.time_ns" if source.live else "from the first frame on"
        raise InputError(
            f"{recording.source}: its samples are from {first * 1e-9:.3f} s to {last * 1e-9:.3f} s, the frames of "
            f"{source.name} from {t_ns[0] * 1e-9:.3f} s to {t_ns[-1] * 1e-9:.3f} s; both must be of one clock, {clock}"
        )


def _tell(source: Source, delay_s: float, error: str, shown: str, timings: List[str]) -> None:
    """Print the result and the options that take it."""
    kinds = Counter(timings).most_common()
    how = "late" if delay_s >= 0 else "early"
    say(
        f"pvtpp stamp-offset: {source.name}: capture times (by {kinds[0][0]}) are {abs(delay_s) * 1e3:.1f} ms {how}"
        f"{error}"
    )
    say(f"  {shown}")
    where = "" if source.live else ", for the camera whose capture times this recording has"
    say(f"  pvtpp track, pvtpp serve: --capture-offset {max(delay_s, 0.0):.4f}{where}")
    if abs(delay_s) <= ROS_LIMIT_S:
        say(f"  ROS node: ~capture_offset {-delay_s:.4f} (the other sign), where the driver stamps as this source does")
    if len(kinds) > 1:
        counts = ", ".join(f"{count} by {kind}" for kind, count in kinds)
        _warn(f"capture times were known in several ways ({counts} frames), and each may have a delay of its own")


def _warn_if_weak(found: BlinkOffset) -> None:
    if found.correlation < WEAK_CORRELATION or found.contrast < WEAK_CONTRAST:
        _warn("the light is hardly seen; let it fill the picture, give --box, or fix the exposure")


def _warn_if_early(delay_s: float, margin_s: float) -> None:
    if delay_s < -margin_s:
        _warn(
            "frames are captured after their capture times, and --capture-offset takes nothing below 0: is the "
            "camera's clock behind (NTP, PTP)?"
        )


def _ask(text: str) -> None:
    print(f"pvtpp stamp-offset: {text}", file=sys.stderr, flush=True)


def _warn(text: str) -> None:
    _ask(f"warning: {text}")
