"""Data sets by name: one registered listing function per published layout."""

from __future__ import annotations

import inspect
import os
import re
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple, Union

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.dataset import Dataset
from pvtpp_benchmarks.datasets.sequence_files import SequenceFiles

Listing = Callable[..., List[SequenceFiles]]


@dataclass(frozen=True)
class Entry:
    """A layout that can be loaded: what it expects on disk, and the function that lists the clips it finds there.

    `splits` are the parts of the set, the default first; empty where any folder name may be one. `published` is the
    number of sequences in each split (key "" without splits). `own_folder`: the user's data, named after their folder.
    """

    name: str
    layout: str
    clips: Listing
    splits: Tuple[str, ...] = ()
    published: Mapping[str, int] = field(default_factory=dict)
    own_folder: bool = False


_ENTRIES: Dict[str, Entry] = {}
_ALIASES: Dict[str, str] = {}


def register(
    name: str,
    layout: str,
    splits: Tuple[str, ...] = (),
    published: Optional[Mapping[str, int]] = None,
    aliases: Tuple[str, ...] = (),
    own_folder: bool = False,
) -> Callable[[Listing], Listing]:
    """Register ``clips(root, split, **options) -> list of SequenceFiles``. An empty list: this layout is not what lies there."""

    def add(clips: Listing) -> Listing:
        _ENTRIES[name] = Entry(name, layout, clips, splits, dict(published or {}), own_folder)
        for spelling in (name, *aliases):
            _ALIASES[_plain(spelling)] = name
        return clips

    return add


def available() -> Tuple[str, ...]:
    """The names `load` knows."""
    return tuple(sorted(_ENTRIES))


def entry(name: str) -> Entry:
    """The entry of this name in any common spelling (`UAV123@10fps`, `GOT-10k`); InputError lists the valid ones."""
    known = _ALIASES.get(_plain(name))
    if known is None:
        raise InputError(f"unknown data set {name!r}; valid: {', '.join(available())}")
    return _ENTRIES[known]


def load(
    name: str, root: Union[str, os.PathLike[str]], split: Optional[str] = None, images: bool = True, **options: Any
) -> Dataset:
    """The data set `name` found at `root`. Lists the sequences; their files are read when each is asked for.

    `images=False` leaves images out even where they are present. `options` are those of the layout (`fps` of `folder`).
    Raises InputError for an unknown name, split or option, and where the layout is not what lies at `root`.
    """
    known = entry(name)
    place = os.path.expanduser(os.fspath(root))
    if known.splits:
        split = known.splits[0] if split is None else split
        if split not in known.splits:
            raise InputError(f"{known.name} has no split {split!r}; valid: {', '.join(known.splits)}")
    elif split is not None and not known.own_folder:
        raise InputError(f"{known.name} has no splits, so not {split!r} either; leave the split out")
    allowed = list(inspect.signature(known.clips).parameters)[2:]
    for option in options:
        if option not in allowed:
            raise InputError(f"{known.name} has no option {option!r}; valid: {', '.join(allowed) or 'none'}")
    if not os.path.exists(place):
        raise InputError(f"{place}: no such folder; {known.name} expects {known.layout}")
    try:
        clips = known.clips(place, split, **options)
    except OSError as error:
        reason = f"cannot list {error.filename} ({error.strerror})"
        raise InputError(f"{place}: {reason}; {known.name} expects {known.layout}") from None
    if not clips:
        part = f" (split {split})" if split else ""
        raise InputError(f"{place}: no sequence of {known.name}{part} here; expected {known.layout}")
    title = (split or options.get("subset") or _stem(place)) if known.own_folder else known.name
    by_name = {clip.name: clip for clip in clips}
    for clip in clips:
        if by_name[clip.name] is not clip:
            raise InputError(f"two files annotate {clip.name!r}: {clip.annotation} and {by_name[clip.name].annotation}")
    readers = {name: partial(clip.read, images) for name, clip in by_name.items()}
    return Dataset(title, readers, known.published.get(split or ""))


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def _stem(path: str) -> str:
    return re.sub(r"\.tar(\.\w+)?$", "", os.path.basename(os.path.abspath(path)))
