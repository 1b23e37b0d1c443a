"""The paper's modules M and MV behind NanoTrack V3 on `uav-mini/test`, compared with one trajectory model.

    python -m pvtpp_benchmarks.studies.train_paper $PVTPP_DATA --weights $PVTPP_WEIGHTS/nanotrack --folder runs/paper
    python -m pvtpp_benchmarks.studies.n_head_tracked $PVTPP_DATA --folder runs/paper --json n_head_tracked.json

Four starts in each clip. NanoTrack V3 is simulated with 20, 47, 85 and 165 ms per frame, without propagation and with
the search region at its last result, so that all predictors use the same runs. `m` is the module of `train_paper` for
30 fps and the time of the row, `mv` the one that was trained for all times. AUC in mode `otb` at sigma 0, mean over
starts, then over clips; simulated clock; intervals are 95 % bootstrap over clips, paired. Clips of a 10 fps camera in a
30 fps world have rows of their own. Logs are kept: an interrupted run continues where it stopped.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from typing import Any, Dict, List, Tuple

import numpy as np

from pvtpp.progress import progress
from pvtpp_benchmarks.datasets.registry import load
from pvtpp_benchmarks.provenance import code_version, facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.runs import Job, RunSpec, jobs, obtain
from pvtpp_benchmarks.score import score_online
from pvtpp_benchmarks.studies.replay_table import RESAMPLES
from pvtpp_benchmarks.studies.train_paper import KAPPA, TIMES, joint_path, model_path
from pvtpp_trackers.factory import MakeTracker

TRACKER, SUBJECT = "nanotrack-v3", "motion"
CLASSICAL = ("hold", "kalman:size_aware")


def served(folder: str, time: str) -> Dict[str, str]:
    """Predictors of one processing time, by their name in the table."""
    modules = {"m": model_path(folder, KAPPA, time), "mv": joint_path(folder)}
    return {
        **{name: name for name in (*CLASSICAL, SUBJECT)},
        **{name: f"n_head:{path}" for name, path in modules.items()},
    }


def measure(job: Job, names: Dict[str, str], make_tracker: MakeTracker) -> Tuple[str, float, Dict[str, float]]:
    """The clip, its camera rate, and the AUC of each predictor."""
    log, _ = obtain(job, make_tracker)
    auc = {name: float(score_online(log, job.sequence, made).curves["auc"].value[0]) for name, made in names.items()}
    return job.sequence.name, job.sequence.camera_fps, auc


def interval(gaps: np.ndarray) -> Tuple[float, float]:
    """95 % interval of the mean of differences, of which there is one for each clip."""
    drawn = np.random.default_rng(0).integers(len(gaps), size=(RESAMPLES, len(gaps)))
    low, high = np.percentile(gaps[drawn].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def row(measured: List[Tuple[str, float, Dict[str, float]]], fps: float) -> Dict[str, Any]:
    """Means over the clips of one camera rate, and the lead of `SUBJECT` over each other predictor."""
    by_clip: Dict[str, List[Dict[str, float]]] = {}
    for clip, camera_fps, auc in measured:
        if camera_fps == fps:
            by_clip.setdefault(clip, []).append(auc)
    clips = [{name: float(np.mean([auc[name] for auc in runs])) for name in runs[0]} for runs in by_clip.values()]
    leads = {name: np.array([clip[SUBJECT] - clip[name] for clip in clips]) for name in clips[0] if name != SUBJECT}
    return {
        "clips": len(clips),
        "auc": {name: float(np.mean([clip[name] for clip in clips])) for name in clips[0]},
        "lead": {name: {"difference": float(gaps.mean()), "ci95": interval(gaps)} for name, gaps in leads.items()},
    }


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", help="folder with uav-mini/")
    parser.add_argument("--folder", default="runs/paper", help="folder of the modules that train_paper made")
    parser.add_argument("--logs", default="runs", help="where event logs are kept")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--version", default=code_version(), help="version of the code whose logs are used")
    parser.add_argument("--json")
    args = parser.parse_args()
    check_writable(args.json)
    dataset, show = load("uav-mini", os.path.join(args.root, "uav-mini"), "test"), progress()
    sequences, make_tracker = list(dataset), MakeTracker(TRACKER)
    rows: List[Dict[str, Any]] = []
    with ProcessPoolExecutor(args.workers) as pool:
        for time in TIMES:
            names = served(args.folder, time)
            spec = RunSpec(dataset.name, TRACKER, time, tuple(names.values()), starts=4, version=args.version)
            todo = jobs(sequences, spec, args.logs)
            measured = []
            for found in pool.map(measure, todo, [names] * len(todo), [make_tracker] * len(todo)):
                measured.append(found)
                show(f"{time} {len(measured)}/{len(todo)} {found[0]}")
            rows += [{"processing": time, "camera_fps": fps, **row(measured, fps)} for fps in (30.0, 10.0)]
    print(f"{'camera':>8}{'time':>7}" + "".join(f"{name:>19}" for name in rows[0]["auc"]))
    for each in rows:
        values = "".join(f"{value:19.4f}" for value in each["auc"].values())
        print(f"{each['camera_fps']:5g} fps{each['processing']:>7}{values}")
    if args.json:
        about = {"protocol": facts(0), "mode": "otb", "sigma": 0.0, "tracker": TRACKER, "starts": 4, "subject": SUBJECT}
        write_json(args.json, {**about, "rows": rows})


if __name__ == "__main__":
    main()
