"""How the series of every picture look: colours, and dashes and marks for those who do not see the colours."""

from __future__ import annotations

from typing import NamedTuple, Tuple

COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#333333")
"""Okabe and Ito's palette without yellow, which is too pale for a line on white."""
MARKS = ("circle", "square", "triangle", "diamond", "cross", "plus", "down")
Dashes = Tuple[float, ...]
_DASHES: Tuple[Dashes, ...] = (
    (),
    (7, 1.5),
    (4, 1.5),
    (2.2, 1.2),
    (6, 1.5, 1.5, 1.5),
    (6, 1.5, 1.2, 1.2, 1.2, 1.5),
    (1.2, 1.2),
)
# For each further round of the colours.
_MORE_DASHES: Tuple[Dashes, ...] = ((9, 2), (4, 1, 1, 1, 1, 1), (2, 2), (8, 1, 2, 1), (1, 2.5))


class Style(NamedTuple):
    """How one series looks.

    Attributes
    ----------
    number
        Of its colour in `COLOURS`.
    dashes
        Lengths of dashes and gaps in widths of the line; empty: a whole line.
    mark
        One of `MARKS`.
    width
        Of the line, pixels.
    """

    number: int
    dashes: Dashes
    mark: str
    width: float = 2.0

    @property
    def colour(self) -> str:
        """Of the line, on white."""
        return COLOURS[self.number]


def style(index: int) -> Style:
    """The style of a series by its number: no two of the first 42 have both colour and dashes in common."""
    number, again = index % len(COLOURS), index // len(COLOURS)
    dashes = _DASHES[number] if again == 0 else _MORE_DASHES[(again - 1) % len(_MORE_DASHES)]
    return Style(number, dashes, MARKS[(number + again) % len(MARKS)])
