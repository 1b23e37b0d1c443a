"""A sheet: rows and charts below one another over one time axis, narrow enough to be read on a telephone."""

from __future__ import annotations

from typing import Callable, List, Sequence, Tuple

from pvtpp_benchmarks.report.drawing import Disc, Drawing, Line, Point, Shape, Text, series_colour

WIDTH = 420.0
"""Pixels."""
LEFT, RIGHT = 34.0, 408.0
"""Ends of the time axis, pixels."""
SIZE = 12.0
"""Height of the font, pixels."""
ORANGE, BLUE, GREEN, PINK, AMBER, DARK = (series_colour(number) for number in (0, 1, 2, 3, 4, 6))
Place = Callable[[float], float]


class Sheet:
    """Shapes over a horizontal axis.

    Parameters
    ----------
    low, high
        Ends of the axis.

    Attributes
    ----------
    shapes : list
        What was drawn, from back to front.
    y : float
        Where the next row begins, pixels from the top.
    """

    def __init__(self, low: float, high: float):
        self.low, self.high = low, high
        self.shapes: List[Shape] = []
        self.y = 6.0

    def x(self, value: float) -> float:
        """Return where a value of the axis is, pixels; values outside are at its ends."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return LEFT + share * (RIGHT - LEFT)

    def row(self, label: str, height: float) -> float:
        """Begin a row with a line of text; return the middle of what is below it."""
        self.shapes.append(Text((LEFT - 24, self.y + SIZE), label, SIZE, bold=True))
        top = self.y + SIZE + 8
        self.y = top + height + 10
        return top + height / 2

    def bar(self, middle: float, begin: float, end: float, colour: str, text: str = "", height: float = 20.0) -> None:
        """Draw what lasts from `begin` to `end`."""
        left, right = self.x(begin), self.x(end)
        corners = tuple((x, middle + y) for x, y in _corners(left, right, height / 2))
        self.shapes.append(Line(corners, "paper", 1.0, fill=colour, closed=True))
        if text:
            self.shapes.append(Text(((left + right) / 2, middle + 4), text, 11.0, "paper", "middle"))

    def dots(self, middle: float, values: Sequence[float], texts: Sequence[str]) -> None:
        """Draw a moment for each value, with its text above it."""
        for value, text in zip(values, texts):
            self.shapes.append(Disc((self.x(value), middle + 6), 3.2, "ink"))
            self.shapes.append(Text((self.x(value), middle - 2), text, 11.0, "muted", "middle"))

    def chart(self, label: str, low: float, high: float, ticks: Sequence[float], height: float) -> Place:
        """Begin a chart over the axis; return what gives the place of a value, pixels."""
        self.y += 2
        top = self.row(label, height + 8) - height / 2 + 4

        def down(value: float) -> float:
            return top + height * (1 - (min(max(value, low), high) - low) / (high - low))

        for tick in ticks:
            self.shapes.append(Line(((LEFT, down(tick)), (RIGHT, down(tick))), "grid", 0.8))
            self.shapes.append(Text((LEFT - 5, down(tick) + 4), f"{tick:g}", 11.0, "muted", "end"))
        return down

    def curve(
        self,
        down: Place,
        points: Sequence[Point],
        colour: str,
        width: float = 2.0,
        dashes: Tuple[float, ...] = (),
    ) -> None:
        """Draw a line through points of a chart."""
        placed = tuple((self.x(x), down(y)) for x, y in points)
        self.shapes.append(Line(placed, colour, width, dashes))

    def band(self, down: Place, x: Sequence[float], low: Sequence[float], high: Sequence[float], colour: str) -> None:
        """Fill what is between two curves."""
        points = [*zip(x, low), *zip(reversed(x), reversed(high))]
        corners = tuple((self.x(x), down(y)) for x, y in points)
        self.shapes.append(Line(corners, colour, 0.0, fill=colour, opacity=0.18, closed=True))

    def note(self, down: Place, x: float, y: float, text: str, colour: str = "ink", align: str = "start") -> None:
        """Write beside a point of a chart."""
        self.shapes.append(Text((self.x(x), down(y)), text, 11.0, colour, align))

    def legend(self, entries: Sequence[Tuple[str, str]]) -> None:
        """Name colours, one a line: each a colour and what it stands for."""
        for colour, text in entries:
            corners = tuple((x, self.y + 6 + y) for x, y in _corners(LEFT - 24, LEFT - 12, 5.0))
            self.shapes.append(Line(corners, colour, 0.0, fill=colour, closed=True))
            self.shapes.append(Text((LEFT - 6, self.y + 10), text, 11.0))
            self.y += 17

    def axis(self, ticks: Sequence[float], label: str) -> None:
        """Write the numbers of the axis below all."""
        for tick in ticks:
            x = self.x(tick)
            self.shapes.append(Line(((x, self.y - 4), (x, self.y)), "muted", 1.0))
            self.shapes.append(Text((x, self.y + 12), f"{tick:g}", 11.0, "muted", "middle"))
        self.shapes.append(Line(((LEFT, self.y - 4), (RIGHT, self.y - 4)), "muted", 1.0))
        self.shapes.append(Text(((LEFT + RIGHT) / 2, self.y + 28), label, 11.0, align="middle"))
        self.y += 40

    def drawing(self, label: str) -> Drawing:
        """Return all that was drawn; `label` says what it shows."""
        return Drawing(WIDTH, self.y + 2, tuple(self.shapes), label)


def _corners(left: float, right: float, half: float) -> Tuple[Point, ...]:
    return ((left, -half), (right, -half), (right, half), (left, half))
