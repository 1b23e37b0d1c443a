"""List, download or locate tracker weights. They belong to their authors and are never part of this project.

Looked up in --weights, then $PVTPP_WEIGHTS, then the cache, and at last downloaded there.
"""

from __future__ import annotations

import argparse

from benchmarks.report.table import table
from pvtpp import weights
from pvtpp.cli import common
from pvtpp.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="list|pull|path", required=True)
    actions.add_parser("list", help="the catalogue: what there is, whose it is, and whether it is on this machine")
    for name, summary in (("pull", "download to the cache"), ("path", "print the folder where the files lie")):
        action = actions.add_parser(name, help=summary)
        action.add_argument("name", help=f"one of: {', '.join(entry.name for entry in weights.list_entries())}")
        if name == "path":
            action.add_argument("--weights", metavar="PATH", help="look here first")


def run(options: argparse.Namespace) -> None:
    if options.action == "pull":
        print(weights.pull(options.name, common.download_progress()))
    elif options.action == "path":
        print(weights.path(options.name, options.weights))
    else:
        print(
            table(
                [
                    ("name", lambda entry: entry.name),
                    ("licence", lambda entry: entry.licence),
                    ("MB", lambda entry: f"{sum(file.size for file in entry.files) / 1e6:.1f}"),
                    ("here", lambda entry: _where(entry.name)),
                    ("note", lambda entry: entry.note),
                ],
                weights.list_entries(),
            )
        )
        for entry in weights.list_entries():
            for file in entry.files:
                print(f"\n{file.name}\n  {file.url}\n  sha256 {file.sha256}")


def _where(name: str) -> str:
    try:
        return str(weights.path(name))
    except InputError:
        return "no"
