"""What the benchmark itself costs: a tracker that answers at once, on the simulated clock and on the wall clock.

    python -m pvtpp_benchmarks.speed.harness --json benchmarks/speed/harness.json

A null tracker takes no time, so all that is measured is the harness: the state machine, the predictor, the log, and on
the wall clock the threads of the live tracker. Frames have no image. Simulated: processor time for each camera frame of
a run and for each world frame that is scored, curves alone and with everything that a row holds. Wall clock: processor
time of the whole process for each frame, frames at `--fps`, and how long a frame waits for its result.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any, Callable, Dict, List, Optional

import numpy as np

from pvtpp import defaults
from pvtpp.boxes import xywh_to_box
from pvtpp.core.event_log import EventLog
from pvtpp.errors import InputError
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.report.table import Column, table
from pvtpp_benchmarks.score import score_online
from pvtpp_benchmarks.simulation import simulate
from pvtpp_benchmarks.wall import run_wall

PREDICTORS = ("hold", "kalman", defaults.PREDICTOR)
PERCENTILES = {"median": 50, "p95": 95, "worst": 100}


class Null:
    """A tracker that costs nothing: the first box is its answer for every frame."""

    takes_search_box = False

    def init(self, frame: Frame, box: np.ndarray) -> None:
        """Start on the target."""
        self._output = TrackerOutput(np.array(box, dtype=np.float64))

    def track(self, frame: Frame, search_box: Optional[np.ndarray] = None) -> TrackerOutput:
        """Answer with the first box."""
        return self._output


def clip(frames: int, fps: float = 30.0) -> VideoSequence:
    """A target that moves at random, without images."""
    steps = np.random.default_rng(0).normal(scale=[2, 2, 0.1, 0.1], size=(frames, 4))
    return VideoSequence("walk", steps.cumsum(axis=0) + [600, 300, 60, 50], fps, fps)


def on_the_simulated_clock(frames: int, predictor: str, repeats: int) -> Dict[str, Any]:
    """Microseconds of processor time for each frame, the least of the repeats: run, and scored in two ways."""
    sequence = clip(frames)
    box = xywh_to_box(sequence.ground_truth_xywh[0])

    def ran() -> EventLog:
        return simulate(sequence, Null(), defaults.predictors(predictor), lambda frame: 0, first_box=box)

    log = ran()

    def scored(details: bool) -> Callable[[], Any]:
        # A copy, since a log keeps the tables that its first scoring has made.
        return lambda: score_online(EventLog(log.meta, log.rows), sequence, predictor, details=details)

    actions = {"run_us": ran, "score_us": scored(False), "score_with_details_us": scored(True)}
    each = {name: round(_least(action, repeats) * 1e6 / frames, 2) for name, action in actions.items()}
    return {"clock": "simulated", "predictor": predictor, "frames": frames, **each}


def on_the_wall_clock(frames: int, predictor: str, fps: float) -> Dict[str, Any]:
    """Microseconds of processor time for each frame, and from a frame's delivery to its result."""
    sequence = clip(frames, fps)

    def live(log: EventLog, clock: Callable[[], int]) -> LiveTracker:
        return LiveTracker(Null(), defaults.predictors(predictor), None, "last", log, clock)

    begin = time.process_time()
    log = run_wall(sequence, live, first_box=xywh_to_box(sequence.ground_truth_xywh[0]))
    taken = time.process_time() - begin
    delivered = {row[2]: row[1] for row in log.of_kind("frame")}
    waited = np.array([row[1] - delivered[row[2]] for row in log.of_kind("result") if row[2] in delivered]) / 1e3
    if not len(waited):
        raise InputError(f"no result of {frames} frames at {fps:g} fps: give more frames, or a lower rate")
    return {
        "clock": "wall",
        "predictor": predictor,
        "frames": frames,
        "fps": fps,
        "run_us": round(taken * 1e6 / frames, 2),
        "results": len(waited),
        **{f"result_{name}_us": round(float(np.percentile(waited, q)), 1) for name, q in PERCENTILES.items()},
        "load": log.meta["wall"]["load"],
    }


def _least(action: Callable[[], Any], repeats: int) -> float:
    taken = []
    for _ in range(repeats):
        begin = time.process_time()
        action()
        taken.append(time.process_time() - begin)
    return min(taken)


def _text(row: Dict[str, Any], name: str) -> str:
    return f"{row[name]:.1f}" if name in row else "-"


_COLUMNS: List[Column] = [
    ("clock", lambda row: row["clock"]),
    ("predictor", lambda row: row["predictor"]),
    ("us a frame", lambda row: _text(row, "run_us")),
    ("scored", lambda row: _text(row, "score_us")),
    ("with details", lambda row: _text(row, "score_with_details_us")),
    ("result after us", lambda row: _text(row, "result_median_us")),
    ("p95", lambda row: _text(row, "result_p95_us")),
    ("worst", lambda row: _text(row, "result_worst_us")),
]


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=1000, help="of each run (default: %(default)s)")
    parser.add_argument("--fps", type=float, default=100.0, help="on the wall clock (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=5, help="of simulated runs (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args(arguments)
    try:
        check_writable(options.json)
        rows = [on_the_simulated_clock(options.frames, name, options.repeats) for name in PREDICTORS]
        rows += [on_the_wall_clock(options.frames, name, options.fps) for name in PREDICTORS]
        print(table(_COLUMNS, rows))
        if options.json:
            write_json(options.json, {"protocol": facts(0), "rows": rows})
    except InputError as error:
        parser.exit(2, f"{error}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
