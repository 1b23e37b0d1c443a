"""How text given on a command line is read, for the commands and for the scripts of the benchmark."""

from __future__ import annotations

from typing import Tuple


def comma_separated(text: str) -> Tuple[str, ...]:
    """Split ``a,b,a`` into ``("a", "b")``: in order, without repetitions and empty parts."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
