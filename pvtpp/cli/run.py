"""Run a tracker over a data set and write one event log per run; `pvtpp score` scores them.

On the simulated clock, as if the tracker took --processing per frame; or on the wall clock, live, as fast as it is on
this machine:

  pvtpp run --clock wall --dataset uav-mini --root data/uav-mini
"""

from __future__ import annotations

import argparse
import os
from typing import Any, Dict, List

from pvtpp.cli import common, output
from pvtpp.cli.grid import add_grid, check_tracker, settings
from pvtpp.core.event_log import EventLog
from pvtpp.progress import progress
from pvtpp_benchmarks.grid import make_grid
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.runs import Job, RunsLost, check_log_folder, jobs
from pvtpp_benchmarks.runs import run as run_jobs
from pvtpp_benchmarks.workers import workers
from pvtpp_trackers.factory import MakeTracker


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    common.add_dataset(parser)
    common.add_tracker(parser)
    add_grid(parser)
    parser.add_argument("--json", metavar="FILE", help="write the list of logs")


def _facts(job: Job, log: EventLog) -> Dict[str, Any]:
    return {"path": job.path, "events": len(log.rows), **log.meta}


def run(options: argparse.Namespace) -> int:
    """Run, and list the folders of logs; returns 1 where worker processes ended in the middle of runs."""
    check_writable(options.json)
    title, sequences = common.load_sequences(options)
    make_tracker = MakeTracker(options.tracker, options.weights, options.style)
    grid = make_grid(title, options.tracker, tracker_digest=make_tracker.digest(), offline=False, **settings(options))
    check_log_folder(options.logs)
    show = progress()
    written: List[Dict[str, Any]] = []
    lost: List[str] = []
    with workers(options.workers) as executor:
        check_tracker(make_tracker, options, executor)
        for spec in grid.specs():
            todo = jobs(sequences, spec, options.logs)
            done = run_jobs(todo, make_tracker, _facts, executor, lambda _, line: lost.append(line))
            for number, (job, facts_of_log, ran) in enumerate(done, 1):
                written.append({**facts_of_log, "ran": ran})
                show(f"{spec.describe()} {number}/{len(todo)} {job.sequence.name}: {'ran' if ran else 'kept'}")
    folders = dict.fromkeys(os.path.dirname(entry["path"]) for entry in written)
    if options.json:
        write_json(options.json, {"protocol": facts(options.seed), "logs": written})
    output.say(f"{len(written)} logs, {sum(entry['ran'] for entry in written)} of them new:")
    output.say("\n".join(f"  {folder}" for folder in folders))
    return output.report_lost("run", RunsLost(lost)) if lost else 0
