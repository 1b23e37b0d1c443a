"""A digest of the modules that compute a run: a log of other code is not taken, a change elsewhere keeps old logs."""

from __future__ import annotations

import ast
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Iterator

import pvtpp
from pvtpp.core.event_log import VERSION

FOLDER = Path(pvtpp.__file__).resolve().parent
COMPUTES = (
    "boxes.py",
    "track.py",
    "tracker.py",
    "trajectory.py",
    "stabilised.py",
    "camera_motion.py",
    "appearance.py",
    "defaults.py",
    "core",
    "live",
    "predictors",
    "propagation",
    "inference",
)
"""Files and folders of `pvtpp` that a run depends on. Graphs have digests of their own, as do trackers' weights."""


@lru_cache(maxsize=1)
def code_digest() -> str:
    """Return a digest of the code that makes a run; comments and docstrings do not count."""
    import pvtpp_trackers
    from pvtpp_benchmarks import oracle, runs, simulation, wall

    trackers = Path(pvtpp_trackers.__file__).resolve().parent
    files = [
        *_files(),
        *sorted(trackers.glob("*.py")),
        *map(Path, (oracle.__file__, runs.__file__, simulation.__file__, wall.__file__)),
    ]
    content = hashlib.sha256(f"{VERSION}".encode())
    for path in files:
        content.update(path.name.encode() + _meaning(path).encode())
    return content.hexdigest()[:12]


def _files() -> Iterator[Path]:
    for name in COMPUTES:
        place = FOLDER / name
        yield from sorted(place.rglob("*.py")) if place.is_dir() else (place,)


def _meaning(path: Path) -> str:
    """The syntax tree as text, without docstrings; comments are not in it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [each for each in body if not _is_text(each)]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
