"""List, download or locate tracker weights. They belong to their authors and are never part of this project.

Looked up in --weights, then $PVTPP_WEIGHTS, then the cache, and at last downloaded there.

`convert` reads the predictor out of a published PVT_pp checkpoint, writes it as a graph that `--predictors n_head:OUT`
uses (V and MV: on features of the tracker they were trained with), and says which of the file's tensors it used.

  pvtpp weights list
  pvtpp weights pull nanotrack-v3
"""

from __future__ import annotations

import argparse
from collections import Counter

from pvtpp import weights
from pvtpp.arguments import check_options
from pvtpp.errors import InputError
from pvtpp.progress import download_progress
from pvtpp.validation import above
from pvtpp_benchmarks.report.table import table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    actions = parser.add_subparsers(dest="action", metavar="list|pull|path|convert", required=True)
    actions.add_parser("list", help="the catalogue: what there is, whose it is, and whether it is on this machine")
    for name, summary in (("pull", "download to the cache"), ("path", "print the folder where the files lie")):
        action = actions.add_parser(name, help=summary)
        action.add_argument("name", help=f"one of: {', '.join(entry.name for entry in weights.list_entries())}")
        if name == "path":
            action.add_argument("--weights", metavar="PATH", help="look here first")
    convert = actions.add_parser("convert", help="a published PVT_pp checkpoint to a predictor of ours")
    convert.add_argument("checkpoint", help="the published file, tracker and predictor in one")
    convert.add_argument("out", metavar="OUT.onnx", help="graph to write; weights and card go beside it")
    convert.add_argument(
        "--history", type=int, default=3, help="past steps it looks at, which its weights do not tell (default 3)"
    )
    convert.add_argument(
        "--factor", default="absolute", help="absolute, as the published code, or signed, as the paper"
    )
    convert.add_argument(
        "--kappa", type=float, default=30.0, metavar="FPS", help="frame rate of its heads (default 30)"
    )


def run(options: argparse.Namespace) -> None:
    """Carry out the action."""
    if options.action == "pull":
        print(weights.pull(options.name, download_progress()))
    elif options.action == "path":
        print(weights.path(options.name, options.weights))
    elif options.action == "convert":
        _convert(options)
    else:
        print(
            table(
                [
                    ("name", lambda entry: entry.name),
                    ("licence", lambda entry: entry.licence),
                    (
                        "MB",
                        lambda entry: (
                            f"{sum(file.size for file in entry.files) / 1e6:.1f}" if entry.files[0].size else "?"
                        ),
                    ),
                    ("here", lambda entry: _where(entry.name)),
                    ("note", lambda entry: entry.note),
                ],
                weights.list_entries(),
            )
        )
        for entry in weights.list_entries():
            for file in entry.files:
                print(f"\n{file.name}\n  {file.url or entry.note}\n  sha256 {file.sha256 or 'not published'}")


def _convert(options: argparse.Namespace) -> None:
    try:
        from pvtpp.export.published import convert
    except ModuleNotFoundError as error:
        raise InputError(f"converting needs {error.name}: pip install 'pvtpp[train,export]'") from None

    check_options(options, {"kappa": above(0)})
    found = convert(options.checkpoint, options.out, options.history, options.factor, options.kappa)
    config = found.network.config
    parts = Counter(name.split(".")[0] for name in found.left_over)
    print(f"{options.out}: {config.kind} module with {config.heads} heads; use it as --predictors n_head:{options.out}")
    print("used:", *found.used, sep="\n  ")
    print("part of the predictor that never runs, left out:", *found.idle, sep="\n  ")
    print("the tracker's, left out:", *(f"{part}.* ({count} tensors)" for part, count in parts.items()), sep="\n  ")


def _where(name: str) -> str:
    try:
        return str(weights.path(name))
    except InputError:
        return "no"
