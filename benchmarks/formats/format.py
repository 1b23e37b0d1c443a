"""What a format of result files is: where its files are, and how they are read and written."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.image_files import visible
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.datasets.sequence_files import subfolders
from pvtpp_benchmarks.formats.online_run import OnlineRun
from pvtpp_benchmarks.formats.sequence_boxes import SequenceBoxes

Found = Dict[str, str]
"""By name of the sequence, as the files spell it, the place of its boxes."""


class Asked(NamedTuple):
    """What a format may need to know of the sequence that it reads.

    Attributes
    ----------
    clip
        The sequence, with the times of its frames; None where no data set was named.
    predictor
        Of event logs: whose answers; empty for the only one.
    """

    clip: Optional[VideoSequence] = None
    predictor: str = ""


@dataclass(frozen=True)
class Format:
    """A format of result files, all of one tracker.

    Attributes
    ----------
    name
        What ``--from`` and ``--to`` call it.
    layout
        Its files, in words.
    find
        Lists the sequences under a folder; empty where it is not of this format.
    read
        Reads the boxes of one sequence: from the tracker's folder, the place that `find` gave and what was asked. None
        for a format that is only written.
    write
        Writes the boxes of all sequences to a folder, each file whole or not at all; returns the paths of the box
        files. None for a format that is only read, or holds runs alone.
    read_run, write_run
        Of a format that holds runs (answers with the times at which they were there) these read and write them.
    matched
        Whether its boxes were matched with the world's frames already, for a list of permitted latencies.
    """

    name: str
    layout: str
    find: Callable[[str], Found]
    read: Optional[Callable[[str, str, Asked], SequenceBoxes]] = None
    write: Optional[Callable[[str, Mapping[str, SequenceBoxes]], List[str]]] = None
    read_run: Optional[Callable[[str, str, Asked], OnlineRun]] = None
    write_run: Optional[Callable[[str, Mapping[str, OnlineRun]], List[str]]] = None
    matched: bool = False


def plain(name: str) -> str:
    """Return what the spellings of a sequence's name have in common.

    Case, a leading ``uav_``, a trailing ``_gt`` and the choice of ``.``, ``-`` or ``_`` make no difference.
    """
    return re.sub(r"^uav(10fps)?_|_gt$", "", re.sub(r"[.\-]", "_", name.lower()))


def files_of(root: str, ending: str, beside: Tuple[str, ...] = ()) -> Found:
    """List the files with this ending right under `root`, without those whose names end as in `beside`."""
    if not os.path.isdir(root):
        return {}
    names = (name for name in visible(root) if name.endswith(ending) and not name.endswith(beside))
    return {name[: -len(ending)]: os.path.join(root, name) for name in names}


def nested_files(root: str, endings: Tuple[str, ...]) -> Found:
    """List the files ``SEQ/SEQ_001`` with one of these endings, the first that is there."""
    found: Found = {}
    for name in subfolders(root) if os.path.isdir(root) else []:
        for ending in endings:
            path = os.path.join(root, name, f"{name}_001{ending}")
            if os.path.isfile(path):
                found.setdefault(name, path)
    return found


def repetitions(first: str) -> List[str]:
    """List the files of all repetitions, from that of the first, ``.._001.txt``, on."""
    stem, ending = os.path.splitext(first)
    found = [first]
    while os.path.isfile(f"{stem[:-3]}{len(found) + 1:03d}{ending}"):
        found.append(f"{stem[:-3]}{len(found) + 1:03d}{ending}")
    return found


def check_name(name: str) -> str:
    """Return the name of a sequence; InputError for one that cannot be a file name."""
    if not name or name in (".", "..") or os.path.basename(name) != name or "\0" in name:
        raise InputError(f"sequence name {name!r} cannot be a file name")
    return name


def one_repetition(name: str, boxes: SequenceBoxes, form: str) -> SequenceBoxes:
    """Return the boxes; InputError where there are several sets of them, which the format has no files for."""
    if len(boxes.xywh) > 1:
        what = "repetitions" if boxes.sigmas is None else "permitted latencies"
        raise InputError(f"{name}: {len(boxes.xywh)} {what}, the format {form} holds one")
    return boxes
