"""A drawing: lines, marks and texts at their places, from which every picture format is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Sequence, Tuple, Union

from pvtpp_benchmarks.report.styles import COLOURS, Dashes, Style

Point = Tuple[float, float]
INK = {"ink": "#222222", "muted": "#666666", "grid": "#D9D9D9", "paper": "#FFFFFF"}
"""Colours that belong to no series, by name; on a dark page they are others."""
ALIGNMENTS = ("start", "middle", "end")
# Of a mark of size 1: the corners of its outline; lines of those that have no area.
_OUTLINES = {
    "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    "triangle": ((0, -1.1), (1.05, 0.85), (-1.05, 0.85)),
    "down": ((0, 1.1), (1.05, -0.85), (-1.05, -0.85)),
    "diamond": ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)),
}
_STROKES = {
    "cross": (((-0.9, -0.9), (0.9, 0.9)), ((-0.9, 0.9), (0.9, -0.9))),
    "plus": (((-1.1, 0), (1.1, 0)), ((0, -1.1), (0, 1.1))),
}


def series_colour(number: int) -> str:
    """Return the name of the colour of a series, see `paint`."""
    return f"s{number}"


def paint(name: str) -> str:
    """Return a named colour as on white paper, ``#RRGGBB``."""
    return INK[name] if name in INK else COLOURS[int(name[1:])]


@dataclass(frozen=True)
class Line:
    """A line through points, or the outline of an area.

    Attributes
    ----------
    points
        ``(x, y)`` from the upper left corner, in pixels of the drawing.
    colour
        A name of `paint`.
    width
        Pixels; 0 draws no line.
    dashes
        Of dashes and gaps, in widths.
    fill
        Colour of the area inside; empty: none.
    opacity
        Of that area.
    closed
        Whether the last point is joined to the first.
    title
        What it is, shown where a pointer rests on it.
    """

    points: Tuple[Point, ...]
    colour: str = "ink"
    width: float = 1.0
    dashes: Dashes = ()
    fill: str = ""
    opacity: float = 1.0
    closed: bool = False
    title: str = ""

    def moved(self, dx: float, dy: float) -> Line:
        """The same elsewhere."""
        return replace(self, points=tuple((x + dx, y + dy) for x, y in self.points))


@dataclass(frozen=True)
class Disc:
    """A filled circle; attributes as of `Line`."""

    centre: Point
    radius: float
    colour: str = "ink"
    title: str = ""

    def moved(self, dx: float, dy: float) -> Disc:
        """The same elsewhere."""
        return replace(self, centre=(self.centre[0] + dx, self.centre[1] + dy))


@dataclass(frozen=True)
class Text:
    """A line of text.

    Attributes
    ----------
    at
        Where its base line starts, is in the middle or ends.
    text
        What it says.
    size
        Height of the font, pixels.
    align
        One of `ALIGNMENTS`.
    turned
        Written upwards.
    """

    at: Point
    text: str
    size: float = 11.0
    colour: str = "ink"
    align: str = "start"
    bold: bool = False
    turned: bool = False

    def moved(self, dx: float, dy: float) -> Text:
        """The same elsewhere."""
        return replace(self, at=(self.at[0] + dx, self.at[1] + dy))


Shape = Union[Line, Disc, Text]


@dataclass(frozen=True)
class Drawing:
    """Shapes on a rectangle.

    Attributes
    ----------
    width, height
        Pixels.
    shapes
        From back to front.
    label
        What it shows, for those who do not see it.
    """

    width: float
    height: float
    shapes: Tuple[Shape, ...]
    label: str = ""


def mark(centre: Point, style: Style, size: float = 4.0, title: str = "") -> Tuple[Shape, ...]:
    """Draw the mark of a series."""
    x, y = centre
    colour = series_colour(style.number)
    if style.mark in _STROKES:
        return tuple(
            Line(tuple((x + size * a, y + size * b) for a, b in stroke), colour, 2.0, title=title)
            for stroke in _STROKES[style.mark]
        )
    if style.mark in _OUTLINES:
        corners = tuple((x + size * a, y + size * b) for a, b in _OUTLINES[style.mark])
        return (Line(corners, colour, 0.0, fill=colour, closed=True, title=title),)
    return (Disc(centre, size, colour, title),)


def sample(style: Style, marked: bool = False) -> Drawing:
    """Draw how a series looks, for a legend; `marked`: with its mark."""
    line = Line(((1.0, 7.0), (33.0, 7.0)), series_colour(style.number), style.width, style.dashes)
    return Drawing(34.0, 14.0, (line, *(mark((17.0, 7.0), style, 3.6) if marked else ())))


Legend = Sequence[Tuple[str, Style]]


def composed(panels: Sequence[Drawing], columns: int, legend: Legend, marked: bool, label: str) -> Drawing:
    """Set panels in rows of `columns`, with the legend below them."""
    gap, wide = 12.0, max(panel.width for panel in panels)
    columns = max(1, min(columns, len(panels)))
    width = columns * (wide + gap) - gap
    shapes, top = [], 0.0
    for first in range(0, len(panels), columns):
        row = panels[first : first + columns]
        for number, panel in enumerate(row):
            shapes += [shape.moved(number * (wide + gap), top) for shape in panel.shapes]
        top += max(panel.height for panel in row) + gap
    # A character of the font takes about 0.6 of its height.
    longest = max((len(name) for name, _ in legend), default=0) * 6.6 + 56
    across = max(1, int(width // longest))
    width = max(width, longest) if legend else width
    for number, (name, style) in enumerate(legend):
        x, y = (number % across) * longest, top + (number // across) * 18.0
        shapes += [shape.moved(x, y) for shape in sample(style, marked).shapes]
        shapes.append(Text((x + 40, y + 11), name))
    below = -(-len(legend) // across) * 18.0 if legend else -gap
    return Drawing(width, top + below, tuple(shapes), label)
