"""Score published result files online, as if their tracker had been as fast or slow as you say. No image is needed.

  pvtpp replay --results data/results/DTB70/NanoTrackV3 --dataset annotations --root data/annotations/uav_annos.tar.xz \\
      --subset DTB70_official --processing 47ms,85ms
"""

from __future__ import annotations

import argparse
import hashlib
import os
from dataclasses import dataclass
from typing import Dict

import numpy as np

from benchmarks.datasets.results import load_results
from benchmarks.datasets.sequence import Sequence
from benchmarks.evaluate import evaluate
from benchmarks.report.files import check_writable
from pvtpp.cli import common
from pvtpp.cli.eval import make_grid
from pvtpp.errors import InputError
from pvtpp.tracker import Tracker


@dataclass(frozen=True)
class MakeReplay:
    """Makes the replaying tracker of each sequence."""

    results: Dict[str, np.ndarray]

    def __call__(self, sequence: Sequence) -> Tracker:
        from trackers.replay import ReplayTracker

        return ReplayTracker(self.results[sequence.name])

    def digest(self) -> str:
        """Tells these results from others of the same tracker name."""
        content = hashlib.sha256()
        for name in sorted(self.results):
            content.update(name.encode() + self.results[name].tobytes())
        return content.hexdigest()[:12]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--results", required=True, metavar="DIR", help="one tracker's result files")
    common.add_dataset(parser)
    common.add_grid(parser)
    common.add_output(parser)
    parser.add_argument("--no-offline", action="store_true", help="leave out the zero-latency rows")
    parser.set_defaults(logs=None)


def run(options: argparse.Namespace) -> None:
    for path in (options.json, options.plot):
        check_writable(path)
    if "predicted" in options.search_region:
        raise InputError("--search-region predicted: recorded boxes cannot look elsewhere, the tracker itself has to run")
    title, sequences = common.load_sequences(options, images=False)
    results = load_results(options.results, [s.name for s in sequences], {s.name: len(s) for s in sequences})
    tracker = os.path.basename(os.path.normpath(options.results))
    make_tracker = MakeReplay(results)
    grid = make_grid(options, title, f"replay:{tracker}", make_tracker.digest())
    with common.workers(options.workers) as executor:
        rows = evaluate(sequences, grid, make_tracker, options.logs, executor, common.progress())
    common.finish(options, rows, options.seed)
