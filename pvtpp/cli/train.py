r"""Train a predictor; needs `pip install 'pvtpp[cpu,train,export]'`.

Any data set of `pvtpp datasets list` will do. Checkpoints and TensorBoard logs go to --out, and at the end the weights,
their card, and the graph that runs without torch. A training that was interrupted goes on with --resume. What an
earlier training left in --out is replaced with --force only. Every twentieth sequence is held out; on these the new
predictor is compared at the end with no prediction, a Kalman filter and the predictor that comes with pvtpp.

Under `torchrun` several processes share the work; on several machines they need an --out that all of them see:

  torchrun --nproc-per-node 2 --no-python pvtpp train motion --dataset lasot --root data/LaSOT --split train \
      --out runs/motion

  pvtpp train motion --dataset lasot --root data/LaSOT --split train --out runs/motion --config '{"epochs": 25}'
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, Any

from pvtpp.arguments import option_name
from pvtpp.cli import common, output
from pvtpp.errors import InputError
from pvtpp.files import create_folder
from pvtpp.progress import progress

if TYPE_CHECKING:
    from pvtpp.training.moments import Moment

KALMAN, SHIPPED = "kalman", "motion"
"""What a trained predictor is compared with besides no prediction: a filter, and the predictor of pvtpp."""
MOMENTS = 500
"""Held-out windows of the comparison, about."""
KINDS = {
    "motion": "the any-time predictor: from boxes alone, for any tracker, camera and board",
    "joint": "the any-time predictor that also reads a tracker's features, frozen or learning with the predictor",
    "paper": "PVT++'s own modules with N heads (M, V, MV), for one frame rate and one processing time",
}
"""What can be trained.

Each is a file ``train_KIND.py`` with `add_arguments(parser)`, `run(options)` and `CONFIGURATIONS`: by the name of an
option a function that makes the configuration which it changes.
"""

SIGNALS = {128 + number: number for number in (signal.SIGTERM, signal.SIGHUP)}
"""Signals that end a training as Ctrl-C does, by their exit status."""
PACKAGES = ("torch", "lightning", "safetensors", "tensorboard", "onnx", "onnxruntime")
"""What a training needs, at its end at the latest."""
LEAST_SPACE = 16 << 20
"""Bytes that weights, graph and logs take, about; the space for checkpoints is checked once their size is known."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the kinds of predictors as commands of their own, with their arguments."""
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
        group.add_argument(
            "--force", action="store_true", help="begin anew, and replace what an earlier training left in --out"
        )
        group.add_argument("--seed", type=int, help="(default: the configuration's)")
        group.add_argument(
            "--print-config",
            nargs="?",
            action=_PrintConfig,
            choices=list(module.CONFIGURATIONS),
            configurations=module.CONFIGURATIONS,
            help="print the configuration that the options before this one make, as --config takes it, and exit",
        )
        module.add_arguments(kind)
        kind.set_defaults(train=module.run)


class _PrintConfig(argparse.Action):
    """Prints a configuration and exits, whatever else is missing, as --help does."""

    def __init__(self, *, configurations: Mapping[str, Callable[[argparse.Namespace], Any]], **given: Any):
        self._configurations = configurations
        super().__init__(**given)

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: Any = None) -> None:
        made = self._configurations[values or next(iter(self._configurations))](namespace)
        output.say(json.dumps(asdict(made), indent=2))
        parser.exit()


def run(options: argparse.Namespace) -> int:
    """Train; returns 0, or 128 and the number of the signal that interrupted it."""
    if options.apart:
        raise InputError(
            f"--apart {','.join(options.apart)} is for tables; in training every twentieth sequence is held out"
        )
    if options.resume and options.force:
        raise InputError("--resume goes on with a training, --force begins anew: give one of them")
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise InputError(f"training needs {', '.join(missing)}: pip install 'pvtpp[cpu,train,export]'")
    _make_folder(options.out)
    before = _versions(options.out)
    try:
        with _ended_by_signals():
            options.train(options)
    except ModuleNotFoundError as error:
        if (error.name or "pvtpp").split(".")[0] == "pvtpp":
            raise
        raise InputError(f"training needs {error.name}: pip install 'pvtpp[cpu,train,export]'") from None
    except SystemExit as ended:
        if ended.code not in SIGNALS:
            raise
        _say_interrupted(options, before)
        return int(ended.code)
    except KeyboardInterrupt:
        _say_interrupted(options, before)
        return 130
    return 0


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Within the block `SIGNALS` raise SystemExit, with their exit status."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: Any) -> None:
        raise SystemExit(128 + number)

    # A process that was started to outlive its terminal (nohup) ignores SIGHUP, and goes on doing so.
    numbers = [number for number in SIGNALS.values() if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _versions(folder: str) -> list[tuple[int, int]]:
    """Inode and time of change of each checkpoint in the folder: other ones tell of a newer checkpoint."""
    found = (os.stat(path) for path in checkpoints(folder) if os.path.isfile(path))
    return [(each.st_ino, each.st_mtime_ns) for each in found]


def _say_interrupted(options: argparse.Namespace, before: list[tuple[int, int]]) -> None:
    """Print how an interrupted training goes on; its checkpoints are those that were not there `before`."""
    there = _versions(options.out)
    can_resume = bool(there if options.resume else set(there) - set(before))
    rest = "go on with --resume" if can_resume else "no epoch was finished, begin again; recordings are kept"
    print(f"\npvtpp train: interrupted; {rest}", file=sys.stderr)


def require_place(options: argparse.Namespace, results: Iterable[str], newest: str = "last.ckpt") -> None:
    """InputError, before any work, where the training would replace what an earlier one left, or has nothing to resume.

    Parameters
    ----------
    options
        The command's.
    results
        Paths of what the training writes at its end.
    newest
        The checkpoint in --out that --resume needs.
    """
    from pvtpp.export.publication import refuse_existing

    if options.resume:
        path = os.path.join(options.out, newest)
        if not os.path.isfile(path):
            raise InputError(f"{path}: no checkpoint to resume from")
    elif not options.force:
        instead = "begin anew with --force, or take another --out"
        refuse_existing(checkpoints(options.out), f"go on with that training by --resume, {instead}")
        refuse_existing(results, instead)


@contextmanager
def after_training(options: argparse.Namespace) -> Iterator[None]:
    """Errors within the block, which comes after the last epoch, say how the training is got back."""
    try:
        yield
    except InputError as error:
        newest = os.path.join(options.out, "last.ckpt")
        raise InputError(
            f"{error}; {newest} holds the finished training, and the same command with --resume does only the rest"
        ) from error


def publish_standing(
    options: argparse.Namespace,
    kind: str,
    path: str,
    moments: Iterable[Moment],
    sequences: Sequence[Any],
    make_tracker: Any = None,
    tracker: str | None = None,
    shipped: Sequence[str] = (SHIPPED,),
) -> None:
    """Print where the published predictor stands on held-out data, and write it to its card.

    Parameters
    ----------
    options
        The command's.
    kind
        Of predictors, as their names begin.
    path
        The published graph.
    moments
        Held-out windows.
    sequences
        Held-out sequences.
    make_tracker, tracker
        What follows their targets, and its name; None: the truth with noise.
    shipped
        Predictors of ours to compare with.
    """
    from pvtpp.export.publication import weights_of
    from pvtpp.training.moments import overlaps
    from pvtpp.weights.checkpoint import add_to_card
    from pvtpp_benchmarks.held_out import NOISY_TRUTH, compare_held_out

    some = list(islice(moments, MOMENTS))
    names = (f"{kind}:{path}", "hold", KALMAN, *shipped)
    found = compare_held_out(
        names, partial(overlaps, moments=some), sequences, make_tracker, tracker or NOISY_TRUTH, progress=progress()
    )
    add_to_card(weights_of(path), {"held_out": found.entry()})
    if sys.stderr.isatty():
        print(file=sys.stderr)
    output.say(str(found))


def checkpoints(folder: str) -> list[str]:
    """Return the paths at which trainings in this folder leave their newest checkpoints."""
    return [os.path.join(folder, *part, "last.ckpt") for part in ((), ("frozen",))]


def refuse_rates(options: argparse.Namespace, what: str) -> None:
    """Raise InputError for options that `what`, which draws its own frame rates, cannot follow."""
    for name in ("fps", "camera_fps"):
        value = getattr(options, name)
        if value is not None:
            option = f"{option_name(name)} {value:g}"
            raise InputError(
                f"{option} has no effect on {what}: rows count as frames of the rates that its windows draw"
            )


def _make_folder(path: str) -> None:
    """Create the folder; InputError where that fails, or it cannot take what a training writes."""
    from pvtpp.training.disk import require_space
    from pvtpp.training.ranks import is_first

    create_folder(path, f"--out {path}")
    if is_first():
        require_space(path, LEAST_SPACE, "weights, graph and logs")


def configured(kind: type, text: str | None, option: str, base: Any = None, **given: Any) -> Any:
    """The configuration that an option gives.

    Parameters
    ----------
    kind
        Its class.
    text
        What the option says: a JSON object, or a file with one.
    option
        Name of the option, for messages.
    base
        Where fields that `text` leaves out come from; None takes their defaults.
    given
        Fields that override those of `text`.
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
