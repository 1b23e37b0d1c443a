"""Trackers by name for runs in this process and in workers: how they are made, and what tells one from another."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, List, Optional

from pvtpp import weights as catalogue
from pvtpp.progress import download_progress
from pvtpp.tracker import Tracker


@dataclass(frozen=True)
class MakeTracker:
    """Makes the tracker for a sequence; one per process, since `init` resets it fully. Can be sent to other processes."""

    name: str
    weights: Optional[str] = None

    def __call__(self, sequence: Any = None) -> Tracker:
        return _tracker(self.name, self.weights)

    def digest(self) -> str:
        """Tells this tracker from another of the same name: its own source files and its weights. Those of the catalogue with
        a hash are what their name says.
        """
        from pvtpp_trackers import registry

        files = registry.sources(self.name)
        if self.weights is not None:
            place = os.path.expanduser(self.weights)
            files += [os.path.join(folder, name) for folder, _, each in os.walk(place) for name in sorted(each)]
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
    files = [
        file.name for entry in catalogue.list_entries() if entry.name == name for file in entry.files if not file.sha256
    ]
    try:
        return [str(catalogue.path(name) / file) for file in files]
    except catalogue.MissingWeights:
        # Making the tracker says so.
        return []


def create_tracker(name: str, weights: Optional[str] = None, **options: Any) -> Tracker:
    """A new tracker of the registry; its weights are fetched first where they are missing, and the progress shown."""
    from pvtpp_trackers import registry

    if weights is None and "engines" not in options and name in {entry.name for entry in catalogue.list_entries()}:
        # Here, and not in the tracker, because here a person is watching.
        catalogue.find(name, progress=download_progress())
    return registry.create(name, **options, **({} if weights is None else {"weights": weights}))


_tracker = lru_cache(maxsize=4)(create_tracker)
