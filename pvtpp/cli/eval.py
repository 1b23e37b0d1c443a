"""Run a tracker over a data set at given speeds, score it online, print a table.

Logs are kept: an interrupted evaluation goes on where it stopped. Each predictor is evaluated in its usual setting:
with propagation and the search region at the predicted box, but hold (no prediction) and kalman:pvt (PVT as it was
published) without propagation, and hold with the search region at the last result. --propagation and --search-region
set both for all.

  pvtpp eval --dataset uav-mini --root data/uav-mini --split test --tracker nanotrack-v3 --processing 0ms,47ms,85ms

With --clock wall the live tracker is shown the sequences at their frame rate, and its logs are scored by the same
protocol.
"""

from __future__ import annotations

import argparse

from pvtpp.cli import common, output
from pvtpp.cli.grid import add_grid, check_tracker, settings
from pvtpp.progress import progress
from pvtpp_benchmarks.evaluate import evaluate
from pvtpp_benchmarks.grid import make_grid
from pvtpp_benchmarks.provenance import data_facts
from pvtpp_benchmarks.runs import RunsLost, check_log_folder
from pvtpp_benchmarks.workers import workers
from pvtpp_trackers.factory import MakeTracker


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    common.add_dataset(parser)
    common.add_tracker(parser)
    add_grid(parser)
    output.add_output(parser)
    parser.add_argument("--no-offline", action="store_true", help="leave out the zero-latency rows")


def run(options: argparse.Namespace) -> int:
    """Evaluate, and print the table; returns 1 where worker processes ended in the middle of runs."""
    output.check_output(options)
    title, sequences = common.load_sequences(options)
    make_tracker = MakeTracker(options.tracker, options.weights)
    grid = make_grid(
        title,
        options.tracker,
        tracker_digest=make_tracker.digest(),
        mode=options.mode,
        apart=options.apart,
        offline=not options.no_offline,
        **settings(options),
    )
    check_log_folder(options.logs)
    try:
        with workers(options.workers) as executor:
            check_tracker(make_tracker, options, executor)
            rows = evaluate(sequences, grid, make_tracker, options.logs, executor, progress())
    except RunsLost as error:
        return output.report_lost("eval", error)
    output.finish(options, rows, options.seed, data_facts(title, sequences))
    return 0
