"""One trajectory model for all cameras and boards, compared with N-head modules that are trained for each of them.

    python -m pvtpp_benchmarks.studies.train_paper $PVTPP_DATA --folder runs/paper --modules m
    python -m pvtpp_benchmarks.studies.n_head_table $PVTPP_DATA --folder runs/paper --json n_head_table.json

The truth cells of `pvtpp_benchmarks.studies.replay_table` for cameras of 15, 30 and 60 fps; world and camera have the
same frames. The annotations have 30 fps. At 15 fps every second frame is left out. At 60 fps the same frames come at
half the interval, so videos are played at twice their speed: targets move twice as fast, and no box is interpolated.
`n_head` is in each cell the module M that `train_paper` trained for this rate and processing time; `motion` is the same
model in all cells. AUC in mode `otb` at sigma 0, mean over sequences, simulated clock; intervals are 95 % bootstrap
over sequences, paired. `--every N` takes only every N-th sequence.

Answers are kept in the folder as they come: after an interruption, or with more sequences, only missing ones are
computed. Answers of another version of the code are not used, unless `--version` names it.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Dict, List, Tuple

import numpy as np

from pvtpp import predictors
from pvtpp.errors import InputError
from pvtpp.predictors.motion import WEIGHTS
from pvtpp_benchmarks.datasets.registry import load
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.provenance import code_version, facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.studies.journal import Journal
from pvtpp_benchmarks.studies.replay_table import SETS, Job, Measured, Table, measure
from pvtpp_benchmarks.studies.train_paper import RATES, TIMES, model_path

ONE_FOR_ALL, TRAINED_FOR_ONE = "motion", "n_head"
COLUMNS = ("kalman:size_aware", ONE_FOR_ALL, TRAINED_FOR_ONE)


@dataclass(frozen=True)
class RateJob(Job):
    """One run at a camera rate.

    Attributes
    ----------
    fps
        Camera frames per second.
    module
        Path of the N-head graph that was trained for this rate and time.
    """

    fps: float = 30.0
    module: str = ""

    @property
    def cell(self) -> Tuple[str, str, str]:
        """Data set, kind, and camera rate with processing time."""
        return self.dataset, self.kind, f"{self.fps:g} fps/{self.time}"

    def key(self, version: str) -> Tuple[Any, ...]:
        """All that the answer depends on."""
        made = [predictors.digest(f"n_head:{self.module}"), predictors.digest(f"{ONE_FOR_ALL}:{WEIGHTS}")]
        return (version, *made, *self.cell, self.seed, self.sequence.name)


def at_rate(sequence: VideoSequence, fps: float) -> VideoSequence:
    """The sequence at a camera of `fps`: with frames left out, or played faster."""
    skip = max(1, round(sequence.world_fps / fps))
    return VideoSequence(sequence.name, sequence.ground_truth_xywh[::skip], fps, fps)


def make_jobs(root: str, folder: str, rates: Tuple[float, ...], every: int, seeds: int) -> List[RateJob]:
    """The runs of the table; InputError where a module is missing in `folder`."""
    modules = {(fps, time): model_path(folder, fps, time) for fps in rates for time in TIMES}
    missing = [path for path in modules.values() if not os.path.isfile(path)]
    if missing:
        raise InputError(f"{missing[0]}: no such module; make it with pvtpp_benchmarks.studies.train_paper")
    archive, jobs = os.path.join(root, "annotations", "uav_annos.tar.xz"), []
    for dataset, subset in SETS.items():
        sequences = list(load("annotations", archive, subset=subset))[::every]
        for (fps, time), module in modules.items():
            for sequence in sequences:
                shown = at_rate(sequence, fps)
                for seed in range(seeds + 1):
                    kind = "noise" if seed else "truth"
                    jobs.append(RateJob(dataset, kind, time, seed, shown, None, COLUMNS, ONE_FOR_ALL, fps, module))
    return jobs


def measure_at_rate(job: RateJob) -> Dict[str, float]:
    """AUC by column; the module of the cell is in the column of all modules."""
    served = f"n_head:{job.module}"
    found = measure(replace(job, predictors=(*COLUMNS[:-1], served))).auc
    return {TRAINED_FOR_ONE if name == served else name: auc for name, auc in found.items()}


def summary(table: Table) -> Dict[str, Any]:
    """AUC of the one model minus that of the modules: over all cells, by camera rate, in the worst and best cell."""
    a, b = (table.predictors.index(name) for name in (ONE_FOR_ALL, TRAINED_FOR_ONE))
    gaps = {"/".join(cell): float((auc[:, a] - auc[:, b]).mean()) for cell, auc in table.auc.items()}
    groups = {"all": list(table.auc)}
    groups.update(
        {f"{fps:g} fps": [cell for cell in table.auc if cell[2].startswith(f"{fps:g} fps/")] for fps in RATES}
    )
    groups = {title: cells for title, cells in groups.items() if cells}
    return {
        "cells": len(gaps),
        "ahead": sum(gap > 0 for gap in gaps.values()),
        "worst": min(gaps.items(), key=lambda item: item[1]),
        "best": max(gaps.items(), key=lambda item: item[1]),
        "means": {
            title: {
                "auc": dict(zip(table.predictors, table.mean(cells).round(4).tolist())),
                "difference": float(table.mean(cells)[a] - table.mean(cells)[b]),
                "ci95": table.interval(cells, a, b),
            }
            for title, cells in groups.items()
        },
    }


def show(table: Table, found: Dict[str, Any]) -> None:
    """Print the table and its summary."""
    print(f"{'cell':32}" + "".join(f"{name:>19}" for name in table.predictors))
    for cell, auc in table.auc.items():
        print(f"{' '.join(cell):32}" + "".join(f"{value:19.4f}" for value in auc.mean(axis=0)))
    for title, each in found["means"].items():
        low, high = each["ci95"]
        values = "".join(f"{value:19.4f}" for value in each["auc"].values())
        gap = f"{ONE_FOR_ALL} - {TRAINED_FOR_ONE}: {each['difference']:+.4f} [{low:+.4f}, {high:+.4f}]"
        print(f"{'mean, ' + title:32}{values}   {gap}")
    ahead = f"{ONE_FOR_ALL} ahead in {found['ahead']} of {found['cells']} cells"
    print(f"{ahead}; worst {found['worst']}, best {found['best']}")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", help="folder with annotations/")
    parser.add_argument("--folder", default="runs/paper", help="folder of the modules that train_paper made")
    parser.add_argument("--rates", default=",".join(f"{fps:g}" for fps in RATES), help="cameras, frames per second")
    parser.add_argument("--seeds", type=int, default=2, help="draws of the noise")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--every", type=int, default=1, help="take only every N-th sequence")
    parser.add_argument("--version", default=code_version(), help="version of the code whose answers are used")
    parser.add_argument("--json")
    args = parser.parse_args()
    check_writable(args.json)
    jobs = make_jobs(args.root, args.folder, tuple(map(float, args.rates.split(","))), args.every, args.seeds)
    journal, keys = Journal(os.path.join(args.folder, "n_head_table.jsonl")), [job.key(args.version) for job in jobs]
    todo = [(key, job) for key, job in zip(keys, jobs) if journal.get(key) is None]
    with ProcessPoolExecutor(args.workers) as executor:
        answers = executor.map(measure_at_rate, [job for _, job in todo], chunksize=4)
        for number, (answer, (key, _)) in enumerate(zip(answers, todo), 1):
            journal.add([(key, answer)])
            if number % 100 == 0:
                print(f"{number}/{len(todo)} runs", file=sys.stderr, flush=True)
    table = Table(list(jobs), [Measured(journal.get(key), np.zeros((2, 2)), 0) for key in keys])
    found = summary(table)
    show(table, found)
    if args.json:
        cells = [
            {"cell": list(cell), "sequences": len(auc), "auc": dict(zip(COLUMNS, auc.mean(axis=0).tolist()))}
            for cell, auc in table.auc.items()
        ]
        about = {"protocol": facts(0), "mode": "otb", "sigma": 0.0, "every": args.every, "seeds": args.seeds}
        write_json(args.json, {**about, "summary": found, "cells": cells})


if __name__ == "__main__":
    main()
