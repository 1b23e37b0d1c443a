"""Soak test of the live tracker: age of the evidence, time of a query, memory and threads must not grow.

    python -m pvtpp_benchmarks.speed.live_soak --seconds 600

Frames of the generated aerial clip, played forwards and backwards, are delivered at `--fps` to a tracker that takes
`--tracker-ms` and knows the truth. Another thread queries the position `--queries` times a second. With ``sleep`` the
tracker leaves the processor to other threads, like a tracker on a GPU; with ``spin`` it computes in Python and holds
the interpreter lock as long as it can. Ages are in frame intervals: the newest frame is at most 1 old. The second half
of the run should have the same figures as the first.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from typing import Any, Dict, List, Optional

import cv2
import numpy as np

from pvtpp import predictors, propagation
from pvtpp.arguments import check_options
from pvtpp.core.presence import PresenceConfig
from pvtpp.errors import InputError
from pvtpp.live.config import LiveConfig
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp.validation import above
from pvtpp_benchmarks.process_use import resident_mib
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.speed.propagation_frame import SHOWN, scene
from pvtpp_benchmarks.wall import SequenceClock

WARM_UP = 0.1


def shown(index: int) -> int:
    """Index of the image of frame `index`: forwards and backwards in turn, so that the target never jumps."""
    return abs((index + SHOWN - 1) % (2 * SHOWN - 2) - (SHOWN - 1))


class TimedTruth:
    """A tracker that answers with the truth after a fixed time.

    Parameters
    ----------
    boxes
        True boxes ``[cx, cy, w, h]`` in pixels of the images, shape ``(n, 4)``.
    seconds
        Processing time of a frame.
    spin
        Whether it computes during that time, or sleeps.
    """

    def __init__(self, boxes: np.ndarray, seconds: float, spin: bool):
        self._boxes, self._seconds, self._spin = boxes, seconds, spin

    def init(self, frame: Frame, box: np.ndarray) -> None:
        """Start; nothing is remembered."""

    def track(self, frame: Frame, search_box: Optional[np.ndarray] = None) -> TrackerOutput:
        """The true box of the frame."""
        end = time.perf_counter() + self._seconds
        while self._spin and time.perf_counter() < end:
            pass
        time.sleep(max(end - time.perf_counter(), 0))
        return TrackerOutput(self._boxes[shown(frame.index)])


class Queries(threading.Thread):
    """A thread that queries the live tracker at a steady rate until `over` is set.

    Memory for the measurements is reserved beforehand, so that they do not look like a leak.

    Parameters
    ----------
    live
        The live tracker.
    rate
        Queries per second.
    seconds
        Length of the run.
    """

    def __init__(self, live: LiveTracker, rate: float, seconds: float):
        super().__init__(daemon=True)
        self._rows = np.ones((round(rate * (seconds + 1)) + 1, 3))
        self._count = 0
        self.over = False
        self._live, self._period = live, 1 / rate

    @property
    def rows(self) -> np.ndarray:
        """Seconds since the start, age of the evidence and duration of each query, shape ``(n, 3)``, all in seconds."""
        return self._rows[: self._count]

    def run(self) -> None:
        """Query until `over` is set."""
        started = time.perf_counter()
        while not self.over and self._count < len(self._rows):
            begin = time.perf_counter()
            prediction = self._live.predict()
            end = time.perf_counter()
            if prediction is not None:
                self._rows[self._count] = begin - started, prediction.age, end - begin
                self._count += 1
            time.sleep(max(begin + self._period - end, 0))


def soak(options: argparse.Namespace) -> Dict[str, Any]:
    """Deliver frames for `options.seconds`; returns the figures of the whole run and of its halves."""
    width, height = options.size
    images, boxes = scene(width, height)
    clock = SequenceClock(0)
    tracker = TimedTruth(boxes, options.tracker_ms / 1e3, options.tracker == "spin")
    propagator = None if options.propagator == "none" else propagation.create(options.propagator)
    listeners = {options.predictor: predictors.create(options.predictor)}
    memory: List[float] = []
    threads: List[int] = []
    presence = PresenceConfig() if options.presence == "on" else None
    config = LiveConfig(switch_interval_s=options.switch_interval)
    with LiveTracker(
        tracker, listeners, propagator, options.search_region, clock=clock, config=config, presence=presence
    ) as live:
        queries = Queries(live, options.queries, options.seconds)
        clock.start()
        live.init(Frame(0, 0, images[0].copy()), boxes[0])
        queries.start()
        count = round(options.seconds * options.fps)
        for index in range(1, count):
            # A copy, since a camera fills a new buffer for each frame.
            frame = Frame(index, round(index * 1e9 / options.fps), images[shown(index)].copy())
            clock.sleep_until(frame.t_ns)
            live.submit(frame)
            if index % max(round(options.fps), 1) == 0:
                memory.append(resident_mib())
                threads.append(threading.active_count())
        queries.over = True
        queries.join()
        stages, counts, errors = live.times.summary(), live.counts, len(live.errors)
        last = live.presence
    rows = queries.rows
    rows = rows[rows[:, 0] > WARM_UP * options.seconds]
    halves = np.array_split(rows, 2)
    steady = memory[int(WARM_UP * len(memory)) :] or [resident_mib()]
    return {
        "evidence_age_frames": percentiles(rows[:, 1] * options.fps, 1),
        "evidence_age_frames_halves_p95": [
            round(float(np.percentile(half[:, 1] * options.fps, 95)), 3) for half in halves
        ],
        "predict_us": percentiles(rows[:, 2], 1e6),
        "stages_ms": {name: [round(v * 1e3, 3) for v in (each.median, each.p95)] for name, each in stages.items()},
        "counts": counts,
        "errors": errors,
        "presence": None if last is None else last.value,
        "memory_mib": [round(value, 1) for value in (steady[0], max(steady), steady[-1])],
        "threads": sorted(set(threads)),
    }


def percentiles(values: np.ndarray, scale: float) -> Dict[str, float]:
    """Median, 95th and 99th percentile, multiplied by `scale`."""
    return {f"p{q}": round(float(np.percentile(values, q)) * scale, 3) for q in (50, 95, 99)}


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="default: %(default)s; 600 for the figures to publish"
    )
    parser.add_argument("--fps", type=float, default=30.0, help="default: %(default)s")
    parser.add_argument("--size", type=int, nargs=2, default=[1280, 720], metavar=("W", "H"), help="default: 1280 720")
    parser.add_argument("--tracker", choices=["sleep", "spin"], default="sleep", help="default: %(default)s")
    parser.add_argument("--tracker-ms", type=float, default=50.0, help="default: %(default)s")
    parser.add_argument("--predictor", default="kalman", help="default: %(default)s")
    parser.add_argument(
        "--propagator", choices=propagation.names(), default="optical_flow", help="default: %(default)s"
    )
    parser.add_argument("--search-region", default="last", help="default: %(default)s")
    parser.add_argument(
        "--presence", choices=["off", "on"], default="off", help="monitor the target's presence (default: %(default)s)"
    )
    parser.add_argument(
        "--switch-interval",
        type=float,
        default=0.001,
        help="how long a thread may hold up the others, seconds (default: %(default)s)",
    )
    parser.add_argument("--queries", type=float, default=200.0, help="queries per second (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="also write the figures here")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    try:
        check_options(options, dict.fromkeys(("seconds", "fps", "tracker_ms", "queries"), above(0)))
        check_writable(options.json)
        figures = soak(options)
    except InputError as error:
        parser.error(str(error))
    protocol = facts(0)
    print(
        f"{options.seconds:g} s at {options.fps:g} fps, tracker {options.tracker} {options.tracker_ms:g} ms, "
        f"{options.predictor}, {options.propagator}; {protocol['hardware']['machine']}"
    )
    for name, value in figures.items():
        print(f"{name:>32}  {value}")
    if options.json:
        settings = {key: value for key, value in vars(options).items() if key != "json"}
        write_json(options.json, {"protocol": protocol, "settings": settings, **figures})
    return 0


if __name__ == "__main__":
    sys.exit(main())
