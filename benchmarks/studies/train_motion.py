"""Training of the committed motion weights; no clip or sequence of the reported tables is used.

    python -m pvtpp_benchmarks.studies.train_motion $PVTPP_DATA --folder runs/motion [--resume]

Training data: LaSOT without every twentieth sequence. Calibration of sigma: these left-out sequences and VisDrone-SOT.
Metrics on the card: VisDrone-SOT at its own speed and at three times that speed, truth and truth with 2 % noise, 20,
47, 85 and 165 ms on the simulated clock; AUC `otb`. DTB70, UAVDT, UAV123 and UAV20L are not used. `--skip-training`
makes the graph again from the checkpoint of the run, `--start FILE` continues from other weights. `--logged DIR` also
learns from the event logs below a folder: runs of real trackers on training clips, see `logged_runs`.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from typing import Dict, List

import numpy as np

from pvtpp_benchmarks.datasets.registry import load
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.studies.replay_table import CLASSICAL, TIMES, Job, measure

SPEEDS = (1, 3)


def annotated(root: str, archive: str, subset: str) -> Dict[str, np.ndarray]:
    """Ground truth ``[left, top, width, height]`` of a data set by sequence, each of shape ``(n, 4)``."""
    sequences = load("annotations", os.path.join(root, "annotations", archive), subset=subset)
    return {sequence.name: sequence.ground_truth_xywh for sequence in sequences}


def metrics(visdrone: Dict[str, np.ndarray], predictors: List[str], workers: int) -> Dict[str, Dict[str, float]]:
    """Mean AUC of each predictor at each speed, on the ground truth of VisDrone."""
    jobs = [
        Job(f"x{speed}", kind, time, 1, VideoSequence(name, rows[::speed]), None, tuple(predictors))
        for speed in SPEEDS
        for kind in ("truth", "noise")
        for time in TIMES
        for name, rows in visdrone.items()
    ]
    with ProcessPoolExecutor(workers) as executor:
        measured = list(executor.map(measure, jobs, chunksize=4))
    return {
        f"VisDrone x{speed}": {
            # The card does not say where the graph lies on this machine.
            "motion" if name.startswith("motion:") else name: round(
                float(np.mean([m.auc[name] for job, m in zip(jobs, measured) if job.dataset == f"x{speed}"])), 4
            )
            for name in predictors
        }
        for speed in SPEEDS
    }


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", help="folder with annotations/")
    parser.add_argument("--folder", default="runs/motion", help="checkpoints and logs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--skip-training", action="store_true")
    parser.add_argument("--start", metavar="FILE", help="weights (.safetensors) to start from")
    parser.add_argument("--logged", metavar="DIR", help="event logs of trackers on training clips to learn from too")
    parser.add_argument("--config", metavar="FILE", help="JSON with fields of MotionTraining to change")
    parser.add_argument("--output", help="write the graph, the weights and the card here instead of into the package")
    args = parser.parse_args()

    from pvtpp.export.motion import export, publish
    from pvtpp.networks.motion import load as load_weights
    from pvtpp.predictors.motion import WEIGHTS
    from pvtpp.training import config as configurations
    from pvtpp.training.calibration import Calibration, calibrate
    from pvtpp.training.fit import held_out
    from pvtpp.training.logged_windows import LoggedPool
    from pvtpp.training.motion import MotionTraining, averaged, finished, train

    lasot = annotated(args.root, "lasot_annos.tar.xz", "LaSOT")
    visdrone = annotated(args.root, "uav_annos.tar.xz", "VisDrone_jjs")
    apart = set(held_out(list(lasot)))
    kept = [rows for name, rows in lasot.items() if name in apart]
    given = {"seed": args.seed, "workers": args.workers}
    config = configurations.read(args.config, MotionTraining, **given) if args.config else MotionTraining(**given)
    real = None
    if args.logged:
        from pvtpp_benchmarks.studies import logged_runs

        clips = logged_runs.clips(args.root, logged_runs.LEARNT)
        history = config.network.history
        real = LoggedPool([logged_runs.run_of(*each, history) for each in logged_runs.logs(args.logged, clips)])
    start = load_weights(args.start)[0] if args.start else None
    if args.skip_training:
        network = finished(averaged(config, os.path.join(args.folder, "last.ckpt")), config.trust, start)
    else:
        learnt = [rows for name, rows in lasot.items() if name not in apart]
        network = train(config, learnt, kept, args.folder, args.resume, start=start, logged=real)
    calibration = Calibration(seed=args.seed)
    # VisDrone twice: it has half as many sequences.
    network = calibrate(network, calibration, [*kept, *visdrone.values(), *visdrone.values()])

    path = os.path.join(args.output or str(WEIGHTS.parent), WEIGHTS.name)
    export(network, path)
    command = f"python -m pvtpp_benchmarks.studies.train_motion $PVTPP_DATA --folder runs/motion --seed {args.seed}"
    card = {
        "data": "; ".join(
            [
                "LaSOT annotations without every twentieth sequence",
                *([real.describe()] if real else []),
                "sigma: those held out, and VisDrone-SOT test-dev",
            ]
        ),
        # Paths of this machine are named as the options' help names them.
        "command": command + " --start FILE" * bool(args.start) + " --logged DIR" * bool(args.logged),
        "start": os.path.basename(args.start) if args.start else None,
        "seed": args.seed,
        "training": asdict(config),
        "calibration": asdict(calibration),
        "metrics": metrics(visdrone, [*CLASSICAL, f"motion:{path}"], max(1, args.workers)),
    }
    publish(network, path, card)
    for speed, row in card["metrics"].items():
        print(speed, row)


if __name__ == "__main__":
    main()
