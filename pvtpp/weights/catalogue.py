"""Third-party tracker weights: where they come from, under which licence, and how to know them. None is kept here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple

from pvtpp.errors import InputError


@dataclass(frozen=True)
class WeightFile:
    """One file: the name it has here, its public address, sha256 (hex) and size in bytes."""

    name: str
    url: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Entry:
    """The weights of one tracker. `folder` is their place below a weights folder."""

    name: str
    folder: str
    files: Tuple[WeightFile, ...]
    licence: str
    note: str


# One commit, not a branch: what an address delivers must not change under its hash.
_SIAMTRACKERS = "https://raw.githubusercontent.com/HonglinChu/SiamTrackers/4dbbbbc99d4e1f06d4b0a89cadb59d883553b1b4"

CATALOGUE: Tuple[Entry, ...] = (
    Entry(
        name="nanotrack-v3",
        folder="nanotrack",
        files=(
            WeightFile(
                "nanotrackv3_backbone.onnx",
                f"{_SIAMTRACKERS}/NanoTrack/models/nanotrackv3/nanotrack_backbone.onnx",
                "50be1320abf9384fd3479ea829f95e244cf3f3838190c5ab60c750fb8c1ce828",
                1431635,
            ),
            WeightFile(
                "nanotrackv3_head.onnx",
                f"{_SIAMTRACKERS}/NanoTrack/models/nanotrackv3/nanotrack_head.onnx",
                "75357903be3f4817c965af16cb5a11fd32b1467f597a408405a98635ac63f61d",
                1183740,
            ),
        ),
        licence="Apache-2.0",
        note="github.com/HonglinChu/SiamTrackers; the graph for the template crop is derived from the backbone",
    ),
)


def entry(name: str) -> Entry:
    """The entry called `name`. Unknown: InputError with the valid names."""
    for candidate in CATALOGUE:
        if candidate.name == name:
            return candidate
    raise InputError(f"no weights called {name!r}; the catalogue has: {', '.join(known.name for known in CATALOGUE)}")
