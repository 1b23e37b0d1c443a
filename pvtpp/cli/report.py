"""Make a report of results: one HTML page, and the tables and figures of it as CSV, LaTeX, SVG and PDF.

RUNS are results (JSON, as `pvtpp eval --json` and the like write them), event logs, or folders of event logs. Logs are
scored as `pvtpp score` does it, and need --dataset and --root. Nothing is run.

  pvtpp report mine.json theirs.json --out report
  pvtpp report runs --dataset uav-mini --root data/uav-mini --split test --videos --out report
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import List, Tuple

from pvtpp.arguments import comma_separated, option_name
from pvtpp.cli import common, output
from pvtpp.errors import InputError
from pvtpp.progress import progress
from pvtpp_benchmarks.metrics import MODES
from pvtpp_benchmarks.provenance import data_facts, facts
from pvtpp_benchmarks.report.bundle import PAGE, check_folder, write_report
from pvtpp_benchmarks.report.groups import Source, make_report
from pvtpp_benchmarks.report.overlay import write_films
from pvtpp_benchmarks.result import Result
from pvtpp_benchmarks.scoring import find_logs, score_logs

MODE = "otb"
OF_LOGS = ("dataset", "root", "split", "sequences", "apart", "mode", "predictors", "videos", *common.DATASET_OPTIONS)
"""Options that say something of logs alone."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("runs", nargs="+", metavar="RUNS", help="results (.json), event logs, or folders of event logs")
    parser.add_argument("--out", required=True, metavar="DIR", help="the folder of the report, created if need be")
    parser.add_argument("--title", default="Latency-aware tracking: a report", help="of the page")
    parser.add_argument(
        "--videos", action="store_true", help="also a video of each run in the logs, for which the images are needed"
    )
    common.add_dataset(parser, required=False)
    group = parser.add_argument_group("scoring of logs")
    group.add_argument(
        "--mode", type=comma_separated, metavar="M,M", help=f"metric modes, of {', '.join(MODES)} (default {MODE})"
    )
    group.add_argument("--predictors", type=comma_separated, metavar="P,P", help="(default: those of the runs)")


def run(options: argparse.Namespace) -> None:
    """Read and score, and write the report."""
    results, logs = _sorted(options)
    sources = []
    for path in results:
        result = Result.read(path)
        if not result.rows:
            raise InputError(f"{path}: a result without rows, there is nothing to report")
        sources.append(Source(path, result.protocol, result.rows))
    films = {}
    if logs:
        name, sequences = common.load_sequences(options, images=options.videos)
    # Before the work that takes time, and after what may be refused: that leaves no folder behind.
    check_folder(options.out)
    if logs:
        rows = score_logs(
            logs,
            sequences,
            options.predictors,
            options.mode or (MODE,),
            options.apart,
            strict=not options.sequences,
        )
        protocol = {**facts(0), "data": data_facts(name, sequences)}
        sources.append(Source(", ".join(logs), protocol, tuple(rows)))
        if options.videos:
            films = write_films(options.out, logs, sequences, _warn, progress())
    report = make_report(options.title, sources, films)
    written = write_report(options.out, report, _warn)
    others = len(written) - 1 + len(films)
    output.say(f"{os.path.join(options.out, PAGE)}: the report; {others} files beside it (CSV, LaTeX, SVG, PDF, JSON)")


def _sorted(options: argparse.Namespace) -> Tuple[List[str], List[str]]:
    """The results and the logs among RUNS. Raises InputError where something is missing or of no use."""
    results = [path for path in options.runs if path.endswith(".json") and not os.path.isdir(path)]
    logs = [path for path in options.runs if path not in results]
    if logs:
        find_logs(logs)
        missing = [f"--{name}" for name in ("dataset", "root") if not getattr(options, name)]
        if missing:
            raise InputError(f"{', '.join(logs)}: event logs, which need {' and '.join(missing)} to be scored")
    else:
        for name in OF_LOGS:
            if getattr(options, name):
                raise InputError(
                    f"{option_name(name)}: applies to event logs, and RUNS has only results: {', '.join(results)}"
                )
    return results, logs


def _warn(text: str) -> None:
    print(f"pvtpp report: warning: {text}", file=sys.stderr)
