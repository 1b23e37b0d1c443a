"""Time `submit` and `predict` of the live tracker while its predictor and its encoder are slow.

    python -m pvtpp_benchmarks.speed.live_submit --json live_submit.json

Frames come at `--fps` to a tracker of `--tracker-ms`; encoder and predictor take `--predictor-ms` each. Nobody who
submits or asks may wait for them. The reference is the same with a predictor that takes no time, in turns.
"""

from __future__ import annotations

import argparse
import time
from typing import Any, Dict, List, Optional

import numpy as np

from pvtpp.live.live_tracker import LiveTracker
from pvtpp.predictors.hold import Hold
from pvtpp.track import Track
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp.trajectory import Trajectory
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json


class Still:
    """A tracker of a target that stands, which takes its time."""

    def __init__(self, seconds: float):
        self._seconds, self._box = seconds, np.zeros(4)

    def init(self, frame: Frame, box: np.ndarray) -> None:
        """Start on the target."""
        self._box = box

    def track(self, frame: Frame, search_box: Optional[np.ndarray] = None) -> TrackerOutput:
        """Answer with the first box."""
        time.sleep(self._seconds)
        return TrackerOutput(self._box)


class Slow(Hold):
    """A predictor that reads features; reading and predicting take `seconds` each."""

    reads_features = True

    def __init__(self, seconds: float):
        self._seconds = seconds

    def encode(self, output: TrackerOutput) -> Any:
        """Take time."""
        time.sleep(self._seconds)

    def predict(self, track: Track) -> Trajectory:
        """Hold the newest box, after some time."""
        time.sleep(self._seconds)
        return super().predict(track)


def measure(predictor_s: float, options: argparse.Namespace) -> Dict[str, np.ndarray]:
    """Return seconds of each `submit` and of each `predict`."""
    seconds: Dict[str, List[float]] = {"submit": [], "predict": []}
    with LiveTracker(Still(options.tracker_ms / 1e3), {"slow": Slow(predictor_s)}) as live:
        live.init(Frame(0, time.time_ns()), np.array([50.0, 50.0, 20.0, 20.0]))
        for index in range(1, round(options.seconds * options.fps)):
            frame = Frame(index, time.time_ns())
            for name, call in (("submit", lambda frame=frame: live.submit(frame)), ("predict", live.predict)):
                begin = time.perf_counter()
                call()
                seconds[name].append(time.perf_counter() - begin)
            time.sleep(1 / options.fps)
    return {name: np.array(values) for name, values in seconds.items()}


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each run (default: %(default)s)")
    parser.add_argument("--fps", type=float, default=30.0, help="default: %(default)s")
    parser.add_argument("--tracker-ms", type=float, default=20.0, help="default: %(default)s")
    parser.add_argument("--predictor-ms", type=float, default=100.0, help="default: %(default)s")
    parser.add_argument("--json", metavar="FILE", help="also write the figures here")
    options = parser.parse_args(arguments)
    check_writable(options.json)
    rows: Dict[str, Any] = {}
    for name, predictor_s in (("no time", 0.0), ("slow", options.predictor_ms / 1e3)):
        rows[name] = {
            stage: {f"p{q}_us": round(float(np.percentile(values, q)) * 1e6, 1) for q in (50, 95, 99)}
            for stage, values in measure(predictor_s, options).items()
        }
        print(f"predictor and encoder: {name:>8}  {rows[name]}")
    if options.json:
        settings = {key: value for key, value in vars(options).items() if key != "json"}
        write_json(options.json, {"protocol": facts(0), "settings": settings, **rows})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
