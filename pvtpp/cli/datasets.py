"""List the data sets that can be read and the layout each is expected in, or check a copy of one."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from pvtpp.cli import common
from pvtpp_benchmarks.datasets import available, entry
from pvtpp_benchmarks.datasets.dataset_check import DECODE, check
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.report.table import table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    actions = parser.add_subparsers(dest="action", metavar="list|check", required=True)
    listing = actions.add_parser("list", help="the data sets and their layouts")
    checking = actions.add_parser("check", help="read every sequence of a copy and report what is wrong")
    common.add_dataset(checking)
    checking.add_argument(
        "--decode", choices=DECODE, default="ends", help="which images to open (default: first and last)"
    )
    for action in (listing, checking):
        action.add_argument("--json", metavar="FILE")


def run(options: argparse.Namespace) -> int:
    """List or check; returns 1 where problems were found."""
    check_writable(options.json)
    if options.action == "list":
        entries = [
            {"name": name, "splits": list(entry(name).splits), "layout": entry(name).layout} for name in available()
        ]
        print(
            table(
                [
                    ("data set", lambda r: r["name"]),
                    ("splits", lambda r: ", ".join(r["splits"]) or "-"),
                    ("layout", lambda r: r["layout"]),
                ],
                entries,
            )
        )
        if options.json:
            write_json(options.json, {"datasets": entries})
        return 0
    report = check(common.load_dataset(options), options.decode)
    columns = [
        ("sequence", lambda r: r["name"]),
        ("frames", lambda r: str(r["frames"])),
        ("camera fps", lambda r: f"{r['camera_fps']:g}"),
        ("world frames", lambda r: str(r["world_frames"])),
        ("world fps", lambda r: f"{r['world_fps']:g}"),
        ("absent", lambda r: str(r["absent"])),
        ("images", lambda r: "-" if r["images"] is None else str(r["images"])),
        ("problems", lambda r: str(len(r["problems"]))),
    ]
    rows = [asdict(row) for row in report.rows]
    print(table(columns, rows))
    print("\n".join(["", *report.problems] if report.problems else ["", "no problems found"]))
    if options.json:
        write_json(options.json, {"protocol": facts(0), "sequences": rows, "problems": list(report.problems)})
    return 1 if report.problems else 0
