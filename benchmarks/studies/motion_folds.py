"""Motion that learns from real trackers, on clips that were left out: the choice of how much of it is kept.

    python -m pvtpp_benchmarks.studies.motion_folds $PVTPP_DATA --logged runs/logged --start motion.safetensors
        --config motion.json --json benchmarks/studies/motion_folds.json

The clips of `logged_runs` are left out in turn, in five folds; a network learns from the others and from LaSOT, as
`train_motion` does. `TRUSTS` are shares of the change that are kept. AUC `otb` of every predictor on the logs of clips
left out: mean over starts and processing times, then over clips. `uav-mini/test` is not used.
"""

from __future__ import annotations

import argparse
import copy
import os
from dataclasses import asdict, replace
from typing import Any, Dict, List

import numpy as np

from pvtpp.core.event_log import EventLog
from pvtpp.core.replay import replay
from pvtpp.predictors import create
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.score import score_online
from pvtpp_benchmarks.studies import logged_runs
from pvtpp_benchmarks.studies.train_motion import annotated

TRUSTS = (0.5, 0.7, 1.0)
KALMAN = ("kalman:pvt", "kalman:size_aware")
Found = Dict[str, Any]
"""`tracker`, `propagation`, `clip` and `fps` of the camera of a log, and `auc` by predictor."""


def scored(log: EventLog, clip: VideoSequence, graphs: Dict[str, str]) -> Found:
    """AUC of the Kalman filters and of motion networks, by their names and graphs, on one log."""
    predictors = {**{name: create(name) for name in KALMAN}, **{n: create(f"motion:{p}") for n, p in graphs.items()}}
    again = replay(log, predictors)
    auc = {name: float(score_online(again, clip, name, details=False).curves["auc"].value[0]) for name in predictors}
    facts_of = {name: log.meta[name] for name in ("tracker", "propagation")}
    return {**facts_of, "clip": clip.name, "fps": clip.camera_fps, "auc": auc}


def table(found: List[Found]) -> List[Dict[str, Any]]:
    """Means over clips for each tracker, with and without propagation: all clips, and those of each camera rate."""
    rows = []
    for tracker, propagation in sorted({(each["tracker"], each["propagation"]) for each in found}):
        own = [each for each in found if (each["tracker"], each["propagation"]) == (tracker, propagation)]
        for fps in (None, *sorted({each["fps"] for each in own})):
            by_clip: Dict[str, List[Dict[str, float]]] = {}
            for each in own:
                if fps in (None, each["fps"]):
                    by_clip.setdefault(each["clip"], []).append(each["auc"])
            auc = {
                name: round(float(np.mean([np.mean([run[name] for run in runs]) for runs in by_clip.values()])), 4)
                for name in own[0]["auc"]
            }
            about = {"tracker": tracker, "propagation": propagation, "camera_fps": fps, "clips": len(by_clip)}
            rows.append({**about, "auc": auc})
    return rows


def show(rows: List[Dict[str, Any]]) -> None:
    """Print the table."""
    names = list(rows[0]["auc"])
    print(f"{'tracker':14}{'propagation':14}{'camera':>8}{'clips':>7}" + "".join(f"{name:>19}" for name in names))
    for row in rows:
        camera = "all" if row["camera_fps"] is None else f"{row['camera_fps']:g} fps"
        values = "".join(f"{row['auc'][name]:19.4f}" for name in names)
        print(f"{row['tracker']:14}{row['propagation']:14}{camera:>8}{row['clips']:7}{values}")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", help="folder with annotations/, uav-mini/ and uav-more/")
    parser.add_argument("--logged", metavar="DIR", required=True, help="event logs of trackers on training clips")
    parser.add_argument("--start", metavar="FILE", required=True, help="weights (.safetensors) to start from")
    parser.add_argument("--config", metavar="FILE", required=True, help="JSON with fields of MotionTraining to change")
    parser.add_argument("--folder", default="runs/motion-folds", help="checkpoints and graphs")
    parser.add_argument("--json")
    args = parser.parse_args()
    check_writable(args.json)

    from pvtpp.export.motion import export
    from pvtpp.networks.motion import load
    from pvtpp.training import config as configurations
    from pvtpp.training.fit import held_out
    from pvtpp.training.logged_windows import LoggedPool
    from pvtpp.training.motion import MotionTraining, finished, train

    config = replace(configurations.read(args.config, MotionTraining), trust=1.0)
    lasot = annotated(args.root, "lasot_annos.tar.xz", "LaSOT")
    apart = set(held_out(list(lasot)))
    learnt = [rows for name, rows in lasot.items() if name not in apart]
    kept = [lasot[name] for name in sorted(apart)]
    clips = logged_runs.clips(args.root, logged_runs.LEARNT)
    logs = list(logged_runs.logs(args.logged, clips))
    runs = [logged_runs.run_of(*each, config.network.history) for each in logs]
    start, _ = load(args.start)
    found: List[Found] = []
    for number, fold in enumerate(logged_runs.folds(sorted({clip.name for _, clip in logs}))):
        folder = os.path.join(args.folder, str(number))
        pool = LoggedPool([run for run in runs if run.clip not in fold])
        whole = train(config, learnt, kept, folder, start=start, logged=pool, progress=False)
        networks = {f"trust {trust:g}": finished(copy.deepcopy(whole), trust, start) for trust in TRUSTS}
        graphs = {name: os.path.join(folder, f"{name.replace(' ', '-')}.onnx") for name in ("start", *networks)}
        for name, network in {"start": start, **networks}.items():
            export(network, graphs[name])
        found += [scored(log, clip, graphs) for log, clip in logs if clip.name in fold]
    rows = table(found)
    show(rows)
    if args.json:
        about = {"protocol": facts(config.seed), "mode": "otb", "training": asdict(config)}
        write_json(args.json, {**about, "rows": rows})


if __name__ == "__main__":
    main()
