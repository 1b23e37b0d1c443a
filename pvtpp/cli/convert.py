r"""Convert one tracker's result files from one format to another.

  pvtpp convert results/DTB70-matlab/BACF out/BACF --to got10k

Event logs become what was there at each of the 51 permitted latencies (elae), what was there at one of them (any format
of boxes, --sigma) or the run itself (pvt). Logs and PVT_pp pickles do not hold the frames of the world: name the data
set that they were made on:

  pvtpp convert runs/csrt/.. out/csrt --to elae --dataset uav-mini --root data/uav-mini --split test
"""

from __future__ import annotations

import argparse

from pvtpp.cli import common, output
from pvtpp.errors import InputError
from pvtpp_benchmarks import formats
from pvtpp_benchmarks.formats.convert import convert


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("source", metavar="FROM", help="one tracker's folder")
    parser.add_argument("target", metavar="TO", help="the folder to write; it is created")
    parser.add_argument(
        "--from", dest="from_", metavar="FORMAT", help=f"(default: recognised) {', '.join(formats.names('read'))}"
    )
    parser.add_argument("--to", required=True, metavar="FORMAT", help=", ".join(formats.names("written")))
    parser.add_argument("--predictor", default="", metavar="NAME", help="of event logs: whose answers")
    parser.add_argument(
        "--sigma",
        type=float,
        default=0.0,
        metavar="S",
        help="the permitted latency of the boxes that are taken, where the source holds 51 and --to one (default 0)",
    )
    common.add_dataset(parser, required=False)


def run(options: argparse.Namespace) -> None:
    """Convert, and say what was written."""
    if (options.dataset is None) != (options.root is None):
        raise InputError("--dataset and --root: a data set needs both")
    clips = common.load_sequences(options, images=False)[1] if options.dataset else []
    done = convert(options.source, options.target, options.to, options.from_, clips, options.predictor, options.sigma)
    output.say(f"{done.sequences} sequences from {done.source} to {done.target}: {len(done.paths)} files")
