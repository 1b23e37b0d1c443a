"""Simulated against wall clock: the AUC of one tracker in real time, and as the simulator makes it of its times.

    python -m pvtpp_benchmarks.studies.sim_against_wall $PVTPP_DATA --json benchmarks/studies/sim_against_wall.json

A tracker is slowed to a fixed total for each frame (it sleeps for the rest) and shown the ten clips of `uav-mini/test`
whose target is not in doubt, on the wall clock. Then the tracker, not slowed, runs on the simulated clock with what the
wall clock measured in that run: the time from each frame taken to its result, initialisation included, the median time
of a prediction and that of a job of propagation. A frame that was passed over on the wall has the time of the frame
tracked before it. Both logs are scored by the same rule, AUC in mode `otb` at permitted latency 0.

``hold`` runs without propagation, presence and prediction; the default predictor in the default configuration. Nothing
here chooses anything. The wall clock takes as long as the clips do, and wants a machine of its own: the load average
before and after each run is in the JSON. Where others use it too, ``chrt -r 10 python ..`` (Linux, as root) gives this
process the processor whenever it needs it; the JSON says that too. With `--logs` the command goes on from there.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass
from functools import partial
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from pvtpp import defaults
from pvtpp.arguments import comma_separated
from pvtpp.core.event_log import EventLog
from pvtpp.errors import InputError
from pvtpp.progress import progress
from pvtpp.tracker import Frame, Tracker, TrackerOutput
from pvtpp_benchmarks.bootstrap import bootstrap_interval
from pvtpp_benchmarks.datasets.registry import load
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.fingerprint import code_digest
from pvtpp_benchmarks.metrics import SIGMAS
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.report.table import Column, table
from pvtpp_benchmarks.runs import first_frame_and_box, jobs, obtain
from pvtpp_benchmarks.score import score_online
from pvtpp_benchmarks.simulation import Propagation, simulate
from pvtpp_benchmarks.spec import MEASURED, RunSpec
from pvtpp_trackers.factory import MakeTracker

DATASET, SPLIT = "uav-mini", "test"
IN_DOUBT = ("S0601", "truck2")
"""Two similar targets each: half a pixel decides which of them is followed."""
TIMES = ("47", "85", "165")
METHODS = ("hold", defaults.PREDICTOR)
BAR = 0.01
"""Largest difference of the mean AUC that is allowed."""
MakeAny = Callable[[VideoSequence], Tracker]


class Slowed:
    """A tracker that sleeps until each frame, and the initialisation, has taken a fixed time in all.

    Parameters
    ----------
    tracker
        The tracker. What it takes longer than `seconds` stays as it is.
    seconds
        For each frame.
    """

    def __init__(self, tracker: Tracker, seconds: float):
        self._tracker, self._seconds = tracker, seconds

    def __getattr__(self, name: str) -> Any:
        # What else a tracker says of itself or offers, such as `takes_search_box`.
        return getattr(self.__dict__["_tracker"], name)

    def init(self, frame: Frame, box: np.ndarray) -> None:
        """Start on the target; see `Tracker.init`."""
        begin = time.perf_counter()
        self._tracker.init(frame, box)
        self._rest(begin)

    def track(self, frame: Frame, search_box: Optional[np.ndarray] = None) -> TrackerOutput:
        """Track; see `Tracker.track`."""
        begin = time.perf_counter()
        output = self._tracker.track(frame, search_box)
        self._rest(begin)
        return output

    def _rest(self, begin: float) -> None:
        time.sleep(max(0.0, begin + self._seconds - time.perf_counter()))


@dataclass(frozen=True)
class Measured:
    """What a run on the wall clock measured.

    Attributes
    ----------
    trace_ns
        By the camera frame's number in the run: from taken to answered, nanoseconds; the first is the initialisation.
    predictor_ns, propagation_ns
        Median of a prediction and of a job of propagation, nanoseconds.
    """

    trace_ns: np.ndarray
    predictor_ns: int
    propagation_ns: int


def measured(log: EventLog, frames: int) -> Measured:
    """Read off a wall-clock log what the simulated clock is to charge.

    Parameters
    ----------
    log
        The run.
    frames
        How many camera frames it was shown.
    """
    start, given_ns = next((row[2], row[1]) for row in log.rows if row[0] == "init")
    trace, begun = np.zeros(frames, dtype=np.int64), {}
    for row in log.rows:
        if row[0] == "initialised":
            trace[0] = row[1] - given_ns
        elif row[0] == "track":
            begun[row[2]] = row[1]
        elif row[0] == "result":
            trace[row[2] - start] = row[1] - begun[row[2]]
    known = trace > 0
    if not known[1:].any():
        raise InputError("the tracker answered for no frame, so there is no time to simulate with")
    # Not the initialisation's time for the frames before the first one tracked.
    filled = np.where(known[1:], np.arange(1, frames), 0)
    filled = np.maximum(np.maximum.accumulate(filled), np.flatnonzero(known[1:])[0] + 1)
    trace[1:] = trace[filled]
    stages = log.meta["wall"]["stages_ms"]
    return Measured(
        trace, *(round(stages[name][1] * 1e6) if name in stages else 0 for name in ("predict", "propagate"))
    )


def simulated(clip: VideoSequence, tracker: Tracker, method: str, log: EventLog, box: np.ndarray) -> EventLog:
    """Run a clip on the simulated clock with what a wall-clock log of it measured."""
    settings = defaults.settings(method)
    found = measured(log, len(clip))
    propagator = defaults.propagator(settings["propagation"])
    return simulate(
        clip,
        tracker,
        defaults.predictors(method),
        lambda frame: int(found.trace_ns[frame]),
        first_box=box,
        predictor_ns=found.predictor_ns,
        search_region=settings["search_region"],
        propagation=None if propagator is None else Propagation(propagator, found.propagation_ns),
        presence=defaults.presence(settings["presence"]),
    )


def against_wall(
    clip: VideoSequence, make: MakeAny, name: str, digest: str, method: str, ms: float, logs: Optional[str] = None
) -> Dict[str, Any]:
    """Run one clip on both clocks.

    Parameters
    ----------
    clip
        With images and truth.
    make, name, digest
        Makes the tracker; its name, and what tells it from another of that name.
    method
        A predictor, evaluated in its own default settings.
    ms
        What the tracker is slowed to for each frame.
    logs
        Where the wall clock's logs are kept; a kept one is not run again. None keeps none.

    Returns
    -------
    dict
        Scores of both, and what was measured.
    """
    settings: Dict[str, Any] = dict(defaults.settings(method))
    spec = RunSpec(
        DATASET,
        f"{name} slowed to {ms:g} ms",
        MEASURED,
        (method,),
        version=code_digest(),
        tracker_digest=digest,
        clock="wall",
        **settings,
    )
    (job,) = jobs([clip], spec, logs)
    log, _ = obtain(job, lambda sequence: Slowed(make(sequence), ms / 1e3))
    _, box = first_frame_and_box(job)
    again = simulated(clip, make(clip), method, log, box)
    row: Dict[str, Any] = {"clip": clip.name, "method": method, "ms": ms}
    for clock, each in (("wall", log), ("simulated", again)):
        score = score_online(each, clip, method)
        auc = score.curves["auc"]
        row[clock] = {
            "auc": round(float(auc.value[0]), 6),
            "mauc": round(float(auc.at(SIGMAS).mean()), 6),
            "results": len(each.of_kind("result")),
        }
    row["difference"] = round(row["wall"]["auc"] - row["simulated"]["auc"], 6)
    found, wall = measured(log, len(clip)), log.meta["wall"]
    row["measured"] = {
        "track_ms": wall["stages_ms"]["track"][1:],
        "predictor_ms": found.predictor_ns / 1e6,
        "propagation_ms": found.propagation_ns / 1e6,
        "frames_late_ms": wall["late_ms"],
        "load": wall["load"],
    }
    return row


def means(rows: Sequence[Mapping[str, Any]]) -> List[Dict[str, Any]]:
    """Mean AUC of both clocks over clips, and of their difference with its 95 % bootstrap interval."""
    made = []
    for method, ms in dict.fromkeys((row["method"], row["ms"]) for row in rows):
        cell = [row for row in rows if (row["method"], row["ms"]) == (method, ms)]
        differences = np.array([row["difference"] for row in cell])
        made.append(
            {
                "method": method,
                "ms": ms,
                "n": len(cell),
                **{clock: float(np.mean([row[clock]["auc"] for row in cell])) for clock in ("wall", "simulated")},
                "difference": float(differences.mean()),
                "ci95": bootstrap_interval(differences, 0),
                "largest": float(np.abs(differences).max()),
            }
        )
    return made


def scheduling() -> str:
    """Say how the system schedules this process, where it tells."""
    if not hasattr(os, "sched_getscheduler"):
        return "unknown"
    policy = os.sched_getscheduler(0)
    names = {os.SCHED_OTHER: f"shared, nice {os.nice(0)}", os.SCHED_FIFO: "real time, first in first out"}
    names[os.SCHED_RR] = f"real time, round robin, priority {os.sched_getparam(0).sched_priority}"
    return names.get(policy, f"policy {policy}")


_COLUMNS: Tuple[Column, ...] = (
    ("method", lambda each: each["method"]),
    ("ms", lambda each: f"{each['ms']:g}"),
    ("wall", lambda each: f"{each['wall']:.4f}"),
    ("simulated", lambda each: f"{each['simulated']:.4f}"),
    ("difference", lambda each: f"{each['difference']:+.4f}"),
    ("95 %", lambda each: "-" if each["ci95"] is None else "{:+.4f} to {:+.4f}".format(*each["ci95"])),
    ("largest", lambda each: f"{each['largest']:.4f}"),
    ("n", lambda each: str(each["n"])),
)


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns 1 where the clocks differ by more than `BAR`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", help="folder with uav-mini/")
    parser.add_argument("--tracker", default=defaults.TRACKER, help="default: %(default)s")
    parser.add_argument("--times", default=",".join(TIMES), help="milliseconds a frame (default: %(default)s)")
    parser.add_argument("--methods", default=",".join(METHODS), help="predictors (default: %(default)s)")
    parser.add_argument("--logs", metavar="DIR", help="where wall-clock logs are kept and found again")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args(arguments)
    say = progress()
    try:
        check_writable(options.json)
        clips = [
            clip for clip in load(DATASET, os.path.join(options.root, DATASET), SPLIT) if clip.name not in IN_DOUBT
        ]
        make = MakeTracker(options.tracker)
        one = partial(against_wall, make=make, name=options.tracker, digest=make.digest(), logs=options.logs)
        rows = []
        for ms in map(float, comma_separated(options.times)):
            for method in comma_separated(options.methods):
                for clip in clips:
                    rows.append(one(clip, method=method, ms=ms))
                    say(f"{method} {ms:g} ms {clip.name}: {rows[-1]['difference']:+.4f}")
        found = means(rows)
        print(table(_COLUMNS, found))
        if options.json:
            content = {"tracker": options.tracker, "data": f"{DATASET}/{SPLIT}", "scheduling": scheduling(), "bar": BAR}
            write_json(options.json, {"protocol": facts(0), **content, "means": found, "rows": rows})
    except (InputError, ValueError) as error:
        parser.exit(2, f"{error}\n")
    return int(any(abs(each["difference"]) > BAR for each in found))


if __name__ == "__main__":
    sys.exit(main())
