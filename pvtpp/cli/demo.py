"""What does latency cost a tracker, and what does pvtpp win back? The main job in one go.

Tracks a generated aerial clip (a real one where PVTPP_DATA is set) with the best tracker at hand, as if it took
--processing per frame, in three ways: as it is (`hold`), with PVT's Kalman filter (`kalman:pvt`), and in the default
configuration of pvtpp. Prints the table and writes an e-LAE plot (with matplotlib) and a video with the stale and the
predicted box, and with what presence says of it.

  pvtpp demo --processing 165ms
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any, Dict, Optional, Sequence, Tuple

from pvtpp import defaults
from pvtpp.cli import output
from pvtpp.core.event_log import EventLog
from pvtpp.errors import InputError
from pvtpp.progress import download_progress, progress
from pvtpp_benchmarks.datasets import load
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.evaluate import evaluate
from pvtpp_benchmarks.grid import make_grid
from pvtpp_benchmarks.report.curves import check_plot
from pvtpp_benchmarks.report.files import check_writable
from pvtpp_benchmarks.runs import jobs, obtain
from pvtpp_benchmarks.spec import Grid
from pvtpp_trackers.factory import MakeTracker

BASELINE, PVT = "hold", "kalman:pvt"
PREDICTORS = (BASELINE, PVT, defaults.PREDICTOR)
REAL_SEQUENCE = "Surfing06"
NOTHING = 0.0005
"""A difference in AUC that three digits do not show."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--out", default="demo", metavar="DIR", help="where the results go (default demo)")
    parser.add_argument("--processing", default="85ms", metavar="T", help="the tracker's time per frame (default 85ms)")
    parser.add_argument(
        "--tracker", metavar="NAME", help=f"(default: {defaults.TRACKER} if its weights can be had, else csrt)"
    )
    parser.add_argument("--weights", metavar="PATH", help="folder with the tracker's weights")
    parser.add_argument(
        "--sequence", default=REAL_SEQUENCE, help=f"of uav-mini, with PVTPP_DATA set (default {REAL_SEQUENCE})"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the generated clip (default 1)")


def run(options: argparse.Namespace) -> None:
    """Run the demo."""
    out = Path(options.out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: cannot make the output folder ({error.strerror})") from None
    check_writable(str(out / "demo.json"))
    options.plot = _plot(out)
    sequence, dataset = _sequence(options)
    make_tracker, tracker = _tracker(options)
    print(
        f"{sequence.name}: {len(sequence)} frames at {sequence.camera_fps:g} fps; {tracker} as if it took "
        f"{options.processing} a frame"
    )
    grid = make_grid(
        dataset,
        tracker,
        tracker_digest=make_tracker.digest(),
        processing=(options.processing,),
        predictors=PREDICTORS,
        seed=options.seed,
    )
    logs = str(out / "logs")
    rows = evaluate([sequence], grid, make_tracker, logs, progress=progress())
    options.json, options.among = str(out / "demo.json"), None
    output.finish(options, rows, options.seed)
    made = {name: _log_of(name, grid, sequence, make_tracker, logs) for name in (BASELINE, defaults.PREDICTOR)}
    video = _video(sequence, made, out / "demo.mp4", f"{tracker}, {options.processing} per frame")
    plot = f"{options.plot} (AUC over permitted latency), " if options.plot else ""
    print(
        f"\nwritten: {options.json} (the rows), {plot}{video} (stale and predicted box)\n\n"
        f"{summary(rows, options.processing)}"
    )


def summary(rows: Sequence[Dict[str, Any]], processing: str) -> str:
    """Say in words what latency cost, and what was won back."""
    auc = {row["predictor"]: row["auc"] for row in rows}
    zero, stale, pvt, default = auc[None], auc[BASELINE], auc[PVT], auc[defaults.PREDICTOR]
    lost = zero - stale
    if lost < NOTHING:
        return f"At {processing} a frame latency cost nothing here: AUC {stale:.3f}, without latency {zero:.3f}."
    return (
        f"At {processing} a frame latency costs {lost:.3f} of {zero:.3f} AUC. PVT's Kalman filter "
        f"{_share(pvt - stale, lost)}, pvtpp {_share(default - stale, lost)}: {default:.3f}."
    )


def _share(gained: float, lost: float) -> str:
    """Say what was won back of a loss."""
    if abs(gained) < NOTHING:
        return "changes nothing"
    share = f"{abs(gained) / lost:.0%}"
    return f"wins back {share} of that" if gained > 0 else f"loses another {share} of that"


def _plot(out: Path) -> Optional[str]:
    """Where the plot goes; None, and said before the work begins, where there is nothing to draw it with."""
    path = str(out / "elae.png")
    try:
        check_plot(path)
    except InputError as error:
        print(f"No plot this time: {error}\n")
        return None
    return path


def _sequence(options: argparse.Namespace) -> Tuple[VideoSequence, str]:
    data = os.environ.get("PVTPP_DATA")
    if data:
        return load("uav-mini", os.path.join(data, "uav-mini"), "test")[options.sequence], "uav-mini"
    from pvtpp_benchmarks.synthetic import AerialClip, render

    return render(AerialClip(seed=options.seed)), "generated"


def _tracker(options: argparse.Namespace) -> Tuple[MakeTracker, str]:
    from pvtpp import weights

    name = options.tracker
    if name is None:
        try:
            weights.find(defaults.TRACKER, options.weights, download_progress())
            name = defaults.TRACKER
        except weights.MissingWeights as error:
            if options.weights:
                raise
            print(f"NanoTrack V3 is not at hand, CSRT takes its place ({error})\n")
            name = "csrt"
    return MakeTracker(name, options.weights if name == defaults.TRACKER else None), name


def _log_of(
    predictor: str, grid: Grid, sequence: VideoSequence, make_tracker: MakeTracker, logs: str
) -> Tuple[EventLog, str]:
    """The log of the run in which this predictor was; it is read, not run again."""
    spec = next(spec for spec in grid.specs() if predictor in spec.predictors)
    log, _ = obtain(jobs([sequence], spec, logs)[0], make_tracker)
    return log, predictor


def _video(sequence: VideoSequence, made: Dict[str, Tuple[EventLog, str]], path: Path, caption: str) -> str:
    from pvtpp_benchmarks.report import overlay, video

    def warn(text: str) -> None:
        print(f"pvtpp demo: warning: {text}", file=sys.stderr)

    (stale, hold), (predicted, name) = made.values()
    shown = {
        "last result": overlay.Shown(stale, hold, video.STALE),
        "predicted": overlay.Shown(predicted, name, video.PREDICTED),
    }
    video.write_video(str(path), overlay.frames(sequence, shown, caption), sequence.camera_fps, warn)
    return str(path)
