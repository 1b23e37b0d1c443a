"""Check that a tracker keeps the contract: init, shapes, determinism, full reset, skipped frames, bad input.

Clauses of quality, not of form, only warn.

  pvtpp check my_package.my_module:MyTracker
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from functools import partial

from pvtpp.cli import common
from pvtpp.errors import InputError
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.tracker_check import check_tracker
from pvtpp_trackers.factory import create_tracker


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("tracker", help="a name of the registry, module:Class or external:PROGRAM")
    parser.add_argument("--weights", metavar="PATH", help="folder or file with the tracker's weights")
    common.add_style(parser)
    parser.add_argument("--json", metavar="FILE")


def run(options: argparse.Namespace) -> int:
    """Run the checks; returns 1 where one failed."""
    check_writable(options.json)
    make_tracker = partial(create_tracker, options.tracker, options.weights, options.style)
    try:
        make_tracker()
    except InputError:
        raise
    except (Exception, SystemExit):
        # The tracker's own failure, which the checks report.
        pass
    results = check_tracker(make_tracker)
    for result in results:
        mark = "ok  " if result.passed else "FAIL" if result.required else "warn"
        print(f"{mark}  {result.name}: {result.detail}")
    required = [result for result in results if result.required]
    failed = sum(not result.passed for result in required)
    warnings = sum(not result.passed for result in results) - failed
    outcome = f"{failed} of {len(required)} checks failed" if failed else "keeps the contract"
    print(f"\n{options.tracker}: {outcome}" + (f", with {warnings} warning{'s' * (warnings > 1)}" if warnings else ""))
    if options.json:
        write_json(
            options.json,
            {"protocol": facts(0), "tracker": options.tracker, "checks": [asdict(result) for result in results]},
        )
    return 1 if failed else 0
