"""What several commands share: data set and tracker of the command line, worker processes, progress."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Callable, Iterator, List, Optional, Tuple

from benchmarks.datasets import Dataset, available, load
from benchmarks.datasets.sequence import Sequence
from pvtpp import weights as catalogue
from pvtpp.errors import InputError
from pvtpp.runtime import defaults
from pvtpp.shadow import check_trackers
from pvtpp.tracker import Tracker


def names(text: str) -> Tuple[str, ...]:
    """A comma-separated list, repetitions dropped."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


@dataclass(frozen=True)
class MakeTracker:
    """Makes the tracker for a sequence; one per process, since `init` resets it fully. Can be sent to other processes."""

    name: str
    weights: Optional[str] = None

    def __call__(self, sequence: Optional[Sequence] = None) -> Tracker:
        return _tracker(self.name, self.weights)

    def digest(self) -> str:
        """Tells this tracker from another of the same name: its own source files and its weights. Those of the catalogue with
        a hash are what their name says."""
        check_trackers()
        from trackers import registry

        files = registry.sources(self.name)
        if self.weights is not None:
            place = os.path.expanduser(self.weights)
            files += [os.path.join(folder, name) for folder, _, names_ in os.walk(place) for name in sorted(names_)]
            files += [place] if os.path.isfile(place) else []
        else:
            files += _unhashed(self.name)
        content = hashlib.sha256(repr(self.weights).encode())
        for path in files:
            with open(path, "rb") as file:
                content.update(file.read())
        return content.hexdigest()[:12]


def _unhashed(name: str) -> List[str]:
    """The tracker's files on this machine that the catalogue has no hash of."""
    files = [file.name for entry in catalogue.list_entries() if entry.name == name for file in entry.files if not file.sha256]
    try:
        return [str(catalogue.path(name) / file) for file in files]
    except catalogue.MissingWeights:
        # Making the tracker says so.
        return []


def create_tracker(name: str, weights: Optional[str] = None, **options: Any) -> Tracker:
    """A new tracker of the registry; its weights are fetched first where they are missing, and the progress shown."""
    # Before the import: another distribution of this name would fail in it, far from the cause.
    check_trackers()
    from trackers import registry

    if weights is None and "engines" not in options and name in {entry.name for entry in catalogue.list_entries()}:
        # Here, and not in the tracker, because here a person is watching.
        catalogue.find(name, progress=download_progress())
    return registry.create(name, **options, **({} if weights is None else {"weights": weights}))


_tracker = lru_cache(maxsize=4)(create_tracker)


def add_dataset(parser: argparse.ArgumentParser, required: bool = True) -> None:
    group = parser.add_argument_group("data set")
    group.add_argument("--dataset", required=required, metavar="NAME", help=f"one of: {', '.join(available())}")
    group.add_argument("--root", required=required, metavar="DIR", help="where the data set lies")
    group.add_argument("--split", help="train, val, test .. where the data set has splits")
    group.add_argument("--subset", help="folder inside an annotation archive")
    group.add_argument("--camera-fps", type=float, help="show the tracker fewer frames than the world has (annotations)")
    group.add_argument("--fps", type=float, help="world frame rate, where the layout does not tell (default 30)")
    group.add_argument("--sequences", type=names, metavar="A,B", help="these sequences only")
    group.add_argument(
        "--apart", type=names, default=(), metavar="A,B", help="table these sequences apart, in rows of their own"
    )


def load_dataset(options: argparse.Namespace, images: bool = True) -> Dataset:
    """The data set that the options name, or the sequences of it that they ask for."""
    given = {name: getattr(options, name) for name in ("subset", "fps", "camera_fps")}
    extra = {name: value for name, value in given.items() if value is not None}
    dataset = load(options.dataset, options.root, options.split, images=images, **extra)
    return dataset.select(options.sequences) if options.sequences else dataset


def load_sequences(options: argparse.Namespace, images: bool = True) -> Tuple[str, List[Sequence]]:
    """The data set's title and its sequences."""
    dataset = load_dataset(options, images)
    return dataset.name, list(dataset)


def add_tracker(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("tracker")
    group.add_argument(
        "--tracker",
        default=defaults.TRACKER,
        metavar="NAME",
        help=f"a name of the registry, or module:Class (default {defaults.TRACKER})",
    )
    group.add_argument("--weights", metavar="PATH", help="folder or file with the tracker's weights")


def parse_json(text: str, option: str) -> Any:
    """JSON given on the command line; InputError naming the option."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise InputError(f"{option} {text!r}: not JSON ({error})") from None


@contextmanager
def workers(count: int) -> Iterator[Optional[Executor]]:
    """A process pool of `count`, or None for this process alone."""
    if count < 1:
        raise InputError(f"--workers must be at least 1, got {count}")
    if count == 1:
        yield None
        return
    with ProcessPoolExecutor(count) as pool:
        yield pool


def progress() -> Callable[[str], None]:
    """Prints progress to stderr: one line that rewrites itself on a terminal, plain lines elsewhere."""
    terminal = sys.stderr.isatty()

    def show(text: str) -> None:
        print(f"\r\033[K{text}" if terminal else text, end="" if terminal else "\n", file=sys.stderr, flush=True)

    return show


def download_progress() -> Callable[[str, int, int], None]:
    """Progress of a download of weights."""
    show = progress()
    return lambda file, done, total: show(f"{file}: {done / 1e6:.1f} of {total / 1e6:.1f} MB")
