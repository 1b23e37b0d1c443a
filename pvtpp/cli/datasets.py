"""List the data sets that can be read and the layout each is expected in, check a copy of one, or generate clips.

`check` exits with 1 where it found problems; warnings are of what may be meant so. `generate` renders aerial clips with
exact boxes, of the layout `folder`: something to try everything on where no data is at hand.

  pvtpp datasets list
  pvtpp datasets check --dataset uav-mini --root data/uav-mini
  pvtpp datasets generate clips --number 3
"""

from __future__ import annotations

import argparse
import os
import re
from dataclasses import asdict
from typing import Tuple

from pvtpp.arguments import check_options
from pvtpp.cli import common
from pvtpp.validation import whole_from
from pvtpp_benchmarks.datasets import available, entry
from pvtpp_benchmarks.datasets.contact_sheet import check_ending, write_contact_sheets
from pvtpp_benchmarks.datasets.dataset_check import DECODE, check
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.report.table import table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    actions = parser.add_subparsers(dest="action", metavar="list|check|generate", required=True)
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
    generating = actions.add_parser("generate", help="render aerial clips with exact boxes, each into a folder")
    generating.add_argument("out", metavar="DIR", help="the clips become folders in it: aerial-9, aerial-10 ..")
    generating.add_argument("--number", type=int, default=1, metavar="N", help="how many clips (default 1)")
    generating.add_argument("--seed", type=int, default=9, help="of the first one; the next has the next (default 9)")
    generating.add_argument("--seconds", type=float, default=8.0, help="length of each (default 8)")
    generating.add_argument("--size", type=_size, default=(640, 360), metavar="WxH", help="pixels (default 640x360)")
    generating.add_argument("--video", action="store_true", help="also write clip.mp4 into each folder")
    for action in (listing, checking):
        action.add_argument("--json", metavar="FILE")


def run(options: argparse.Namespace) -> int:
    """List, check or generate; returns 1 where problems were found."""
    if options.action == "generate":
        return _generate(options)
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


def _size(text: str) -> Tuple[int, int]:
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; allowed is WIDTHxHEIGHT in pixels, such as 640x360")
    return int(found[1]), int(found[2])


def _generate(options: argparse.Namespace) -> int:
    from pvtpp_benchmarks.report.video import write_video
    from pvtpp_benchmarks.synthetic import AerialClip, render
    from pvtpp_benchmarks.synthetic.clip import require_new

    check_options(options, {"number": whole_from(1)})
    width, height = options.size
    clips = [
        render(AerialClip(f"aerial-{seed}", seed, width, height, options.seconds))
        for seed in range(options.seed, options.seed + options.number)
    ]
    folders = [os.path.join(options.out, clip.name) for clip in clips]
    # All of them, before the first is written.
    for folder in folders:
        require_new(os.path.abspath(folder))
    for clip, folder in zip(clips, folders):
        clip.save(folder)
        if options.video:
            images = (clip.frame(index).image for index in range(len(clip)))
            write_video(os.path.join(folder, "clip.mp4"), images, clip.camera_fps)
        box = ",".join(f"{value:.0f}" for value in clip.ground_truth_xywh[0])
        print(f"{folder}: {len(clip)} frames at {clip.camera_fps:g} fps, the target's first box is {box}")
    return 0
