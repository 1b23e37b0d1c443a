r"""Train a predictor; needs `pip install 'pvtpp[train,export]'`.

Any data set of `pvtpp datasets list` will do. Checkpoints and TensorBoard logs go to --out, and at the end the graph
that runs without torch. Every twentieth sequence is held out. Under `torchrun` several processes share the work; on
several machines they need an --out that all of them see:

  torchrun --nproc-per-node 2 --no-python pvtpp train motion --dataset lasot --root data/LaSOT --split train \
      --out runs/motion

  pvtpp train motion --dataset lasot --root data/LaSOT --split train --out runs/motion --config '{"epochs": 25}'
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from typing import Any

from pvtpp.cli import common
from pvtpp.errors import InputError

KINDS = {
    "motion": "the any-time predictor: from boxes alone, for any tracker, camera and board",
    "joint": "the any-time predictor that also reads a tracker's features, of a frozen tracker or with its last layers",
    "paper": "PVT++'s own modules with N heads (M, V, MV), for one frame rate and one processing time",
}
"""What can be trained. Each is a file ``train_KIND.py`` with `add_arguments(parser)` and `run(options)`."""

TERMINATED = 128 + 15
"""Exit status of a command that SIGTERM ended."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    kinds = parser.add_subparsers(dest="kind", metavar="|".join(KINDS), required=True)
    for name, summary in KINDS.items():
        module = import_module(f"pvtpp.cli.train_{name}")
        kind = kinds.add_parser(
            name, help=summary, description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        common.add_dataset(kind)
        group = kind.add_argument_group("training")
        group.add_argument("--out", required=True, metavar="DIR", help="checkpoints, logs, and the result")
        group.add_argument("--config", metavar="JSON", help="a file, or an object, with fields of the configuration")
        group.add_argument("--resume", action="store_true", help="go on from the newest checkpoint in --out")
        group.add_argument("--seed", type=int, help="(default: the configuration's)")
        module.add_arguments(kind)
        kind.set_defaults(train=module.run)


def run(options: argparse.Namespace) -> int:
    """Train; returns the exit status, which is not 0 where it was interrupted."""
    if options.apart:
        raise InputError(
            f"--apart {','.join(options.apart)} is for tables; in training every twentieth sequence is held out"
        )
    _make_folder(options.out)
    try:
        options.train(options)
    except ModuleNotFoundError as error:
        if (error.name or "pvtpp").split(".")[0] == "pvtpp":
            raise
        raise InputError(f"training needs {error.name}: pip install 'pvtpp[train,export]'") from None
    except SystemExit as ended:
        # What `fit` makes of SIGTERM.
        if ended.code != TERMINATED:
            raise
        _tell_interrupted(options.out)
        return TERMINATED
    except KeyboardInterrupt:
        _tell_interrupted(options.out)
        return 130
    return 0


def _tell_interrupted(folder: str) -> None:
    begun = any(os.path.isfile(path) for path in checkpoints(folder))
    rest = "go on with --resume" if begun else "no epoch was finished, begin again; recordings are kept"
    print(f"\npvtpp train: interrupted; {rest}", file=sys.stderr)


def checkpoints(folder: str) -> list[str]:
    """Return the paths at which trainings in this folder leave their newest checkpoints."""
    return [os.path.join(folder, *part, "last.ckpt") for part in ((), ("frozen",))]


def refuse_rates(options: argparse.Namespace, what: str) -> None:
    """Raise InputError for options that `what`, which draws its own frame rates, cannot follow."""
    for name in ("fps", "camera_fps"):
        value = getattr(options, name)
        if value is not None:
            option = f"--{name.replace('_', '-')} {value:g}"
            raise InputError(
                f"{option} has no effect on {what}: rows count as frames of the rates that its windows draw"
            )


def _make_folder(path: str) -> None:
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {path}: cannot make the folder ({error.strerror or error})") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise InputError(f"--out {path}: cannot write there")


def configured(kind: type, text: str | None, option: str, base: Any = None, **given: Any) -> Any:
    """Make the configuration that the user describes.

    Parameters
    ----------
    kind
        Its class.
    text
        A JSON object, or a file with one; None describes nothing.
    option
        That gave `text`, for messages.
    base
        What `text` leaves out is taken from here; None: from the defaults.
    given
        Fields that go before `text`.
    """
    from pvtpp.training import config

    text = text or "{}"
    if text.lstrip().startswith("{"):
        return config.made(kind, common.parse_json(text, option), option, base, **given)
    return config.read(text, kind, base, **given)


def seeded(options: argparse.Namespace) -> dict[str, Any]:
    """Return the fields of a configuration that options of their own set."""
    return {} if options.seed is None else {"seed": options.seed}


def split(options: argparse.Namespace, sequences: list[Any]) -> tuple[list[Any], list[Any]]:
    """Split into sequences to learn from, and those held out: every twentieth, or the last of a few."""
    from pvtpp.training.fit import held_out

    apart = set(held_out([sequence.name for sequence in sequences])) or {sequences[-1].name}
    learnt = [sequence for sequence in sequences if sequence.name not in apart]
    if not learnt:
        raise InputError(
            f"{options.root}: {len(sequences)} sequences are too few, one is held out and one to learn from needed"
        )
    return learnt, [sequence for sequence in sequences if sequence.name in apart]


def clips(sequences: list[Any]) -> list[Any]:
    """Make the clips that trackers are recorded on. Raises InputError for a sequence without images."""
    from pvtpp.clip import Clip

    blind = next((sequence.name for sequence in sequences if sequence.image_paths is None), None)
    if blind is not None:
        raise InputError(f"sequence {blind} has no images here, and a tracker's features are needed")
    return [Clip.of(sequence) for sequence in sequences]
