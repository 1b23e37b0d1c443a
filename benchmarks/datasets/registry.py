"""Data sets by name: one registered listing function per published layout."""

from __future__ import annotations

import inspect
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Tuple, Union

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.dataset import Dataset
from pvtpp_benchmarks.datasets.sequence_files import SequenceFiles

Listing = Callable[..., List[SequenceFiles]]
PublishedSplits = Callable[[str], Mapping[str, Optional[int]]]


@dataclass(frozen=True)
class Entry:
    """A layout that can be loaded.

    Attributes
    ----------
    name
        The name of the data set.
    layout
        The files that are expected below the root, in words.
    clips
        The function ``(root, split, **options)`` that lists the sequences which are there.
    splits
        The parts of the data set, the default first; empty where there are none or where they depend on the copy.
    published
        The number of sequences of each split as published; the key is "" where there are no splits.
    own_folder
        Whether this is the user's own data: any folder inside may be a split, and the data set takes its name.
    published_splits
        For a data set that describes itself: the function that reads splits and numbers of sequences at a root, the
        default split first. They replace `splits` and `published`.
    """

    name: str
    layout: str
    clips: Listing
    splits: Tuple[str, ...] = ()
    published: Mapping[str, int] = field(default_factory=dict)
    own_folder: bool = False
    published_splits: Optional[PublishedSplits] = None


_ENTRIES: Dict[str, Entry] = {}
_ALIASES: Dict[str, str] = {}


def register(
    name: str,
    layout: str,
    splits: Tuple[str, ...] = (),
    published: Optional[Mapping[str, int]] = None,
    aliases: Tuple[str, ...] = (),
    own_folder: bool = False,
    published_splits: Optional[PublishedSplits] = None,
) -> Callable[[Listing], Listing]:
    """Register the decorated function ``clips(root, split, **options)`` as the reader of a layout.

    The function returns a list of `SequenceFiles`, empty where another layout lies at the root. `aliases` are other
    spellings of the name; the other arguments are those of `Entry`.
    """

    def add(clips: Listing) -> Listing:
        _ENTRIES[name] = Entry(name, layout, clips, splits, dict(published or {}), own_folder, published_splits)
        for spelling in (name, *aliases):
            _ALIASES[_plain(spelling)] = name
        return clips

    return add


def available() -> Tuple[str, ...]:
    """Names of the data sets that `load` can read, sorted."""
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
    """Load a data set: list its sequences. The files of each are read when it is asked for.

    Parameters
    ----------
    name
        A name of `available`, in any common spelling.
    root
        The folder (for `annotations` also the archive) that holds the data set.
    split
        The part to load; None is the default part.
    images
        False leaves images out even where they are present.
    **options
        Options of the layout, such as `fps` of `folder`.

    Raises
    ------
    InputError
        For an unknown name, split or option, and where another layout lies at `root`.
    """
    known = entry(name)
    place = os.path.expanduser(os.fspath(root))
    splits, published = _splits(known, place)
    if splits:
        split = splits[0] if split is None else split
        if split not in splits:
            raise InputError(f"{known.name} has no split {split!r}; valid: {', '.join(splits)}")
    elif split is not None and not known.own_folder and known.published_splits is None:
        raise InputError(f"{known.name} has no splits, so not {split!r} either; leave the split out")
    allowed = list(inspect.signature(known.clips).parameters)[2:]
    for option in options:
        if option not in allowed:
            raise InputError(f"{known.name} has no option {option!r}; valid: {', '.join(allowed) or 'none'}")
    if not os.path.exists(place):
        raise InputError(f"{place}: no such folder; {known.name} expects {known.layout}")
    with _listing(known, place):
        clips = known.clips(place, split, **options)
    if not clips:
        part = f" (split {split})" if split else ""
        raise InputError(f"{place}: no sequence of {known.name}{part} here; expected {known.layout}")
    title = (split or options.get("subset") or _stem(place)) if known.own_folder else known.name
    by_name = {clip.name: clip for clip in clips}
    for clip in clips:
        if by_name[clip.name] is not clip:
            raise InputError(f"two files annotate {clip.name!r}: {clip.annotation} and {by_name[clip.name].annotation}")
    readers = {name: partial(clip.read, images) for name, clip in by_name.items()}
    return Dataset(title, readers, published.get(split or ""), allowed)


def _splits(known: Entry, place: str) -> Tuple[Tuple[str, ...], Mapping[str, Optional[int]]]:
    """The splits of the data set at this place, and the number of sequences published for each."""
    if known.published_splits is None:
        return known.splits, known.published
    with _listing(known, place):
        published = known.published_splits(place)
    return tuple(published), published


@contextmanager
def _listing(known: Entry, place: str) -> Iterator[None]:
    """Turn the system's error about a folder into an InputError that says what is expected there."""
    try:
        yield
    except OSError as error:
        reason = f"cannot list {error.filename} ({error.strerror})"
        raise InputError(f"{place}: {reason}; {known.name} expects {known.layout}") from None


def _plain(name: str) -> str:
    """The name without case and punctuation."""
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def _stem(path: str) -> str:
    """The last part of the path without the ending of an archive."""
    return re.sub(r"\.tar(\.\w+)?$", "", os.path.basename(os.path.abspath(path)))
