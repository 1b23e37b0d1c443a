"""What several commands share: data set and tracker of the command line, worker processes, progress."""

from __future__ import annotations

import argparse
import json
from typing import Any, List, Tuple

from pvtpp import defaults
from pvtpp.arguments import comma_separated
from pvtpp.errors import InputError
from pvtpp.tracker import PLAIN
from pvtpp_benchmarks import formats
from pvtpp_benchmarks.datasets import Dataset, available, load
from pvtpp_benchmarks.datasets.box_format import FORMS, SEPARATORS
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_trackers.factory import MakeTracker
from pvtpp_trackers.styles import STYLES

DATASET_OPTIONS = ("subset", "fps", "camera_fps", "box_file", "image_folder", "boxes", "header", "separator")
"""Options of layouts, given on to `pvtpp_benchmarks.datasets.load` where they are not None."""
CATALOGUE = "-"
"""Stands for the weights that the catalogue has of a tracker."""


def add_dataset(parser: argparse.ArgumentParser, required: bool = True) -> None:
    """Add the options that name a data set, its layout and its sequences; `required` as of argparse."""
    group = parser.add_argument_group("data set")
    group.add_argument("--dataset", required=required, metavar="NAME", help=f"one of: {', '.join(available())}")
    group.add_argument("--root", required=required, metavar="DIR", help="where the data set lies")
    group.add_argument("--split", help="train, val, test .. where the data set has splits")
    group.add_argument("--subset", help="folder inside an annotation archive")
    group.add_argument(
        "--camera-fps", type=float, help="show the tracker fewer frames than the world has (annotations)"
    )
    group.add_argument("--fps", type=float, help="world frame rate, where the layout does not tell (default 30)")
    group.add_argument(
        "--box-file",
        metavar="NAME",
        help="box file of each sequence of 'folder' (default groundtruth.txt); {name} is the sequence's name",
    )
    group.add_argument(
        "--image-folder", metavar="NAME", help="folder of its images (default img); . for images beside the box file"
    )
    group.add_argument("--boxes", metavar="FORMAT", help=f"numbers of its box files (default xywh): {FORMS}")
    group.add_argument("--header", action="store_true", default=None, help="its box files begin with column names")
    group.add_argument("--separator", choices=SEPARATORS, help="between its numbers (default: comma, tab or space)")
    group.add_argument("--sequences", type=comma_separated, metavar="A,B", help="these sequences only")
    group.add_argument(
        "--apart",
        type=comma_separated,
        default=(),
        metavar="A,B",
        help="table these sequences apart, in rows of their own",
    )


def add_format(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the format of result files."""
    known = ", ".join(formats.names("read"))
    parser.add_argument("--format", metavar="NAME", help=f"of the result files (default: recognised): {known}")


def load_dataset(options: argparse.Namespace, images: bool = True) -> Dataset:
    """Return the data set that the options name, or the sequences of it that they ask for."""
    given = {name: getattr(options, name) for name in DATASET_OPTIONS}
    extra = {name: value for name, value in given.items() if value is not None}
    dataset = load(options.dataset, options.root, options.split, images=images, **extra)
    return dataset.select(options.sequences) if options.sequences else dataset


def load_sequences(options: argparse.Namespace, images: bool = True) -> Tuple[str, List[VideoSequence]]:
    """Return the name of the data set and its sequences."""
    dataset = load_dataset(options, images)
    return dataset.name, list(dataset)


def add_tracker(parser: argparse.ArgumentParser) -> None:
    """Add the options that name a tracker and its weights."""
    group = parser.add_argument_group("tracker")
    group.add_argument(
        "--tracker",
        default=defaults.TRACKER,
        metavar="NAME",
        help=f"a name of the registry, or module:Class (default {defaults.TRACKER})",
    )
    group.add_argument("--weights", metavar="PATH", help="folder or file with the tracker's weights")
    add_style(group)


def add_style(group: Any) -> None:
    """Add the option that says what a tracker was written for, to a parser or a group of its options."""
    group.add_argument(
        "--style",
        choices=tuple(STYLES),
        default=PLAIN,
        help="what module:Class was written for: PySOT (track(image) gives a dict), GOT-10k (RGB images of Pillow), or "
        "RGB arrays (default plain: init and update, BGR)",
    )


def add_trackers(parser: argparse.ArgumentParser) -> None:
    """Add the options that name trackers and their weights, which `trackers` reads."""
    group = parser.add_argument_group("tracker")
    group.add_argument(
        "--tracker",
        action="append",
        metavar="NAME",
        help=f"a name of the registry, or module:Class (default {defaults.TRACKER}); several: --tracker A --tracker B",
    )
    group.add_argument(
        "--weights",
        action="append",
        metavar="PATH",
        help=f"folder or file with the tracker's weights; of several trackers in their order, {CATALOGUE!r} for one's "
        "own of the catalogue",
    )
    add_style(group)


def trackers(options: argparse.Namespace) -> List[MakeTracker]:
    """Return what makes each tracker that the options name.

    Raises
    ------
    InputError
        Where weights are given, but not for each tracker.
    """
    names = options.tracker or [defaults.TRACKER]
    weights = options.weights or [CATALOGUE] * len(names)
    if len(names) != len(weights):
        raise InputError(
            f"--weights is there {len(weights)} times for {len(names)} trackers, allowed is once for each, in their "
            f"order, {CATALOGUE!r} for those of the catalogue; or not at all"
        )
    found = [None if place == CATALOGUE else place for place in weights]
    return [MakeTracker(name, place, options.style) for name, place in zip(names, found)]


def parse_json(text: str, option: str) -> Any:
    """Read JSON given on the command line. Raises InputError naming the option."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise InputError(f"{option} {text!r}: not JSON ({error})") from None
