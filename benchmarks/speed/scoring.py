"""Time of scoring 51 permitted latencies x 70 sequences x 1 tracker, from logs in memory and from disk.

    python -m pvtpp_benchmarks.speed.scoring --json benchmarks/speed/scoring.json

The reference is the published procedure in the same run: for every sigma it writes one result file per sequence, found
by going through the time stamps, then reads all files and evaluates each. That gives curves alone; `with_details` adds
what a row of a result holds beside them (plots, latency, coverage, unpredictability). The 70 sequences are those of
DTB70 where PVTPP_DATA is set, tracked perfectly in 47 ms per frame, else random walks of about the same length.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Callable, Dict, List

import numpy as np

from pvtpp.boxes import box_to_xywh, xywh_to_box
from pvtpp.core.event_log import EventLog
from pvtpp.predictors import create
from pvtpp_benchmarks.datasets import load
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.metrics import SIGMAS
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import write_json
from pvtpp_benchmarks.score import score_online
from pvtpp_benchmarks.simulation import simulate

PROCESSING_NS = 47_000_000


def sequences() -> List[VideoSequence]:
    """DTB70 where PVTPP_DATA is set, else random walks."""
    root = os.environ.get("PVTPP_DATA")
    if root:
        return list(load("annotations", Path(root, "annotations", "uav_annos.tar.xz"), subset="DTB70_official"))
    rng = np.random.default_rng(0)
    walks = (rng.normal(scale=[3, 3, 0.1, 0.1], size=(225, 4)).cumsum(axis=0) + [600, 300, 60, 50] for _ in range(70))
    return [VideoSequence(f"walk{i}", walk) for i, walk in enumerate(walks)]


def ours(logs: List[EventLog], clips: List[VideoSequence], details: bool = False) -> np.ndarray:
    """AUC at the 51 permitted latencies, mean over sequences, shape ``(51,)``."""
    scores = [score_online(log, clip, "hold", "elae", details) for log, clip in zip(logs, clips)]
    return np.mean([score.curves["auc"].at(SIGMAS) for score in scores], axis=0)


def published_procedure(logs: List[EventLog], clips: List[VideoSequence], folder: Path) -> np.ndarray:
    """The same 51 values by the published procedure, with 51 x 70 text files in `folder`."""
    for sigma in SIGMAS:
        target = folder / f"{sigma:.2f}"
        target.mkdir(parents=True, exist_ok=True)
        for log, clip in zip(logs, clips):
            results = [row for row in log.rows if row[0] in ("init", "result")]
            newest, lines = 0, []
            for frame in range(len(clip.ground_truth_xywh)):
                due = (frame + sigma) / clip.world_fps * 1e9 + 1
                while newest < len(results) and results[newest][1] <= due:
                    newest += 1
                lines.append(",".join(map(str, box_to_xywh(results[newest - 1][4]))))
            (target / f"{clip.name}.txt").write_text("\n".join(lines) + "\n")
    curve = []
    for sigma in SIGMAS:
        scores = []
        for clip in clips:
            answers = np.loadtxt(folder / f"{sigma:.2f}" / f"{clip.name}.txt", delimiter=",")
            scores.append(_success(answers, clip.ground_truth_xywh))
        curve.append(np.mean(scores))
    return np.array(curve)


def _success(answers: np.ndarray, truth: np.ndarray) -> float:
    overlap = -np.ones(len(truth))
    known = (truth > 0).sum(axis=1) == 4
    a, b = truth[known], answers[known]
    side = np.minimum(a[:, :2] + a[:, 2:], b[:, :2] + b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    shared = np.maximum(side, 0).prod(axis=1)
    overlap[known] = np.minimum(shared / (a[:, 2] * a[:, 3] + b[:, 2] * b[:, 3] - shared), 1)
    return float(np.mean([np.sum(overlap > threshold) / len(truth) for threshold in np.arange(0, 1.05, 0.05)]))


def seconds(action: Callable[[], object], repeats: int) -> List[float]:
    """Seconds of each of so many calls of `action`."""
    taken = []
    for _ in range(repeats):
        begin = time.perf_counter()
        action()
        taken.append(time.perf_counter() - begin)
    return taken


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    clips = sequences()
    predictors = {"hold": create("hold")}
    logs = [
        simulate(
            clip,
            Oracle(clip),
            predictors,
            lambda frame: PROCESSING_NS,
            first_box=xywh_to_box(clip.ground_truth_xywh[0]),
        )
        for clip in clips
    ]
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder, f"{i}.jsonl")) for i in range(len(logs))]
        for log, path in zip(logs, paths):
            log.write(path)
        # Copies, since a log keeps tables that its first scoring has made.
        copies = [[EventLog(log.meta, log.rows) for log in logs] for _ in range(2 * options.repeats)]
        memory = seconds(lambda: ours(copies.pop(), clips), options.repeats)
        detailed = seconds(lambda: ours(copies.pop(), clips, details=True), options.repeats)
        disk = seconds(lambda: ours([EventLog.read(path) for path in paths], clips), options.repeats)
        reference: Dict[str, np.ndarray] = {}
        published = seconds(lambda: reference.update(v=published_procedure(logs, clips, Path(folder, "published"))), 1)
        difference = float(np.abs(reference["v"] - ours(logs, clips)).max())
    rows = {
        "memory_s": float(np.median(memory)),
        "memory_with_details_s": float(np.median(detailed)),
        "disk_s": float(np.median(disk)),
        "published_procedure_s": published[0],
    }
    for name, value in rows.items():
        print(f"{name:24}{value:8.3f}   {published[0] / value:6.0f}x")
    print(f"largest difference of the 51 AUC values: {difference:.2e}")
    if options.json:
        result = {
            "protocol": facts(0),
            "data": "DTB70" if os.environ.get("PVTPP_DATA") else "random walks",
            "sequences": len(clips),
            "sigmas": len(SIGMAS),
            "rows": rows,
            "largest_difference": difference,
        }
        write_json(options.json, result)


if __name__ == "__main__":
    main()
