"""Trackers by name for runs in this process and in workers: how to make them, and what tells one from another."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, List, Optional

from pvtpp import weights as catalogue
from pvtpp.progress import download_progress
from pvtpp.tracker import PLAIN, Tracker


@dataclass(frozen=True)
class MakeTracker:
    """Makes the tracker for a sequence; can be sent to other processes.

    There is one tracker per process, since `init` resets it completely.

    Attributes
    ----------
    name
        As `registry.create` takes it.
    weights
        Where its weights are; None takes the catalogue's.
    style
        What it was written for, of `pvtpp_trackers.styles`.
    """

    name: str
    weights: Optional[str] = None
    style: str = PLAIN

    def __call__(self, sequence: Any = None) -> Tracker:
        """The process's tracker of this name, these weights and style; `sequence` is not read."""
        return _tracker(self.name, self.weights, self.style)

    def digest(self) -> str:
        """Tells this tracker from another of the same name by its own source files and its weights.

        Weights of the catalogue that have a hash are identified by their name.
        """
        from pvtpp_trackers import registry

        files = registry.sources(self.name)
        if self.weights is not None:
            place = os.path.expanduser(self.weights)
            files += [os.path.join(folder, name) for folder, _, each in os.walk(place) for name in sorted(each)]
            files += [place] if os.path.isfile(place) else []
        else:
            files += _unhashed(self.name)
        known_by = repr(self.weights) if self.style == PLAIN else repr((self.weights, self.style))
        content = hashlib.sha256(known_by.encode())
        for path in files:
            with open(path, "rb") as file:
                content.update(file.read())
        return content.hexdigest()[:12]


def _unhashed(name: str) -> List[str]:
    """The tracker's files on this machine for which the catalogue has no hash."""
    files = [
        file.name for entry in catalogue.list_entries() if entry.name == name for file in entry.files if not file.sha256
    ]
    try:
        return [str(catalogue.path(name) / file) for file in files]
    except catalogue.MissingWeights:
        # The error is raised when the tracker is made.
        return []


def create_tracker(name: str, weights: Optional[str] = None, style: str = PLAIN, **options: Any) -> Tracker:
    """A new tracker of the registry; missing weights are downloaded first, with a progress display.

    Parameters
    ----------
    name
        As `registry.create` takes it.
    weights
        Where its weights are; None takes the catalogue's.
    style
        What it was written for: ``plain``, ``pysot``, ``got10k`` or ``rgb`` (`pvtpp_trackers.styles`).
    options
        Options of the tracker.
    """
    from pvtpp_trackers import registry

    if weights is None and "engines" not in options and name in {entry.name for entry in catalogue.list_entries()}:
        # Done here and not in the tracker, since here a user is waiting who can see the progress.
        catalogue.find(name, progress=download_progress())
    return registry.create(name, style, **options, **({} if weights is None else {"weights": weights}))


_tracker = lru_cache(maxsize=4)(create_tracker)
