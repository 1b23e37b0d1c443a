"""Follow a target in a video file, a folder of images, a camera or a stream, live.

A file is shown to the live tracker at the times that it gives its frames, so what you see is what a drone would have
known at that moment. Where there is a display a window opens, and without --box you draw the target there (a camera's
picture stands still meanwhile); else a video is written. Ctrl-C, SIGTERM, SIGHUP, or q in the window, ends it; what was
seen until then is written.

Images of more than 8 bits a value are stretched to 8 bits by the levels of the first one, grey ones become colour.

  pvtpp track flight.mp4 --box 300,180,40,30 --out flight.csv
  pvtpp track rtsp://192.168.1.20/live --box 300,180,40,30

With --mavlink it is a camera that tracks, as QGroundControl knows it; without --box the target is given there:

  pvtpp track 0 --mavlink udpout:192.168.1.10:14550 --mavlink-lead 0.1
"""

from __future__ import annotations

import argparse
import math
import signal
import sys
import time
from collections import deque
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple, TypeVar, Union

import numpy as np

from pvtpp.boxes import require_in_image, xywh_to_box
from pvtpp.cli import foxglove_options, live_options, mavlink_options, track_files, window
from pvtpp.cli.frame_records import ENDINGS, FrameRecord, RecordFile, draw
from pvtpp.cli.signals import EndRequest, end_requests
from pvtpp.cli.sources import add_source, open_source
from pvtpp.core.capture_times import CaptureTimeConfig
from pvtpp.core.log_file import LogFile
from pvtpp.errors import InputError
from pvtpp.live.config import LiveConfig
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.live.warm_up import warm_up
from pvtpp.progress import progress
from pvtpp.sources.recorded import TimedImage
from pvtpp.sources.source import Source, closed_when
from pvtpp.tracker import Frame
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.table import table
from pvtpp_benchmarks.wall import SequenceClock
from pvtpp_trackers.factory import create_tracker

Item = TypeVar("Item")
NAP_NS = 100_000_000
"""While it waits for the time of a frame, it looks so often whether it is to end."""
LATE_MS = 40.0
"""Frames that are late by less are no news: other programs use the machine too."""
NOTICES = ("size", "clock")
"""What a live tracker reports and goes on as it should: no failure, see `pvtpp.live.failures.Failure.stage`."""
ANY_AGE = LiveConfig(capture_times=CaptureTimeConfig(behind_s=math.inf))
"""A camera's first frame is as old as it took to draw the target in it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_source(parser)
    parser.add_argument(
        "--box", metavar="X,Y,W,H", help="the target in the first frame: left, top, width, height in pixels"
    )
    live_options.add_live(parser)
    parser.add_argument("--out", metavar="FILE", help=f"where the target was at each frame ({' or '.join(ENDINGS)})")
    parser.add_argument("--log", metavar="FILE", help="the event log (.jsonl), which `pvtpp replay` takes")
    parser.add_argument(
        "--video", metavar="FILE", help=f"a video (.mp4); without a window {track_files.VIDEO} is written anyway"
    )
    parser.add_argument("--no-window", action="store_true", help="open no window even where there is a display")
    foxglove_options.add_foxglove(parser)
    mavlink_options.add_mavlink(parser)


def run(options: argparse.Namespace) -> int:
    """Track until the source ends or the user does; returns 1 where the tracker failed."""
    chosen = live_options.checked(options)
    track_files.check(options)
    mavlink, foxglove = mavlink_options.checked(options), foxglove_options.checked(options)
    in_window = not options.no_window and window.opens()
    if options.box is None and mavlink is None and not in_window:
        raise InputError(
            "no display to draw the target on: give it as --box X,Y,W,H (left, top, width, height in pixels)"
        )
    video = options.video or (None if in_window else track_files.default_video(options.source))
    source = open_source(options.source, options.fps, options.capture_offset)
    frames = source.frames(track_files.warn)
    started = next(frames, None)
    if started is None:
        raise InputError(f"{source.name}: no image could be read")
    first = started.image
    box: Optional[np.ndarray]
    if options.box is not None:
        box = first_box(options.box, first, source.name)
    else:
        # With MAVLink the ground station gives the target.
        box = window.drawn_box(first) if mavlink is None else None
    tracker = create_tracker(options.tracker, options.weights, options.style)
    # What is loaded at first use is loaded before the target moves.
    warm_up(tracker, options.tracker, Frame(0, 0, first, source.name), _middle(first) if box is None else box)
    about = {
        # The camera is running: nobody waits for the tools that know the power state.
        "protocol": facts(0, power_state=False),
        "source": source.name,
        "fps": source.fps,
        "capture_offset": options.capture_offset,
        **{name: getattr(options, name) for name in live_options.SETTINGS},
    }
    clock = LiveClock(started.t_ns) if source.live else SequenceClock(0)
    log = LogFile(options.log, {**about, "clock": "wall"}, background=True) if options.log else None
    live = LiveTracker(tracker, log=log, clock=clock, config=ANY_AGE, **live_options.parts(options, chosen))
    broken: List[InputError] = []
    spoilt: List[InputError] = []
    written: List[str] = []
    keep_video = track_files.kept(video, written, broken if options.video else spoilt)
    seen = RecordFile(options.out)
    with end_requests(raising=False) as over:
        connected = mavlink_options.connected(options.mavlink, mavlink, live, clock)
        viewed = foxglove_options.viewed(foxglove, live)
        with live, connected, viewed as view, closed_when(source, over.is_set):
            delivered = deliver(live, clock, source, started, frames, box, over)
            records = _up_to_error(_note(delivered, live, options.predictors, source, seen, view), broken)
            if in_window:
                drawn = window.shown(records, over)
            else:
                drawn = (TimedImage(frame.t_ns, draw(frame.image, record)) for frame, record in records)
            if video and source.live:
                with keep_video:
                    track_files.record(video, drawn, source.fps)
            # All of it; after a video, what was left when that failed.
            deque(drawn if in_window else records, maxlen=0)
            about.update(counts=live.counts, stages_ms=_stages(live), timing=source.timing.value, **_reported(live))
        if log is not None:
            log.meta.update(about)
            with track_files.kept(options.log, written, broken):
                log.close()
        if options.out:
            with track_files.kept(options.out, written, broken):
                seen.finish(about)
    if video and not source.live:
        # Afterwards, since drawing and encoding would have slowed down what they show.
        with keep_video:
            again = zip(seen, source.frames())
            drawn = (TimedImage(record.t_ns, draw(frame.image, record)) for record, frame in again)
            track_files.record(video, drawn, track_files.video_rate(seen, source.fps))
    _tell(source, first, seen, about, written)
    for error in spoilt:
        track_files.warn_of_video(error)
    if broken:
        raise InputError("; ".join(map(str, broken)))
    # Ctrl-C is how one ends it.
    return over.status if over.signum not in (None, signal.SIGINT) else 1 if about["failures"] else 0


def first_box(text: str, image: np.ndarray, source: str) -> np.ndarray:
    """Read the box of the target.

    Parameters
    ----------
    text
        ``left,top,width,height`` in pixels.
    image
        That it must overlap by a pixel at least, ``(height, width, 3)``.
    source
        Of the image, for messages.

    Returns
    -------
    ndarray
        ``[cx, cy, w, h]``, pixels.

    Raises
    ------
    InputError
        For a text that is no such box.
    """
    try:
        xywh = np.array([float(part) for part in text.split(",")])
    except ValueError:
        xywh = np.empty(0)
    if xywh.shape != (4,) or not np.isfinite(xywh).all() or not (xywh[2:] > 0).all():
        raise InputError(
            f"--box {text!r}: four numbers left,top,width,height in pixels are needed, width and height above 0"
        )
    return require_in_image(xywh_to_box(xywh), (image.shape[1], image.shape[0]), f"--box {text} in {source}")


def _middle(image: np.ndarray) -> np.ndarray:
    """A box in the middle of the image."""
    height, width = image.shape[:2]
    return np.array([width / 2, height / 2, max(width / 8, 2.0), max(height / 8, 2.0)])


class LiveClock:
    """Integer nanoseconds by `time.time_ns` since `start_ns`, the capture of a live source's first frame."""

    def __init__(self, start_ns: int):
        self.start_ns = start_ns

    def __call__(self) -> int:
        """Return the time since then, nanoseconds."""
        return time.time_ns() - self.start_ns


def deliver(
    live: LiveTracker,
    clock: Union[SequenceClock, LiveClock],
    source: Source,
    first: Frame,
    frames: Iterator[Frame],
    box: Optional[np.ndarray],
    over: EndRequest,
) -> Iterator[Frame]:
    """Submit every frame to the live tracker when it was captured, the target with the first one, and yield it.

    Capture times are nanoseconds since the first frame's. Of a live source each frame is submitted as it comes; the
    first one is by then as old as it took to draw the target and to load the tracker.

    Parameters
    ----------
    live, clock
        The live tracker and its clock.
    source
        Where the frames come from.
    first
        Its first frame.
    frames
        The ones after it.
    box
        The target in the first frame, ``[cx, cy, w, h]``, pixels; None: it is given later.
    over
        Ends it where it is set.
    """
    start_ns = first.t_ns
    if isinstance(clock, SequenceClock):
        clock.start()
    frame = Frame(first.index, 0, first.image, first.source)
    live.submit(frame)
    if box is not None:
        live.init(frame, box)
    yield frame
    for each in frames:
        t_ns = each.t_ns - start_ns
        while isinstance(clock, SequenceClock) and not over.is_set() and clock() < t_ns:
            clock.sleep_until(min(t_ns, clock() + NAP_NS))
        if over.is_set():
            return
        frame = Frame(each.index, t_ns, each.image, each.source)
        live.submit(frame)
        yield frame


def _up_to_error(items: Iterator[Item], broken: List[InputError]) -> Iterator[Item]:
    """Yield what comes before an InputError; the error goes to `broken`, and what was seen is kept."""
    try:
        yield from items
    except InputError as error:
        broken.append(error)


def _note(
    frames: Iterator[Frame],
    live: LiveTracker,
    names: Sequence[str],
    source: Source,
    seen: RecordFile,
    view: foxglove_options.Show,
) -> Iterator[Tuple[Frame, FrameRecord]]:
    """Each frame with what is known as it comes, also added to `seen` and shown; progress once a second."""
    show, total = progress(), source.count or "?"
    for frame in frames:
        record = FrameRecord.of(live, frame, names)
        seen.add(record)
        view(frame, record)
        if frame.index % max(round(source.fps), 1) == 0:
            show(f"{source.name}: frame {frame.index}/{total}, {record.caption()}")
        yield frame, record


def _reported(live: LiveTracker) -> Dict[str, List[str]]:
    """What went wrong, and what only needs to be known."""
    reported: Dict[str, List[str]] = {"failures": [], "notices": []}
    for each in live.errors:
        reported["notices" if each.stage in NOTICES else "failures"].append(str(each.error))
    return reported


def _stages(live: LiveTracker) -> Dict[str, List[float]]:
    """Samples, median and 95th percentile (milliseconds) of each stage."""
    return {
        stage: [each.samples, round(each.median * 1e3, 3), round(each.p95 * 1e3, 3)]
        for stage, each in live.times.summary().items()
    }


def lateness(stages_ms: Dict[str, List[float]], fps: float) -> Optional[str]:
    """Say how late the tracker got its frames; None where half of them were late by less than a frame and `LATE_MS`.

    Parameters
    ----------
    stages_ms
        By stage samples, median and 95th percentile; ``frame_age`` is the time from capture to delivery, milliseconds.
    fps
        Frame rate of the source.
    """
    _, median, p95 = stages_ms.get("frame_age", [0, 0.0, 0.0])
    if median <= max(1e3 / fps, LATE_MS):
        return None
    return (
        f"when the tracker got them, frames were {median:.0f} ms old in the median (95th percentile {p95:.0f} ms), "
        f"at {fps:g} fps"
    )


def _tell(source: Source, first: np.ndarray, seen: RecordFile, about: Dict[str, Any], written: List[str]) -> None:
    if sys.stderr.isatty():
        print(file=sys.stderr)
    counts = about["counts"]
    print(
        f"{source.name}: {seen.count} frames at {source.fps:g} fps, "
        f"{counts['tracker_dropped']} passed over by the tracker\n"
    )
    columns = [
        ("stage", lambda item: item[0]),
        ("samples", lambda item: str(item[1][0])),
        ("median ms", lambda item: f"{item[1][1]:.2f}"),
        ("p95 ms", lambda item: f"{item[1][2]:.2f}"),
    ]
    print(table(columns, list(about["stages_ms"].items())))
    late = None if source.live else lateness(about["stages_ms"], source.fps)
    if late:
        height, width = first.shape[:2]
        track_files.warn(f"{source.name}: {late}: this machine does not decode {width} x {height} pixels in time")
    for notice in about["notices"]:
        track_files.warn(notice)
    if about["failures"]:
        failed = counts["errors"] - len(about["notices"])
        print(f"\n{failed} failures, the last: {about['failures'][-1]}", file=sys.stderr)
    if written:
        print(f"\nwritten: {', '.join(written)}")
