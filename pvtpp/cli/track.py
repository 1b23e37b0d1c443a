"""Follow a target in a video file, a folder of images or a camera, live.

A file is shown to the live tracker at its own frame rate, so what you see is what a drone would have known at that
moment. Where there is a display a window opens, and without --box you draw the target there (a camera's picture stands
still meanwhile); else a video is written. Ctrl-C, or q in the window, ends it; what was seen until then is written.

  pvtpp track flight.mp4 --box 300,180,40,30 --out flight.csv
"""

from __future__ import annotations

import argparse
import math
import signal
import sys
import threading
from collections import deque
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Sequence, Tuple

import numpy as np

from pvtpp import defaults, predictors, propagation
from pvtpp.arguments import comma_separated
from pvtpp.boxes import require_in_image, xywh_to_box
from pvtpp.cli import common, track_files, window
from pvtpp.cli.frame_records import ENDINGS, FrameRecord, RecordFile, draw
from pvtpp.cli.sources import Source, open_source
from pvtpp.core.capture_times import CaptureTimeConfig
from pvtpp.core.config import SEARCH_REGIONS
from pvtpp.core.log_file import LogFile
from pvtpp.errors import InputError
from pvtpp.live.config import LiveConfig
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.live.warm_up import warm_up
from pvtpp.progress import progress
from pvtpp.tracker import Frame
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.table import table
from pvtpp_benchmarks.spec import PRESENCES
from pvtpp_benchmarks.wall import SequenceClock
from pvtpp_trackers.factory import create_tracker

SETTINGS = ("tracker", "predictors", "propagation", "search_region", "presence")
NOTICES = ("size", "clock")
"""What a live tracker reports and goes on as it should: no failure, see `pvtpp.live.failures.Failure.stage`."""
ANY_AGE = LiveConfig(capture_times=CaptureTimeConfig(behind_s=math.inf))
"""A camera's first frame is as old as it took to draw the target in it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("source", metavar="SOURCE", help="a video file, a folder of images, or a camera's number")
    parser.add_argument(
        "--box", metavar="X,Y,W,H", help="the target in the first frame: left, top, width, height in pixels"
    )
    parser.add_argument("--fps", type=float, help="frame rate of the source (default: its own; 30 for a folder)")
    common.add_tracker(parser)
    parser.add_argument(
        "--predictors",
        type=comma_separated,
        default=(defaults.PREDICTOR,),
        metavar="P,P",
        help=f"the first one leads and is shown; of {', '.join(predictors.names())} (default {defaults.PREDICTOR})",
    )
    parser.add_argument(
        "--propagation",
        choices=propagation.names(),
        default=defaults.PROPAGATION,
        help="what propagates results to newer frames (default %(default)s)",
    )
    parser.add_argument(
        "--search-region",
        choices=SEARCH_REGIONS,
        default=defaults.SEARCH_REGION,
        help="where to look (default %(default)s)",
    )
    parser.add_argument(
        "--presence",
        choices=PRESENCES,
        default=defaults.PRESENCE,
        help="on: assess every result, coast and search when the target is lost (default %(default)s)",
    )
    parser.add_argument("--out", metavar="FILE", help=f"where the target was at each frame ({' or '.join(ENDINGS)})")
    parser.add_argument("--log", metavar="FILE", help="the event log (.jsonl), which `pvtpp replay` takes")
    parser.add_argument(
        "--video", metavar="FILE", help=f"a video (.mp4); without a window {track_files.VIDEO} is written anyway"
    )
    parser.add_argument("--no-window", action="store_true", help="open no window even where there is a display")


def run(options: argparse.Namespace) -> int:
    """Track until the source ends or the user does; returns 1 where the tracker failed."""
    if not options.predictors:
        raise InputError(f"--predictors names none, expected one or more of: {', '.join(predictors.names())}")
    track_files.check(options)
    in_window = not options.no_window and window.opens()
    if options.box is None and not in_window:
        raise InputError(
            "no display to draw the target on: give it as --box X,Y,W,H (left, top, width, height in pixels)"
        )
    chosen = {name: predictors.create(name) for name in options.predictors}
    video = options.video or (None if in_window else track_files.default_video(options.source))
    source = open_source(options.source, options.fps)
    images = source.images()
    first = next(images)
    box = first_box(options.box, first, source.name) if options.box else window.drawn_box(first)
    tracker = create_tracker(options.tracker, options.weights)
    # What is loaded at first use is loaded before the target moves.
    warm_up(tracker, options.tracker, Frame(0, 0, first, source.name), box)
    about = {
        "protocol": facts(0),
        "source": source.name,
        "fps": source.fps,
        **{name: getattr(options, name) for name in SETTINGS},
    }
    clock = SequenceClock(0)
    log = LogFile(options.log, {**about, "clock": "wall"}, background=True) if options.log else None
    live = LiveTracker(
        tracker,
        chosen,
        defaults.propagator(options.propagation),
        options.search_region,
        log,
        clock,
        ANY_AGE,
        presence=defaults.presence(options.presence),
    )
    broken: List[InputError] = []
    spoilt: List[InputError] = []
    written: List[str] = []
    keep_video = track_files.kept(video, written, broken if options.video else spoilt)
    seen = RecordFile(options.out)
    with live, _ended_by_ctrl_c() as over:
        frames = _as_far_as_they_go(deliver(live, clock, source, first, images, box, over), broken)
        records = _note(frames, live, options.predictors, source, seen)
        if in_window:
            drawn = window.shown(records, over)
        else:
            drawn = (draw(frame.image, record) for frame, record in records)
        if video and source.live:
            with keep_video:
                track_files.record(video, drawn, source.fps)
        # All of it; after a video, what was left when that failed.
        deque(drawn if in_window else records, maxlen=0)
        about.update(counts=live.counts, stages_ms=_stages(live), **_reported(live))
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
            track_files.record(video, (draw(image, record) for record, image in zip(seen, source.images())), source.fps)
    _tell(source, seen, about, written)
    for error in spoilt:
        track_files.warn(error)
    if broken:
        raise InputError("; ".join(map(str, broken)))
    return 1 if about["failures"] else 0


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


def deliver(
    live: LiveTracker,
    clock: SequenceClock,
    source: Source,
    first: np.ndarray,
    images: Iterator[np.ndarray],
    box: np.ndarray,
    over: threading.Event,
) -> Iterator[Frame]:
    """Submit every frame to the live tracker when it was captured, the target with the first one, and yield it.

    A camera's frame counts as captured when the driver delivers it; how long that took is not known. The first one is
    by now as old as it took to draw the target and to load the tracker.
    """
    clock.start(source.first_ns)
    frame = Frame(0, 0, first, source.name)
    live.submit(frame)
    live.init(frame, box)
    yield frame
    for index, image in enumerate(images, 1):
        if over.is_set():
            return
        t_ns = clock() if source.live else round(index * 1e9 / source.fps)
        clock.sleep_until(t_ns)
        frame = Frame(index, t_ns, image, source.name)
        live.submit(frame)
        yield frame


def _as_far_as_they_go(frames: Iterator[Frame], broken: List[InputError]) -> Iterator[Frame]:
    """Yield the frames up to the first that cannot be read; its error goes to `broken`, and what was seen is kept."""
    try:
        yield from frames
    except InputError as error:
        broken.append(error)


def _note(
    frames: Iterator[Frame], live: LiveTracker, names: Sequence[str], source: Source, seen: RecordFile
) -> Iterator[Tuple[Frame, FrameRecord]]:
    """Each frame with what is known as it comes, also added to `seen`; progress once a second."""
    show, total = progress(), source.count or "?"
    for frame in frames:
        record = FrameRecord.of(live, frame, names)
        seen.add(record)
        if frame.index % max(round(source.fps), 1) == 0:
            show(f"{source.name}: frame {frame.index}/{total}, {record.caption()}")
        yield frame, record


@contextmanager
def _ended_by_ctrl_c() -> Iterator[threading.Event]:
    """An event that Ctrl-C sets instead of interrupting, once: the second time it interrupts."""
    over = threading.Event()

    def end(signum: int, frame: Any) -> None:
        over.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, end)
    try:
        yield over
    finally:
        signal.signal(signal.SIGINT, before)


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


def _tell(source: Source, seen: RecordFile, about: Dict[str, Any], written: List[str]) -> None:
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
    for notice in about["notices"]:
        print(f"pvtpp track: warning: {notice}", file=sys.stderr)
    if about["failures"]:
        failed = counts["errors"] - len(about["notices"])
        print(f"\n{failed} failures, the last: {about['failures'][-1]}", file=sys.stderr)
    if written:
        print(f"\nwritten: {', '.join(written)}")
