"""How a result leaves the program: a table, the rows as JSON, e-LAE curves as a picture."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, Dict, List, Optional

from pvtpp.arguments import comma_separated
from pvtpp.errors import InputError
from pvtpp_benchmarks.execution import RunsLost
from pvtpp_benchmarks.metrics import MODES
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.published import published
from pvtpp_benchmarks.report.among import AMONG, plot_among
from pvtpp_benchmarks.report.curves import check_plot
from pvtpp_benchmarks.report.files import check_writable
from pvtpp_benchmarks.result import Result

MODE = "elae"
"""The metric mode of the published curves."""


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is written, which `finish` reads."""
    group = parser.add_argument_group("output")
    group.add_argument(
        "--mode", type=comma_separated, default=("otb",), metavar="M,M", help=f"metric modes, of {', '.join(MODES)}"
    )
    group.add_argument("--json", metavar="FILE", help="write the rows, with everything needed to repeat them")
    group.add_argument("--plot", metavar="FILE", help="draw the e-LAE curves (AUC over sigma): .png, .pdf, .svg")
    group.add_argument(
        "--among",
        choices=AMONG,
        help="draw them, AUC and DP, among the 17 published trackers of DTB70, UAVDT or UAV123 (needs --mode elae)",
    )


def finish(
    options: argparse.Namespace, rows: List[Dict[str, Any]], seed: int = 0, data: Optional[Dict[str, Any]] = None
) -> None:
    """Print the table, write the JSON and the plot where they are asked for.

    `data` is of `pvtpp_benchmarks.provenance.data_facts`.
    """
    if sys.stderr.isatty():
        print(file=sys.stderr)
    # Files first: what fails while the table is printed costs none of them.
    result = Result(tuple(rows), {**facts(seed), **({"data": data} if data else {})})
    if options.json:
        result.write(options.json)
    if options.plot and options.among:
        plot_among(options.plot, rows)
    elif options.plot:
        result.plot(options.plot)
    say(result.table())


def check_output(options: argparse.Namespace) -> None:
    """Check before the work that the files which `finish` writes can be written, and that a plot can be drawn.

    Raises
    ------
    InputError
        For a place that cannot be written, a plot of an unknown ending, without matplotlib, and where published curves
        are asked for and there will be nothing to draw among them.
    """
    check_writable(options.json)
    if options.plot:
        check_plot(options.plot)
    if options.among:
        _check_among(options)


def _check_among(options: argparse.Namespace) -> None:
    if not options.plot:
        raise InputError(f"--among {options.among}: says how a plot is drawn, name its file with --plot")
    if MODE not in options.mode:
        raise InputError(f"--among {options.among}: the published curves are of metric mode {MODE}, add --mode {MODE}")
    if options.dataset is not None and options.root is not None:
        own = options.dataset in ("annotations", "folder")
        folder = options.subset or options.split or os.path.basename(os.path.abspath(options.root))
        published().dataset(folder if own else options.dataset)


def report_lost(command: str, error: RunsLost) -> int:
    """Say which runs were lost, a line each; returns the exit status."""
    if sys.stderr.isatty():
        print(file=sys.stderr)
    for line in str(error).splitlines():
        print(f"pvtpp {command}: error: {line}", file=sys.stderr)
    return 1


def say(text: str) -> None:
    """Print text; what the encoding of standard output does not have is replaced, since nothing is lost by that."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding))
