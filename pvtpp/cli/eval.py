"""Run trackers over a data set at given speeds, score them online, print a table.

Logs are kept: an interrupted evaluation goes on where it stopped. Each predictor is evaluated in its usual setting:
with propagation and the search region at the predicted box, but hold (no prediction) and kalman:pvt (PVT as it was
published) without propagation, and hold with the search region at the last result. --propagation and --search-region
set both for all.

  pvtpp eval --dataset uav-mini --root data/uav-mini --split test --tracker nanotrack-v3 --processing 0ms,47ms,85ms

All runs of all trackers go on at once, in as many processes as --workers says, or on a cluster:

  pvtpp eval --tracker nanotrack-v3 --tracker csrt --cluster tcp://10.0.0.5:8786 --dataset uav-mini --root data/uav-mini

With --clock wall the live tracker is shown the sequences at their frame rate, and its logs are scored by the same
protocol.
"""

from __future__ import annotations

import argparse

from pvtpp.cli import common, output
from pvtpp.cli.grid import add_grid, check_trackers, entries, executor_of
from pvtpp.progress import progress
from pvtpp_benchmarks.evaluate import evaluate_all
from pvtpp_benchmarks.execution import RunsLost
from pvtpp_benchmarks.provenance import data_facts
from pvtpp_benchmarks.runs import check_log_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    common.add_dataset(parser)
    common.add_trackers(parser)
    add_grid(parser)
    output.add_output(parser)
    parser.add_argument("--no-offline", action="store_true", help="leave out the zero-latency rows")


def run(options: argparse.Namespace) -> int:
    """Evaluate, and print the table; returns 1 where worker processes ended in the middle of runs."""
    output.check_output(options)
    title, sequences = common.load_sequences(options)
    makers = common.trackers(options)
    asked = entries(options, title, makers, not options.no_offline, mode=options.mode, apart=options.apart)
    check_log_folder(options.logs)
    try:
        with executor_of(options) as executor:
            check_trackers(makers, options, executor)
            rows = evaluate_all(sequences, asked, options.logs, executor, progress())
    except RunsLost as error:
        return output.report_lost("eval", error)
    output.finish(options, rows, options.seed, data_facts(title, sequences))
    return 0
