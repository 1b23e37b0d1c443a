"""Progress of long work, shown to the user on stderr."""

from __future__ import annotations

import sys
from typing import Callable


def progress() -> Callable[[str], None]:
    """Create a function that prints its text to stderr: over the last text on a terminal, as a new line elsewhere."""
    terminal = sys.stderr.isatty()

    def show(text: str) -> None:
        sys.stderr.write(f"\r\033[K{text}" if terminal else f"{text}\n")
        sys.stderr.flush()

    return show


def download_progress() -> Callable[[str, int, int], None]:
    """Create a function that shows the progress of a download: called with the file's name, bytes so far and in all."""
    show = progress()
    return lambda file, done, total: show(f"{file}: {done / 1e6:.1f} of {total / 1e6:.1f} MB")
