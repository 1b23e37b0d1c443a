"""List the data sets that can be read and the layout each is expected in, or check a copy of one.

`check` exits with 1 where it found problems; warnings are of what may be meant so.

  pvtpp datasets list
  pvtpp datasets check --dataset uav-mini --root data/uav-mini
"""

from __future__ import annotations

import argparse
from dataclasses import asdict

from pvtpp.cli import common
from pvtpp_benchmarks.datasets import available, entry
from pvtpp_benchmarks.datasets.contact_sheet import check_ending, write_contact_sheets
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
    checking.add_argument(
        "--sheet",
        metavar="FILE.png",
        help="draw frames of each sequence with their boxes, to look at; many sequences go on in FILE-2.png",
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
    if options.sheet:
        check_ending(options.sheet)
        check_writable(options.sheet)
    dataset = common.load_dataset(options)
    report = check(dataset, options.decode)
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
    if options.json:
        found = {"problems": list(report.problems), "warnings": list(report.warnings)}
        write_json(options.json, {"protocol": facts(0), "sequences": rows, **found})
    sheets = write_contact_sheets(dataset, options.sheet) if options.sheet else []
    lines = [*report.problems, *(f"warning: {warning}" for warning in report.warnings)]
    if sheets:
        lines.append(f"contact sheet: {', '.join(sheets)}")
    if report.problems or report.warnings:
        lines.append(f"{len(report.problems)} problems, {len(report.warnings)} warnings")
    else:
        lines.append("no problems found")
    print("\n".join([table(columns, rows), "", *lines]))
    return 1 if report.problems else 0
