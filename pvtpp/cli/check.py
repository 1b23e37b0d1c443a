"""Check that a tracker keeps the contract: init, shapes, determinism, full reset, skipped frames, bad input.

pvtpp check my_package.my_module:MyTracker
"""

from __future__ import annotations

import argparse
from dataclasses import asdict

from benchmarks.check import check_tracker
from benchmarks.protocol import facts
from benchmarks.report.files import check_writable, write_json
from pvtpp.shadow import check_trackers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tracker", help="a name of the registry, or module:Class")
    parser.add_argument("--weights", metavar="PATH", help="folder or file with the tracker's weights")
    parser.add_argument("--json", metavar="FILE")


def run(options: argparse.Namespace) -> int:
    check_trackers()
    from trackers import registry

    check_writable(options.json)
    given = {} if options.weights is None else {"weights": options.weights}
    results = check_tracker(lambda: registry.create(options.tracker, **given))
    for result in results:
        print(f"{'ok  ' if result.passed else 'FAIL'}  {result.name}: {result.detail}")
    failed = sum(not result.passed for result in results)
    print(f"\n{options.tracker}: " + (f"{failed} of {len(results)} checks failed" if failed else "keeps the contract"))
    if options.json:
        write_json(
            options.json,
            {"protocol": facts(0), "tracker": options.tracker, "checks": [asdict(result) for result in results]},
        )
    return 1 if failed else 0
