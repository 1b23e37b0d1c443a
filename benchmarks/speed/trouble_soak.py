"""Soak test of the live tracker in trouble: no wrong answer may look fresh, and memory must not grow.

    python -m pvtpp_benchmarks.speed.trouble_soak --seconds 1800 --json trouble_soak.json

Frames of the generated aerial clip, played forwards and backwards in real time, are delivered to a live tracker in its
default configuration with presence. Its tracker knows the truth. Meanwhile the clock is set forward and back, capture
times are bad (in seconds, an hour ahead, repeated, out of order), images have half the size for a while, the camera is
silent, the tracker raises or hangs, new targets are given on past frames, targets are forgotten, and frames are paused.

Another thread queries the position `--queries` times a second and compares each answer with the truth at that time. An
answer is *fresh* where its age is from 0 to 0.2 s and presence is TRACKING. Its distance from the truth must be at most
three standard deviations, plus 30 % of the target's size, plus the way of the target since the evidence; and its
evidence must not be newer than the newest frame. Otherwise it is listed as wrong. The way is allowed because the age
is reported: where the camera falls silent while the target turns, a prediction is wrong by about as much. Answers that
need this allowance are counted as imprecise. An answer counts in the scale of the frame that it comes from. For 0.3 s
after the clock was set back by less than 0.2 s, evidence may seem newer by as much: such a step need not be noticed.

The exit status is 1 if a fresh answer was wrong, memory grew by over 20 MiB, or threads were left.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import threading
import time
from collections import Counter
from typing import Any, Dict, List, Optional, Tuple

import cv2
import numpy as np

from pvtpp import defaults
from pvtpp.arguments import check_options
from pvtpp.core.presence import Presence
from pvtpp.errors import InputError
from pvtpp.live.failures import Failure
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.trajectory import Prediction
from pvtpp.validation import above, whole_from
from pvtpp_benchmarks.process_use import resident_mib
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.speed.troubled_camera import MoodyTracker, SettableClock, TroubledCamera, World

FRESH_S = 0.2
SIGMAS = 3.0
SHARE = 0.3
"""Allowed error beyond `SIGMAS` standard deviations, as a share of the target's size."""
SLOW_NS = 50_000_000
"""Of an answer that took longer it is not known which time it is of."""
SLACK_NS = 40_000_000
"""Tolerance of times: a frame more or less, as when the size changes."""
SIZE_SWITCH_NS = 500_000_000
"""So long after a change of size an answer may be in the new scale whatever its age."""
GROWTH_MIB = 20.0
LISTED = 50
WARM_UP = 0.15
BINS = 500
"""Errors of fresh answers are counted in bins of 0.01 target sizes."""


class Checker(threading.Thread):
    """A thread that queries the live tracker at a steady rate and compares what it answers with the truth.

    Parameters
    ----------
    world, clock, camera, live
        What it compares, and with what.
    rate
        Queries per second.

    Attributes
    ----------
    counts : Counter
        Answers by what became of them.
    wrong : list of dict
        The first `LISTED` wrong answers that looked fresh.
    over : bool
        Set it to end the thread.
    """

    def __init__(self, world: World, clock: SettableClock, camera: TroubledCamera, live: LiveTracker, rate: float):
        super().__init__(daemon=True)
        self._world, self._clock, self._camera, self._live = world, clock, camera, live
        self._period = 1 / rate
        self.counts: Counter = Counter(
            dict.fromkeys(("queries", "none", "unclear", "old", "fresh", "imprecise", "wrong"), 0)
        )
        self.wrong: List[Dict[str, Any]] = []
        self._errors = np.zeros(BINS, np.int64)
        self.over = False

    def run(self) -> None:
        """Query until `over` is set."""
        while not self.over:
            begin = time.monotonic()
            self._query()
            time.sleep(max(begin + self._period - time.monotonic(), 0))

    def errors(self) -> Dict[str, float]:
        """Percentiles of the error of fresh answers, in target sizes; empty without any."""
        total = np.cumsum(self._errors)
        if not total[-1]:
            return {}
        return {f"p{q}": round((int(np.searchsorted(total, total[-1] * q / 100)) + 1) / 100, 2) for q in (50, 95, 99)}

    def _query(self) -> None:
        steps, before_ns, newest_ns = self._clock.steps, self._world.now(), self._camera.newest_ns
        found, presence = self._live.predict(), self._live.presence
        after_ns = self._world.now()
        self.counts["queries"] += 1
        if found is None:
            self.counts["none"] += 1
        elif after_ns - before_ns > SLOW_NS or self._clock.steps != steps:
            self.counts["unclear"] += 1
        elif not 0 <= found.age < FRESH_S or presence is not Presence.TRACKING:
            self.counts["old"] += 1
        else:
            self.counts["fresh"] += 1
            self._compare(found, before_ns, after_ns, max(newest_ns, self._camera.newest_ns))

    def _compare(self, found: Prediction, before_ns: int, after_ns: int, newest_ns: int) -> None:
        wrong: List[str] = []
        asked_ns = found.t_ns - self._clock.offset_ns
        if not before_ns - SLACK_NS < asked_ns < after_ns + SLACK_NS:
            wrong.append(f"time off by {(asked_ns - before_ns) * 1e-9:.3f} s")
        evidence_ns = before_ns - round(found.age * 1e9) - self._clock.small_step_back()
        if evidence_ns > newest_ns + SLACK_NS + (after_ns - before_ns):
            wrong.append(f"evidence {(evidence_ns - newest_ns) * 1e-9:.3f} s newer than the newest frame")
        scales = {
            *self._camera.scales(evidence_ns - SLACK_NS, evidence_ns + SLACK_NS),
            *self._camera.scales(before_ns - min(SIZE_SWITCH_NS, before_ns), after_ns)[1:],
        }
        way = self._world.way(evidence_ns, after_ns)
        # In target sizes: what exceeds the standard deviations, and the whole error.
        ratios: List[Tuple[float, float, float, float]] = []
        for scale in scales:
            for t_ns in (before_ns, after_ns):
                truth = self._world.box_at(t_ns) * scale
                size = float(np.sqrt(truth[2] * truth[3]))
                error = np.abs(found.box - truth) / size
                beyond = float((error - SIGMAS * found.sigma / size).max())
                ratios.append((beyond, float(error.max()), way * scale / size, scale))
        beyond, most, way, scale = min(ratios)
        self._errors[int(min(most * 100, BINS - 1)) if math.isfinite(most) else BINS - 1] += 1
        self.counts["imprecise"] += beyond > SHARE
        if not beyond <= SHARE + way:
            wrong.append(f"off by {most:.2f} target sizes (scale {scale:g}, of {sorted(scales)}, way {way:.2f})")
        if wrong:
            self.counts["wrong"] += 1
            if len(self.wrong) < LISTED:
                self.wrong.append(self._described(found, wrong, before_ns))

    def _described(self, found: Prediction, wrong: List[str], now_ns: int) -> Dict[str, Any]:
        return {
            "at_s": round(now_ns * 1e-9, 3),
            "wrong": wrong,
            "age_s": round(found.age, 3),
            "box": " ".join(f"{value:.1f}" for value in found.box),
            "truth": " ".join(f"{value:.1f}" for value in self._world.box_at(now_ns)),
            "sigma": " ".join(f"{value:.1f}" for value in found.sigma),
            "target": self._live.target,
            "before": [f"{trouble}, {(now_ns - t_ns) * 1e-9:.2f} s ago" for t_ns, trouble in self._camera.recent],
        }


class Memory(threading.Thread):
    """A thread that measures the memory of this process twice a second until `over` is set."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._mib: List[float] = []
        self.over = False

    def run(self) -> None:
        """Measure until `over` is set."""
        while not self.over:
            self._mib.append(resident_mib())
            time.sleep(0.5)

    def peaks(self) -> List[float]:
        """Highest values of the first, second and last third of the run after its warm-up, MiB.

        Peaks, as the memory of past frames rises and falls with the size of the images and the silence of the camera.
        """
        steady = self._mib[int(WARM_UP * len(self._mib)) :] or [resident_mib()]
        return [round(float(max(part)), 1) for part in np.array_split(steady, 3) if len(part)]


def soak(options: argparse.Namespace) -> Dict[str, Any]:
    """Deliver frames for `options.seconds`; returns the figures."""
    threads = set(threading.enumerate())
    rng = np.random.default_rng(options.seed)
    world = World(tuple(options.size), options.fps)
    clock, tracker = SettableClock(world), MoodyTracker(world, options.tracker_ms / 1e3)
    reported: Counter = Counter()

    def on_error(failure: Failure) -> None:
        reported[failure.stage] += 1

    live = LiveTracker(
        tracker,
        defaults.predictors(),
        defaults.propagator(),
        defaults.SEARCH_REGION,
        clock=clock,
        presence=defaults.presence("on"),
        on_error=on_error,
    )
    with live:
        camera = TroubledCamera(world, clock, tracker, live, rng, options.period, options.pace)
        checker, memory = Checker(world, clock, camera, live, options.queries), Memory()
        for thread in (checker, memory):
            thread.start()
        camera.run(options.seconds)
        checker.over = memory.over = True
        for thread in (checker, memory):
            thread.join()
        ran_s, counts, targets = world.now() * 1e-9, live.counts, live.target
    left = sorted(thread.name for thread in threading.enumerate() if thread not in threads)
    peaks = memory.peaks()
    return {
        "ran_s": round(ran_s, 1),
        "troubles": dict(sorted(camera.counts.items())),
        "targets": targets,
        "reported": dict(sorted(reported.items())),
        "counts": counts,
        "answers": dict(checker.counts),
        "fresh_error_sizes": checker.errors(),
        "memory_mib": peaks,
        "grown_mib": round(peaks[-1] - peaks[0], 1),
        "threads_left": left,
        "wrong_and_fresh": checker.wrong,
    }


def failures(figures: Dict[str, Any]) -> List[str]:
    """What of these figures must not be."""
    answers = figures["answers"]
    found = []
    if answers["wrong"]:
        found.append(f"{answers['wrong']} answers were wrong and looked fresh")
    if not answers["fresh"]:
        found.append("no answer was fresh, so nothing was compared")
    if not figures["grown_mib"] <= GROWTH_MIB:
        found.append(f"memory grew by {figures['grown_mib']} MiB, allowed are {GROWTH_MIB:g}")
    if figures["threads_left"]:
        found.append(f"threads were left: {', '.join(figures['threads_left'])}")
    return found


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--seconds", type=float, default=180.0, help="default: %(default)s; 1800 for the figures to publish"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the troubles (default: %(default)s)")
    parser.add_argument("--fps", type=float, default=30.0, help="default: %(default)s")
    parser.add_argument("--size", type=int, nargs=2, default=[640, 360], metavar=("W", "H"), help="default: 640 360")
    parser.add_argument("--tracker-ms", type=float, default=50.0, help="default: %(default)s")
    parser.add_argument("--queries", type=float, default=100.0, help="queries per second (default: %(default)s)")
    parser.add_argument(
        "--period", type=float, default=0.8, help="mean time between two troubles, seconds (default: %(default)s)"
    )
    parser.add_argument(
        "--pace", type=float, default=1.0, help="what lasts, lasts so many times shorter (default: %(default)s)"
    )
    parser.add_argument("--json", metavar="FILE", help="also write the figures here")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    try:
        positive = ("seconds", "fps", "tracker_ms", "queries", "period", "pace")
        check_options(options, {**dict.fromkeys(positive, above(0)), "seed": whole_from(0)})
        check_writable(options.json)
        figures = soak(options)
    except InputError as error:
        parser.error(str(error))
    wrong, protocol = failures(figures), facts(options.seed)
    if options.json:
        settings = {key: value for key, value in vars(options).items() if key != "json"}
        write_json(options.json, {"protocol": protocol, "settings": settings, **figures, "failures": wrong})
    print(f"{figures['ran_s']:g} s of trouble, seed {options.seed}; {protocol['hardware']['machine']}")
    for name, value in figures.items():
        rows = value.items() if isinstance(value, dict) else [("", value)]
        if name == "wrong_and_fresh":
            rows = [("", json.dumps(each)) for each in value]
        for key, each in rows:
            print(f"{name:>20}  {f'{key}: ' if key else ''}{each}")
    for line in wrong:
        print(f"FAILED: {line}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
