"""Parsing of command-line arguments, shared by the commands and the benchmark's scripts."""

from __future__ import annotations

from typing import Tuple


def comma_separated(text: str) -> Tuple[str, ...]:
    """Split ``a,b,a`` into ``("a", "b")``: in order, without repetitions and without empty parts."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
