"""The main job in one go: how good is a tracker when the world does not wait for it, and what does prediction give back?

Tracks a generated aerial clip (a real one where PVTPP_DATA is set) with the best tracker at hand, as if it took
--processing per frame: prints the table and writes an e-LAE plot and a video with the stale and the predicted box.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Iterator, Tuple

import numpy as np

from pvtpp import defaults
from pvtpp.boxes import xywh_to_box
from pvtpp.cli import output
from pvtpp.core.event_log import EventLog
from pvtpp.errors import InputError
from pvtpp.progress import download_progress, progress
from pvtpp_benchmarks.datasets import load
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.evaluate import Grid, evaluate
from pvtpp_benchmarks.report.files import check_writable
from pvtpp_benchmarks.runs import jobs, obtain
from pvtpp_benchmarks.spec import RunSpec
from pvtpp_trackers.factory import MakeTracker

PREDICTORS = ("hold", "constant_velocity", "kalman", defaults.PREDICTOR)
REAL_SEQUENCE = "Surfing06"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", default="demo", metavar="DIR", help="where the results go (default demo)")
    parser.add_argument("--processing", default="85ms", metavar="T", help="the tracker's time per frame (default 85ms)")
    parser.add_argument(
        "--tracker", metavar="NAME", help=f"(default: {defaults.TRACKER} if its weights can be had, else csrt)"
    )
    parser.add_argument("--weights", metavar="PATH", help="folder with the tracker's weights")
    parser.add_argument(
        "--sequence", default=REAL_SEQUENCE, help=f"of uav-mini, with PVTPP_DATA set (default {REAL_SEQUENCE})"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the generated clip")


def run(options: argparse.Namespace) -> None:
    out = Path(options.out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: cannot make the output folder ({error.strerror})") from None
    check_writable(str(out / "demo.json"))
    sequence, dataset = _sequence(options)
    make_tracker, tracker = _tracker(options)
    print(
        f"{sequence.name}: {len(sequence)} frames at {sequence.camera_fps:g} fps; {tracker} at {options.processing} a frame"
    )
    spec = RunSpec(dataset, tracker, options.processing, predictors=PREDICTORS, seed=options.seed)
    grid = Grid(spec, (options.processing,), PREDICTORS)
    logs = str(out / "logs")
    rows = evaluate([sequence], grid, make_tracker, logs, progress=progress())
    options.json, options.plot = str(out / "demo.json"), str(out / "elae.png")
    output.finish(options, rows, options.seed)
    log, _ = obtain(jobs([sequence], spec, logs)[0], make_tracker)
    video = _video(sequence, log, out / "demo.mp4", options.processing)
    print(
        f"\nwritten: {options.json} (the rows), {options.plot} (AUC over permitted latency), {video} (stale and predicted box)"
    )


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


def _video(sequence: VideoSequence, log: EventLog, path: Path, processing: str) -> str:
    from pvtpp_benchmarks.report.video import write_video

    write_video(str(path), _drawn(sequence, log, processing), sequence.camera_fps)
    return str(path)


def _drawn(sequence: VideoSequence, log: EventLog, processing: str) -> Iterator[np.ndarray]:
    """Each camera frame with the boxes an observer had at that moment."""
    from pvtpp_benchmarks.report import video

    held, predicted = (_at_frames(log, name, sequence.camera_t_ns) for name in ("hold", defaults.PREDICTOR))
    truth = xywh_to_box(sequence.ground_truth_xywh[:: sequence.stride])
    for i in range(len(sequence)):
        boxes = {"last result": (held[i], video.STALE), "predicted": (predicted[i], video.PREDICTED)}
        if np.isfinite(truth[i]).all():
            boxes = {"truth": (truth[i], video.TRUTH), **boxes}
        yield video.draw_boxes(sequence.frame(i).image, boxes, f"{log.meta['tracker']}, {processing} per frame")


def _at_frames(log: EventLog, predictor: str, t_ns: np.ndarray) -> np.ndarray:
    available, table = log.trajectories(predictor)
    newest = np.searchsorted(available, t_ns, side="right") - 1
    return table.boxes(newest, t_ns)
