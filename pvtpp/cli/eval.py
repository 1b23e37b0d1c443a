"""Run a tracker over a data set at given speeds, score it online, print a table.

Logs are kept: an interrupted evaluation goes on where it stopped, and a predictor added later is scored on the old runs
(with the search region at the last result the tracker's path does not depend on it).

  pvtpp eval --dataset uav-mini --root data/uav-mini --split test --tracker nanotrack-v3 --processing 0ms,47ms,85ms

With --clock wall the live tracker is shown the sequences at their frame rate, and its logs are scored by the same protocol.
"""

from __future__ import annotations

import argparse

from pvtpp.cli import common, output
from pvtpp.cli.grid import add_grid, make_grid
from pvtpp.progress import progress
from pvtpp_benchmarks.evaluate import evaluate
from pvtpp_benchmarks.report.files import check_writable
from pvtpp_trackers.factory import MakeTracker


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_dataset(parser)
    common.add_tracker(parser)
    add_grid(parser)
    output.add_output(parser)
    parser.add_argument("--no-offline", action="store_true", help="leave out the zero-latency rows")


def run(options: argparse.Namespace) -> None:
    for path in (options.json, options.plot):
        check_writable(path)
    title, sequences = common.load_sequences(options)
    make_tracker = MakeTracker(options.tracker, options.weights)
    grid = make_grid(options, title, options.tracker, make_tracker.digest())
    make_tracker()
    with common.workers(options.workers) as executor:
        rows = evaluate(sequences, grid, make_tracker, options.logs, executor, progress())
    output.finish(options, rows, options.seed)
