"""Run trackers over a data set and write one event log per run; `pvtpp score` scores them.

On the simulated clock, as if the tracker took --processing per frame; or on the wall clock, live, as fast as it is on
this machine:

  pvtpp run --clock wall --dataset uav-mini --root data/uav-mini
"""

from __future__ import annotations

import argparse
import os
from typing import Any, Dict, List

from pvtpp.cli import common, output
from pvtpp.cli.grid import add_grid, check_trackers, entries, executor_of
from pvtpp.core.event_log import EventLog
from pvtpp.progress import progress
from pvtpp_benchmarks.execution import RunsLost, Task
from pvtpp_benchmarks.execution import run as run_tasks
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.runs import Job, check_log_folder, jobs
from pvtpp_benchmarks.time_left import TimeLeft


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    common.add_dataset(parser)
    common.add_trackers(parser)
    add_grid(parser)
    parser.add_argument("--json", metavar="FILE", help="write the list of logs")


def _facts(job: Job, log: EventLog) -> Dict[str, Any]:
    return {"path": job.path, "events": len(log.rows), **log.meta}


def run(options: argparse.Namespace) -> int:
    """Run, and list the folders of logs; returns 1 where worker processes ended in the middle of runs."""
    check_writable(options.json)
    title, sequences = common.load_sequences(options)
    makers = common.trackers(options)
    asked = entries(options, title, makers, offline=False)
    check_log_folder(options.logs)
    tasks = [
        Task(job, entry.make_tracker, _facts)
        for entry in asked
        for spec in entry.grid.specs()
        for job in jobs(sequences, spec, options.logs)
    ]
    show, left = progress(), TimeLeft(task.job for task in tasks)
    found: Dict[int, Dict[str, Any]] = {}
    lost: List[str] = []
    with executor_of(options) as executor:
        check_trackers(makers, options, executor)
        for done in run_tasks(tasks, executor, lambda _, line: lost.append(line)):
            found[done.number] = {**done.used, "ran": done.ran}
            show(left.after(done))
    written = [found[number] for number in sorted(found)]
    folders = dict.fromkeys(os.path.dirname(entry["path"]) for entry in written)
    if options.json:
        write_json(options.json, {"protocol": facts(options.seed), "logs": written})
    output.say(f"{len(written)} logs, {sum(entry['ran'] for entry in written)} of them new:")
    output.say("\n".join(f"  {folder}" for folder in folders))
    return output.report_lost("run", RunsLost(lost)) if lost else 0
