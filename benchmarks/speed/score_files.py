"""Time of scoring 27 trackers x 3 data sets x 51 permitted latencies from their result files, on two cores.

    python -m pvtpp_benchmarks.speed.score_files "$PVTPP_DATA" --json benchmarks/speed/score_files.json

The data sets are DTB70, UAVDT and UAV123: 243 sequences, 166 thousand frames. Eight trackers on DTB70 are real MATLAB
result sets at their recorded frame rates; all other files are box files of text, the annotations with noise, at 8 to
150 ms a frame. All that it takes is timed, from the first file opened to the rows of the result; making the files is
not. The one tracker in memory is timed by `pvtpp_benchmarks.speed.scoring`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from pvtpp_benchmarks.datasets import load
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.formats import SequenceBoxes, read_results, write_results
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import write_json
from pvtpp_benchmarks.score_files import score_files

SETS = {"DTB70": "DTB70_official", "UAVDT": "UAVDT_ta", "UAV123": "UAV123"}
TRACKERS = 27
PROCESSES = 2


class Cell(NamedTuple):
    """One tracker on one data set: where its files are, and what it takes."""

    dataset: str
    tracker: str
    folder: str
    processing: str


def truth_of(root: str, dataset: str) -> List[VideoSequence]:
    """Read the truth of one data set."""
    return list(load("annotations", os.path.join(root, "annotations", "uav_annos.tar.xz"), subset=SETS[dataset]))


def make_cells(root: str, folder: str, trackers: int = TRACKERS) -> List[Cell]:
    """List the cells, the longest first; the files that are not there are made under `folder`."""
    matlab = os.path.join(root, "results", "DTB70-matlab")
    real = sorted(os.listdir(matlab)) if os.path.isdir(matlab) else []
    cells = []
    for dataset in sorted(SETS, reverse=True):
        clips = truth_of(root, dataset)
        for number in range(trackers):
            if dataset == "DTB70" and number < len(real):
                place = os.path.join(matlab, real[number])
                cells.append(Cell(dataset, real[number], place, f"results:{place}"))
                continue
            rng = np.random.default_rng(number)
            place = os.path.join(folder, dataset, f"T{number}")
            made = {clip.name: SequenceBoxes(_noisy(clip.ground_truth_xywh, rng)) for clip in clips}
            write_results(place, made)
            cells.append(Cell(dataset, f"T{number}", place, f"{8 + 142 * number / trackers:.1f}ms"))
    order = list(SETS)
    return sorted(cells, key=lambda cell: order.index(cell.dataset), reverse=True)


def _noisy(xywh: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    known = np.where(np.isfinite(xywh), xywh, 20.0)
    return np.round(known + rng.normal(scale=0.1 * known[:, 2:].mean(), size=known.shape), 4)


def score(job: Tuple[Cell, List[VideoSequence]]) -> Dict[str, Any]:
    """Score one cell: read its files, and make its row."""
    cell, clips = job
    lengths = {clip.name: len(clip) for clip in clips}
    results = read_results(cell.folder, lengths, lengths)
    (row,) = score_files(cell.tracker, results, clips, cell.dataset, cell.processing, ("elae",))
    return row


def score_all(root: str, cells: List[Cell], processes: int = PROCESSES) -> List[Dict[str, Any]]:
    """Score all cells in so many processes."""
    clips = {dataset: truth_of(root, dataset) for dataset in {cell.dataset for cell in cells}}
    jobs = [(cell, clips[cell.dataset]) for cell in cells]
    if processes == 1:
        return [score(job) for job in jobs]
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        return pool.map(score, jobs, chunksize=1)


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", help="folder with annotations/ and results/")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--trackers", type=int, default=TRACKERS)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args(arguments)
    walls, cpus, rows = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        cells = make_cells(options.root, folder, options.trackers)
        for _ in range(options.repeats):
            before, begin = _cpu(), time.perf_counter()
            rows = score_all(options.root, cells)
            walls.append(time.perf_counter() - begin)
            cpus.append(_cpu() - before)
    found = {
        "wall_s": float(np.median(walls)),
        "cpu_s": float(np.median(cpus)),
        "frames": sum(row["frames"] for row in rows),
        "runs": sum(row["runs"] for row in rows),
    }
    found["runs_per_cpu_s"] = found["runs"] / found["cpu_s"]
    for name, value in found.items():
        print(f"{name:16}{value:12.2f}")
    if options.json:
        result = {
            "protocol": facts(0),
            "processes": PROCESSES,
            "trackers": options.trackers,
            "sets": list(SETS),
            "sigmas": 51,
            "walls_s": walls,
            "rows": found,
            "mauc": {f"{row['dataset']} {row['tracker']}": round(row["mauc"], 6) for row in rows},
        }
        write_json(options.json, result)
    return 0


def _cpu() -> float:
    """Seconds of processor time of this process and of those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


if __name__ == "__main__":
    sys.exit(main())
