"""A block: the part of a page that committed JSON files make, between two marks.

A page says ``<!-- results: NAME -->`` and, below it, ``<!-- end of results -->``. What stands between them is written
by the block of that name, so no figure there is typed by hand.
"""

from __future__ import annotations

import math
import re
import textwrap
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Mapping, Sequence

from pvtpp.errors import InputError
from pvtpp.files import read_json

Lines = List[str]
Content = Mapping[str, Any]
"""What a JSON file of results holds."""
Block = Callable[[Path], Lines]
"""Given the folder of the checkout, the lines that stand between the marks."""
BEGIN, END = "<!-- results: {} -->", "<!-- end of results -->"
_MARKED = re.compile(r"^<!-- results: (\S+) -->\n(.*?)^<!-- end of results -->$", re.MULTILINE | re.DOTALL)


def from_json(path: str, make: Callable[[Content], Lines]) -> Block:
    """Return the block that is made of one JSON file.

    Parameters
    ----------
    path
        The file, from the root of the checkout.
    make
        Makes the lines of the file's content.
    """
    return lambda root: make(read_json(str(root / path)))


def names(text: str) -> List[str]:
    """Names of the blocks on a page, in order."""
    return [found[1] for found in _MARKED.finditer(text)]


def rewritten(text: str, blocks: Mapping[str, Block], root: Path, page: str) -> str:
    """Return a page with all its blocks written anew.

    Raises
    ------
    InputError
        A mark names no block, or one of the two marks is missing.
    """
    opened, closed, whole = text.count("<!-- results: "), text.count(END), len(names(text))
    if not opened == closed == whole:
        raise InputError(f"{page}: {opened} marks open a block, {closed} close one; each needs a line of its own")

    def block(found: re.Match[str]) -> str:
        if found[1] not in blocks:
            raise InputError(f"{page} asks for the block {found[1]!r}, allowed: {', '.join(sorted(blocks))}")
        # Markdown needs an empty line between a comment and a table.
        lines = "\n".join(blocks[found[1]](root)).strip("\n")
        return f"{BEGIN.format(found[1])}\n\n{lines}\n\n{END}"

    return _MARKED.sub(block, text)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Lines:
    """Lines of a Markdown table."""
    for row in rows:
        if len(row) != len(heads):
            raise InputError(f"a row of {len(row)} cells under {len(heads)} heads: {row}")
    return ["| " + " | ".join(each) + " |" for each in (heads, ["---"] * len(heads), *rows)]


def bullet(text: str) -> Lines:
    """Lines of an item of a Markdown list."""
    return textwrap.wrap(text, 120, initial_indent="* ", subsequent_indent="  ", break_on_hyphens=False)


def paragraph(text: str) -> Lines:
    """Lines of a paragraph."""
    return textwrap.wrap(text, 120, break_on_hyphens=False)


def short(value: float) -> str:
    """Two significant digits, without an exponent: ``0.000031``, ``1.1``, ``12``."""
    digits = 1 - math.floor(math.log10(abs(value))) if value else 0
    return f"{value:.{max(0, digits)}f}"


def three(value: float) -> str:
    """Three decimals, without a leading zero: ``.123``, ``-.123``."""
    return f"{value:.3f}".replace("0.", ".", 1)


def signed(value: float) -> str:
    """Three decimals with their sign, without a leading zero: ``+.012``."""
    return f"{value:+.3f}".replace("0.", ".", 1)


def interval(ends: Sequence[float]) -> str:
    """Ends of an interval: ``[-.012, +.034]``."""
    return f"[{signed(ends[0])}, {signed(ends[1])}]"


def percent(share: float, digits: int = 0) -> str:
    """A share as a percentage, without the sign: ``97``."""
    return f"{100 * share:.{digits}f}"


def shown(time: str) -> str:
    """``47 ms`` for ``47ms``."""
    return f"{time[:-2]} ms"


def size(pixels: Sequence[int]) -> str:
    """An image's size: ``1280x720``."""
    return "x".join(map(str, pixels))


def listed(values: Iterable[float], digits: int = 1) -> str:
    """Numbers one after the other: ``12.0, 13.5``."""
    return ", ".join(f"{value:.{digits}f}" for value in values)


def joined(*modules: Mapping[str, Any]) -> Dict[str, Any]:
    """Put registries together; each name stands once."""
    found: Dict[str, Any] = {}
    for module in modules:
        twice = sorted(set(found) & set(module))
        if twice:
            raise InputError(f"these names are taken twice: {', '.join(twice)}")
        found.update(module)
    return found
