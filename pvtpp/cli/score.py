"""Score event logs against the ground truth of the data set they were made on. Nothing is run.

Predictors that were not in a run are evaluated by driving the state machine with its log, where that is the same as
running again. Where it is not (the tracker looked where another predictor had the target) the run does not serve them;
a predictor that no run serves is an error.

  pvtpp score runs --dataset uav-mini --root data/uav-mini --split test --predictors hold,kalman:pvt
"""

from __future__ import annotations

import argparse

from pvtpp.arguments import comma_separated
from pvtpp.cli import common, output
from pvtpp_benchmarks.provenance import data_facts
from pvtpp_benchmarks.scoring import score_logs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("logs", nargs="+", metavar="LOG", help="event logs, or folders of them")
    common.add_dataset(parser)
    output.add_output(parser)
    parser.add_argument("--predictors", type=comma_separated, metavar="P,P", help="(default: those of the runs)")
    parser.add_argument("--anew", action="store_true", help="make the trajectories anew, even where the log has them")


def run(options: argparse.Namespace) -> None:
    """Score, and print the table."""
    output.check_output(options)
    title, sequences = common.load_sequences(options, images=False)
    rows = score_logs(
        options.logs,
        sequences,
        options.predictors,
        options.mode,
        options.apart,
        options.anew,
        strict=not options.sequences,
    )
    output.finish(options, rows, data=data_facts(title, sequences))
