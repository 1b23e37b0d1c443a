"""Run a tracker over a data set and write one event log per run; `pvtpp score` scores them.

On the simulated clock, as if the tracker took --processing per frame; or on the wall clock, live, as fast as it is here:

  pvtpp run --clock wall --dataset uav-mini --root data/uav-mini --propagation optical_flow --search-region predicted
"""

from __future__ import annotations

import argparse
import os

from pvtpp.cli import common
from pvtpp.cli.grid import add_grid, make_grid
from pvtpp.progress import progress
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.runs import jobs
from pvtpp_benchmarks.runs import run as run_jobs
from pvtpp_trackers.factory import MakeTracker


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_dataset(parser)
    common.add_tracker(parser)
    add_grid(parser)
    parser.set_defaults(mode=("otb",), no_offline=True)
    parser.add_argument("--json", metavar="FILE", help="write the list of logs")


def run(options: argparse.Namespace) -> None:
    check_writable(options.json)
    title, sequences = common.load_sequences(options)
    make_tracker = MakeTracker(options.tracker, options.weights)
    grid = make_grid(options, title, options.tracker, make_tracker.digest())
    make_tracker()
    show, written = progress(), []
    with common.workers(options.workers) as executor:
        for spec in grid.specs():
            todo = jobs(sequences, spec, options.logs)
            for number, (job, log, ran) in enumerate(run_jobs(todo, make_tracker, executor), 1):
                written.append({"path": job.path, "ran": ran, "events": len(log.rows), **log.meta})
                how = "ran" if ran else "kept"
                show(f"{spec.processing} {spec.search_region} {number}/{len(todo)} {job.sequence.name}: {how}")
    folders = dict.fromkeys(os.path.dirname(entry["path"]) for entry in written)
    print(f"{len(written)} logs, {sum(entry['ran'] for entry in written)} of them new:")
    print("\n".join(f"  {folder}" for folder in folders))
    if options.json:
        write_json(options.json, {"protocol": facts(options.seed), "logs": written})
