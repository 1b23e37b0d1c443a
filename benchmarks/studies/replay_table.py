"""The replay table: predictors on recorded or ideal tracker results, on the simulated clock; no image is needed.

    python -m pvtpp_benchmarks.studies.replay_table $PVTPP_DATA --json replay_table.json

Truth cells: DTB70, UAVDT, UAV123 and UAV20L, without the videos that `motion` has learnt from. The tracker answers with
the truth, or with the truth and independent noise of 2 % of the target's size (five seeds), at 20, 47, 85 and 165 ms.
Result cells: files of four published trackers on DTB70 at the same times. All predictors use the same runs. AUC in mode
`otb` at sigma 0, mean over sequences; intervals are 95 % bootstrap over sequences, paired. Coverage: the share of
frames whose centre and size lie within the stated 50 % and 90 % intervals.

`--fast` takes every fourth sequence and one seed. `--journal FILE` keeps what was measured: a run that was stopped
continues where it was, and of a new predictor only its own cells are measured. Begin a new journal when code other than
that of a predictor has changed.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from pvtpp.boxes import xywh_to_box
from pvtpp.core.event_log import EventLog
from pvtpp.predictors import Predictor, create, digest
from pvtpp.predictors.motion import WEIGHTS, WITHIN, Motion
from pvtpp.trajectory import Trajectory
from pvtpp_benchmarks.datasets.registry import load
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.formats import read_results
from pvtpp_benchmarks.held_out import NOISE
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.score import score_online
from pvtpp_benchmarks.studies import bulk
from pvtpp_benchmarks.studies.journal import Journal
from pvtpp_trackers.replay import ReplayTracker

SETS = {"DTB70": "DTB70_official", "UAVDT": "UAVDT_ta", "UAV123": "UAV123", "UAV20L": "UAV123_20L"}
TRACKERS = ("LightTrack", "NanoTrack", "NanoTrackV3", "SiamAPN++")
TIMES = ("20ms", "47ms", "85ms", "165ms")
CLASSICAL = ("hold", "constant_velocity", "kalman:pvt", "kalman:size_aware")
LEARNT = {"boat1", "boat5", "car16", "group1", "person12", "truck4", "wakeboard3"}
"""Videos of UAV123 that `motion` has learnt from. No sequence that is cut from them is counted."""
RESAMPLES = 2000
# Shares and the multiples of sigma that contain them, for predictors that state no others: those of a Gaussian.
GAUSSIAN = ((0.5, 0.67449), (0.9, 1.64485))


def video(name: str) -> str:
    """The video that a sequence is cut from: ``car16`` for ``car16_2``."""
    base, _, part = name.rpartition("_")
    return base if base and part.isdigit() else name


@dataclass(frozen=True)
class Job:
    """One run of one sequence in one cell.

    Attributes
    ----------
    dataset
        Name of the data set.
    kind
        ``truth``, ``noise``, or the tracker whose results are replayed.
    time
        Processing time as text.
    seed
        Seed of the noise.
    sequence
        The annotated sequence.
    results
        Recorded boxes ``[left, top, width, height]`` of the tracker, shape ``(frames, 4)``; None for ideal results.
    predictors
        Names of the predictors.
    subject
        The predictor whose intervals are counted.
    """

    dataset: str
    kind: str
    time: str
    seed: int
    sequence: VideoSequence
    results: Optional[np.ndarray]
    predictors: Tuple[str, ...]
    subject: str = "hold"

    @property
    def cell(self) -> Tuple[str, str, str]:
        """Data set, kind and processing time."""
        return self.dataset, self.kind, self.time


@dataclass(frozen=True)
class Measured:
    """The figures of one run.

    Attributes
    ----------
    auc
        AUC by predictor.
    within
        Number of the subject's coordinates within the 50 % and the 90 % interval (rows), of centre and size (columns),
        shape ``(2, 2)``.
    frames
        Number of frames with a target.
    """

    auc: Dict[str, float]
    within: np.ndarray
    frames: int


@lru_cache(maxsize=None)
def _predictor(name: str) -> Predictor:
    return create(name)


def measure(job: Job) -> Measured:
    """Run and score one job."""
    sequence = job.sequence
    tracker: Any = ReplayTracker(job.results) if job.results is not None else None
    tracker = tracker or Oracle(sequence, NOISE if job.kind == "noise" else 0.0, seed=job.seed)
    log = bulk.run(sequence, tracker, {name: _predictor(name) for name in job.predictors}, job.time)
    auc = {name: float(score_online(log, sequence, name).curves["auc"].value[0]) for name in job.predictors}
    within = np.zeros((2, 2))
    if job.subject in job.predictors:
        within = coverage(
            log, sequence, job.subject, WITHIN if isinstance(_predictor(job.subject), Motion) else GAUSSIAN
        )
    return Measured(auc, within, int(np.isfinite(sequence.ground_truth_xywh).all(axis=1).sum()))


def measure_all(jobs: List[Job], workers: int, journal: Journal) -> List[Measured]:
    """Measure every job on `workers` processes, in the order of `jobs`; what the journal has is not measured again."""
    names = {name for job in jobs for name in job.predictors}
    digests = {name: digest(f"motion:{WEIGHTS}" if name == "motion" else name) for name in names}

    def key(job: Job, name: str) -> tuple:
        # Intervals are counted for the subject only, so its entries differ from those of other predictors.
        return (*job.cell, job.seed, job.sequence.name, len(job.sequence), name, digests[name], name == job.subject)

    missing = {i: tuple(n for n in job.predictors if journal.get(key(job, n)) is None) for i, job in enumerate(jobs)}
    # Seed by seed, so that a run that is stopped leaves a whole table with fewer seeds.
    todo = sorted((i for i in missing if missing[i]), key=lambda i: jobs[i].seed)
    with ProcessPoolExecutor(workers) as executor:
        made = executor.map(measure, [replace(jobs[i], predictors=missing[i]) for i in todo], chunksize=4)
        for number, (i, each) in enumerate(zip(todo, made), 1):
            within = each.within.tolist()
            journal.add([(key(jobs[i], name), [auc, within, each.frames]) for name, auc in each.auc.items()])
            if number % 200 == 0:
                print(f"{number}/{len(todo)} runs", file=sys.stderr, flush=True)
    measured = []
    for job in jobs:
        rows = {name: journal.get(key(job, name)) for name in job.predictors}
        subject = rows.get(job.subject, next(iter(rows.values())))
        measured.append(Measured({name: row[0] for name, row in rows.items()}, np.array(subject[1]), subject[2]))
    return measured


def coverage(log: EventLog, sequence: VideoSequence, predictor: str, within: Tuple = GAUSSIAN) -> np.ndarray:
    """Count the coordinates within the 50 % and the 90 % interval, over frames with a target.

    Parameters
    ----------
    log, sequence, predictor
        The run, and the predictor to count for.
    within
        Shares and the multiples of sigma that contain them.

    Returns
    -------
    ndarray
        Counts by interval (rows) of centre and size (columns), shape ``(2, 2)``.
    """
    rows = [row for row in log.of_kind("trajectory") if row[2] == predictor]
    # At permitted latency 0, with the pairing's tolerance for rounded times.
    newest = np.searchsorted(np.array([row[1] for row in rows]), sequence.world_t_ns + 16, side="right") - 1
    truth = xywh_to_box(sequence.ground_truth_xywh)
    counts, current, trajectory = np.zeros((2, 2)), -1, None
    for t_ns, index, box in zip(sequence.world_t_ns.tolist(), newest.tolist(), truth):
        if index < 0 or not np.isfinite(box).all():
            continue
        if index != current or trajectory is None:
            current, trajectory = index, Trajectory.from_row(rows[index][3:])
        answer = trajectory.at(t_ns)
        ratio = np.abs(box - answer.box) / answer.sigma
        for i, (_, bound) in enumerate(within):
            hits = ratio <= bound
            counts[i] += hits[:2].sum(), hits[2:].sum()
    return counts


def make_jobs(root: str, predictors: Tuple[str, ...], subject: str, fast: bool, seeds: int) -> List[Job]:
    """The runs of the table."""
    jobs = []
    archive = os.path.join(root, "annotations", "uav_annos.tar.xz")
    for dataset, subset in SETS.items():
        sequences = [each for each in load("annotations", archive, subset=subset) if video(each.name) not in LEARNT]
        sequences = sequences[:: 4 if fast else 1]
        for time in TIMES:
            for sequence in sequences:
                jobs.append(Job(dataset, "truth", time, 0, sequence, None, predictors, subject))
                for seed in range(1, seeds + 1):
                    jobs.append(Job(dataset, "noise", time, seed, sequence, None, predictors, subject))
    sequences = list(load("annotations", archive, subset=SETS["DTB70"]))[:: 4 if fast else 1]
    for tracker in TRACKERS:
        results = read_results(os.path.join(root, "results", "DTB70", tracker), [s.name for s in sequences])
        jobs += [
            Job("DTB70", tracker, time, 0, s, results[s.name].xywh[0], predictors, subject)
            for time in TIMES
            for s in sequences
        ]
    return jobs


class Table:
    """The figures of all cells.

    Attributes
    ----------
    predictors
        Names of the predictors.
    auc
        By cell the AUC of each sequence (mean over seeds) and predictor, shape ``(sequences, predictors)``.
    within, frames
        By data set the sums of `Measured.within` and `Measured.frames` over truth cells.
    """

    def __init__(self, jobs: List[Job], measured: List[Measured]):
        self.predictors = jobs[0].predictors
        found: Dict[tuple, Dict[str, List[List[float]]]] = {}
        self.within: Dict[str, np.ndarray] = {}
        self.frames: Dict[str, int] = {}
        for job, each in zip(jobs, measured):
            rows = found.setdefault(job.cell, {}).setdefault(job.sequence.name, [])
            rows.append([each.auc[name] for name in self.predictors])
            if job.results is None:
                self.within[job.dataset] = self.within.get(job.dataset, 0) + each.within
                self.frames[job.dataset] = self.frames.get(job.dataset, 0) + each.frames
        self.auc = {cell: np.array([np.mean(rows, axis=0) for rows in by.values()]) for cell, by in found.items()}

    def truth_cells(self) -> List[tuple]:
        """The cells of ideal results."""
        return [cell for cell in self.auc if cell[1] in ("truth", "noise")]

    def result_cells(self) -> List[tuple]:
        """The cells of recorded results."""
        return [cell for cell in self.auc if cell[1] not in ("truth", "noise")]

    def mean(self, cells: List[tuple]) -> np.ndarray:
        """AUC of each predictor, mean over sequences, then over cells."""
        return np.mean([self.auc[cell].mean(axis=0) for cell in cells], axis=0)

    def interval(self, cells: List[tuple], a: int, b: int) -> Tuple[float, float]:
        """95 % interval of the mean over cells of the AUC of predictor number `a` minus that of `b`.

        The cells of a data set have the same resampled sequences.
        """
        rng = np.random.default_rng(0)
        total = np.zeros(RESAMPLES)
        for dataset in dict.fromkeys(cell[0] for cell in cells):
            gaps = np.mean([self.auc[c][:, a] - self.auc[c][:, b] for c in cells if c[0] == dataset], axis=0)
            share = sum(c[0] == dataset for c in cells) / len(cells)
            total += share * gaps[rng.integers(len(gaps), size=(RESAMPLES, len(gaps)))].mean(axis=1)
        low, high = np.percentile(total, [2.5, 97.5])
        return float(low), float(high)

    def summary(self, predictor: str) -> Dict[str, Any]:
        """Differences of `predictor` to each other one, and to the best classical predictor of each cell."""
        i = self.predictors.index(predictor)
        rivals = [self.predictors.index(name) for name in CLASSICAL if name in self.predictors]
        behind = {"/".join(c): float(v.mean(0)[i] - v.mean(0)[rivals].max()) for c, v in self.auc.items()}
        worst = min(behind, key=lambda cell: behind[cell])
        parts = (("truth", self.truth_cells()), ("result", self.result_cells()))
        return {
            "worst_cell": {"cell": worst, "difference": behind[worst]},
            **{
                f"{part}_cells": {
                    name: {
                        "difference": float(self.mean(cells)[i] - self.mean(cells)[j]),
                        "ci95": self.interval(cells, i, j),
                    }
                    for j, name in enumerate(self.predictors)
                    if j != i
                }
                for part, cells in parts
            },
        }

    def coverage(self) -> Dict[str, Dict[str, List[float]]]:
        """By data set the shares of coordinates within the 50 % and 90 % intervals, in truth cells, for the subject."""
        return {
            dataset: {
                what: [float(share) for share in counts[:, column] / (2 * self.frames[dataset])]
                for column, what in enumerate(("centre", "size"))
            }
            for dataset, counts in self.within.items()
        }


def show(table: Table, predictor: str) -> None:
    """Print the table and how `predictor` compares with the others."""
    names = table.predictors
    rivals = [names.index(name) for name in CLASSICAL if name in names]
    i = names.index(predictor)
    print(f"{'cell':26}" + "".join(f"{name:>19}" for name in names) + f"{predictor + ' - best classical':>36}")
    for cell, auc in table.auc.items():
        mean = auc.mean(axis=0)
        best = max(rivals, key=lambda j: mean[j])
        low, high = table.interval([cell], i, best)
        line = "".join(f"{value:19.4f}" for value in mean)
        print(f"{' '.join(cell):26}{line}{mean[i] - mean[best]:+16.4f} [{low:+.4f}, {high:+.4f}]")
    for title, cells in (
        ("mean over truth cells", table.truth_cells()),
        ("mean over result cells", table.result_cells()),
    ):
        print(f"{title:26}" + "".join(f"{value:19.4f}" for value in table.mean(cells)))
    summary = table.summary(predictor)
    for part in ("truth_cells", "result_cells"):
        for name, each in summary[part].items():
            low, high = each["ci95"]
            print(f"{part}: {predictor} - {name}: {each['difference']:+.4f} [{low:+.4f}, {high:+.4f}]")
    print(f"worst cell: {summary['worst_cell']['cell']} {summary['worst_cell']['difference']:+.4f}")
    for dataset, by in table.coverage().items():
        print(
            f"coverage {dataset}: "
            + ", ".join(f"{what} {a:.1%} in 50 %, {b:.1%} in 90 %" for what, (a, b) in by.items())
        )


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", help="folder with annotations/ and results/")
    parser.add_argument("--predictors", default=",".join((*CLASSICAL, "motion")))
    parser.add_argument("--subject", default="motion", help="the predictor that is compared with the others")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--fast", action="store_true", help="every fourth sequence, one seed")
    parser.add_argument("--journal", help="file of what was measured, to continue from")
    parser.add_argument("--json")
    args = parser.parse_args()
    check_writable(args.json)
    predictors = tuple(args.predictors.split(","))
    jobs = make_jobs(args.root, predictors, args.subject, args.fast, 1 if args.fast else args.seeds)
    table = Table(jobs, measure_all(jobs, args.workers, Journal(args.journal)))
    show(table, args.subject)
    if args.json:
        cells = [
            {"cell": list(cell), "sequences": len(auc), "auc": dict(zip(predictors, auc.mean(axis=0).tolist()))}
            for cell, auc in table.auc.items()
        ]
        content = {"cells": cells, "summary": table.summary(args.subject), "coverage": table.coverage()}
        write_json(args.json, {"protocol": facts(0), "mode": "otb", "sigma": 0.0, "fast": args.fast, **content})


if __name__ == "__main__":
    main()
