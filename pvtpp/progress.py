"""Progress of long work, for people: one line that rewrites itself on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from typing import Callable


def progress() -> Callable[[str], None]:
    """Prints progress to stderr: one line that rewrites itself on a terminal, plain lines elsewhere."""
    terminal = sys.stderr.isatty()

    def show(text: str) -> None:
        sys.stderr.write(f"\r\033[K{text}" if terminal else f"{text}\n")
        sys.stderr.flush()

    return show


def download_progress() -> Callable[[str, int, int], None]:
    """Progress of a download of weights."""
    show = progress()
    return lambda file, done, total: show(f"{file}: {done / 1e6:.1f} of {total / 1e6:.1f} MB")
