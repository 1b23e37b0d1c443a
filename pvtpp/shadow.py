"""Is `trackers` really ours? Another distribution has the same name, and only one of the two can be imported."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from pvtpp.errors import InputError


def check_trackers() -> None:
    """Raises InputError where ``import trackers`` would give something else than the package beside this one.

    Looks without importing, so it can be asked before the first import of `trackers` fails in some less telling way.
    """
    own = Path(__file__).resolve().parent.parent / "trackers"
    spec = find_spec("trackers")
    found = Path(spec.origin).resolve().parent if spec is not None and spec.origin else None
    if found != own:
        raise InputError(
            f"`import trackers` finds {found or 'nothing'}, but pvtpp's own is {own}: "
            "another distribution called `trackers`, or a second copy of pvtpp, comes first on sys.path; "
            f"uninstall it (pip uninstall trackers) or put {own.parent} first on PYTHONPATH"
        )
    if not (own / "registry.py").is_file():
        raise InputError(
            f"{own} has no registry.py: it belongs to another distribution called `trackers`, or this one is "
            "damaged; pip uninstall trackers, then install pvtpp again"
        )
