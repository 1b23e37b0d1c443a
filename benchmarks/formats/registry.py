"""The formats by name, which of them lies in a folder, and reading and writing any of them."""

from __future__ import annotations

import os
from types import MappingProxyType
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.box_files import first_line
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.datasets.sequence_files import subfolders
from pvtpp_benchmarks.formats import elae, got10k, logs, matlab, otb, pvt, pytracking, vot
from pvtpp_benchmarks.formats.format import Asked, Format, Found, plain
from pvtpp_benchmarks.formats.sequence_boxes import SequenceBoxes

# A folder is of the first format that finds anything in it.
_IN_ORDER = (
    logs.FORMAT,
    pvt.FORMAT,
    matlab.FORMAT,
    elae.FORMAT,
    vot.BINARY,
    vot.FORMAT,
    got10k.FORMAT,
    pytracking.FORMAT,
    otb.FORMAT,
)
FORMATS: Mapping[str, Format] = MappingProxyType({form.name: form for form in _IN_ORDER})


def names(doing: str = "") -> List[str]:
    """List the formats that can be ``read`` or ``written``, or all."""
    able = {"read": lambda form: form.read, "written": lambda form: form.write or form.write_run}
    return [name for name, form in FORMATS.items() if not doing or able[doing](form)]


def get(name: str, doing: str = "") -> Format:
    """Return the format of this name; InputError for another, and for one that cannot be ``read`` or ``written``."""
    if name not in names(doing):
        raise InputError(f"format {name!r} cannot be {doing or 'used'}, allowed is one of: {', '.join(names(doing))}")
    return FORMATS[name]


def recognise(root: str) -> Format:
    """Return the format of the files in one tracker's folder.

    Raises
    ------
    InputError
        Where there is no such folder, and where no format finds anything in it.
    """
    if not os.path.isdir(root):
        raise InputError(f"{root}: no such folder; expected one tracker's, with <seq>.txt or <seq>/<seq>_001.txt")
    for form in _IN_ORDER:
        found = form.find(root)
        if found and (form is not pytracking.FORMAT or "\t" in first_line(next(iter(found.values())))):
            return form
    inside = subfolders(root)
    hint = f"; it holds the folders {', '.join(inside[:10])}: give one tracker's" if inside else ""
    raise InputError(
        f"{root}: no result files <seq>.txt or <seq>/<seq>_001.txt, nor any of: {', '.join(FORMATS)}{hint}"
    )


def match(found: Found, wanted: Iterable[str], root: str) -> Dict[str, Tuple[str, str]]:
    """Find the files of sequences however their names are spelled.

    Parameters
    ----------
    found
        What the format found in the folder.
    wanted
        Names of sequences.
    root
        The folder, for errors.

    Returns
    -------
    dict
        By wanted name the name as the files spell it, and the place.

    Raises
    ------
    InputError
        With the names of all missing sequences, and for a name that may be any of several files.
    """
    by_plain: Dict[str, List[str]] = {}
    for name in found:
        by_plain.setdefault(plain(name), []).append(name)
    matched: Dict[str, Tuple[str, str]] = {}
    missing = []
    for name in wanted:
        candidates = [name] if name in found else by_plain.get(plain(name), [])
        if len(candidates) > 1:
            paths = ", ".join(sorted(found[each] for each in candidates))
            raise InputError(f"{root}: {name!r} may be any of {paths}")
        if candidates:
            matched[name] = candidates[0], found[candidates[0]]
        else:
            missing.append(name)
    if missing:
        listed = ", ".join(missing[:20]) + (", ..." if len(missing) > 20 else "")
        raise InputError(f"{root}: no results for {len(missing)} of {len(matched) + len(missing)} sequences: {listed}")
    return matched


def read_results(
    root: str,
    names: Optional[Iterable[str]] = None,
    lengths: Optional[Mapping[str, int]] = None,
    form: Optional[str] = None,
    clips: Sequence[VideoSequence] = (),
    predictor: str = "",
) -> Dict[str, SequenceBoxes]:
    """Read the boxes of one tracker.

    Parameters
    ----------
    root
        The tracker's folder. Case, a leading ``uav_``, a trailing ``_gt`` and the choice of ``.``, ``-`` or ``_`` make
        no difference to the name of a sequence in it.
    names
        The sequences to read; None: all, as the files call them.
    lengths
        The number of rows that each must have; sequences that are not named are not checked.
    form
        The name of the format; None: the one that is recognised.
    clips
        The sequences themselves, for formats that do not say what they hold of (`logs`, `pvt`).
    predictor
        Of event logs: whose answers.

    Raises
    ------
    InputError
        With the names of all missing sequences, and for a file that is not what it should be; it names file and row.
    """
    chosen = recognise(root) if form is None else get(form, "read")
    assert chosen.read is not None
    found = chosen.find(root)
    if not found:
        raise InputError(f"{root}: nothing of the format {chosen.name} ({chosen.layout})")
    by_name = {clip.name: clip for clip in clips}
    places = match(found, found if names is None else names, root)
    results = {}
    for name, (_, place) in places.items():
        boxes = chosen.read(root, place, Asked(by_name.get(name), predictor))
        if lengths is not None and lengths.get(name, boxes.frames) != boxes.frames:
            raise InputError(f"{boxes.source}: {boxes.frames} rows for the {lengths[name]} frames of {name}")
        results[name] = boxes
    return results


def write_results(root: str, results: Mapping[str, SequenceBoxes], form: str = "otb") -> List[str]:
    """Write the boxes of one tracker to a folder, each file whole or not at all; returns the paths of the box files.

    Raises
    ------
    InputError
        For a format that is not written, boxes that it cannot hold, and a name that cannot be a file name.
    """
    chosen = get(form, "written")
    if chosen.write is None:
        raise InputError(f"the format {form} holds runs, with the time of each answer: boxes cannot be written to it")
    return chosen.write(root, results)
