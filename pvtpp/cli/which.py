"""Say which tracker, at which rate, holds an AUC on a board.

Results of `pvtpp eval` at several processing times are read at the time that each tracker takes on the board. Between
two evaluated times accuracy is interpolated; beyond them nothing is said: evaluate more times.

  pvtpp eval --tracker nanotrack-v3 --tracker csrt --processing 0ms,20ms,47ms,85ms,165ms --json result.json ...
  pvtpp which result.json --board orin.json --target-auc 0.6

--board is the file that `pvtpp bench --contribute` wrote on the board, a profile, or the name of one that is shipped
(docs/how-to/jetson.md). `goodput` is results a second times the share of clips that hold the target, 0 where their mean
does not.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import Dict

from pvtpp.cli import output
from pvtpp.errors import InputError
from pvtpp_benchmarks import board_profile
from pvtpp_benchmarks.board_choice import accuracies, choice_table, choose
from pvtpp_benchmarks.processing import ProcessingTime, parse
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.result import Result


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("results", nargs="+", metavar="RESULT", help="what `pvtpp eval --json` wrote")
    parser.add_argument(
        "--board", required=True, metavar="PROFILE", help=f"a file, or one of: {', '.join(board_profile.names())}"
    )
    parser.add_argument("--target-auc", type=float, required=True, metavar="X", help="from 0 to 1")
    parser.add_argument(
        "--time",
        action="append",
        default=[],
        metavar="TRACKER=T",
        help="for a tracker that the profile has no times of: bench:FILE or another form, timed on the machine that "
        "the profile is relative to; may be given several times",
    )
    parser.add_argument("--json", metavar="FILE", help="write the table")


def run(options: argparse.Namespace) -> int:
    """Print the table; returns 1 where nothing is known to hold the target."""
    check_writable(options.json)
    if not 0 <= options.target_auc <= 1:
        raise InputError(f"--target-auc is {options.target_auc:g}, allowed is a number from 0 to 1")
    profile = board_profile.read(options.board)
    found = accuracies(row for path in options.results for row in Result.read(path).rows)
    trackers = list(dict.fromkeys(each.setting["tracker"] for each in found))
    times = _times(options, profile, trackers)
    choices = choose(found, times, options.target_auc)
    if options.json:
        content = [{**asdict(each), "goodput": each.goodput} for each in choices]
        board = {"board": profile.board, "origin": profile.origin, "source": profile.source}
        write_json(
            options.json,
            {"protocol": facts(0), **board, "target_auc": options.target_auc, "choices": content},
        )
    output.say(f"{profile.board}, times {profile.origin}: {profile.source}")
    output.say(choice_table(choices, options.target_auc))
    without = [name for name in trackers if name not in times]
    if without:
        print(f"pvtpp which: no time on this board: {', '.join(without)} (--time TRACKER=bench:FILE)", file=sys.stderr)
    return 0 if any(each.holds for each in choices) else 1


def _times(
    options: argparse.Namespace, profile: board_profile.BoardProfile, trackers: list
) -> Dict[str, ProcessingTime]:
    """What the board takes for each tracker of which it is known."""
    what = {name: name for name in trackers if name in profile.times_ms}
    for text in options.time:
        name, equals, time = text.partition("=")
        if not equals or name not in trackers:
            raise InputError(f"--time {text}: expected TRACKER=T with one of: {', '.join(trackers)}")
        what[name] = time
    times = {name: parse(f"board:{options.board}#{time}") for name, time in what.items()}
    if not times:
        raise InputError(
            f"--board {options.board}: it has no time of {', '.join(trackers)}, it has those of "
            f"{', '.join(sorted(profile.times_ms)) or 'none'}; --time TRACKER=bench:FILE names another"
        )
    return times
