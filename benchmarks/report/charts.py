"""Charts as drawings: lines, points with intervals, radars, and ranges by name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from pvtpp.errors import InputError
from pvtpp_benchmarks.report.drawing import Drawing, Line, Point, Shape, Text, mark, series_colour
from pvtpp_benchmarks.report.styles import Style

WIDTH, HEIGHT = 360.0, 270.0
"""Of a chart with axes, pixels."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 12.0, 26.0, 40.0


@dataclass(frozen=True)
class Axis:
    """A scale.

    Attributes
    ----------
    label
        What it measures, with the unit.
    low, high
        Its ends.
    ticks
        Where it has a number.
    logarithmic
        Whether equal steps are equal factors.
    """

    label: str
    low: float
    high: float
    ticks: Tuple[float, ...]
    logarithmic: bool = False

    def share(self, value: float) -> float:
        """Where a value is: 0 at the low end, 1 at the high one; values outside are drawn at the ends."""
        low, high, at = self.low, self.high, min(max(value, self.low), self.high)
        if self.logarithmic:
            low, high, at = math.log(low), math.log(high), math.log(at)
        return (at - low) / (high - low)


class Series(NamedTuple):
    """What belongs together.

    Attributes
    ----------
    label
        Its name.
    x, y
        Values in order.
    style
        How it looks.
    low, high
        Ends of an interval round each `y`; None where there is none.
    titles
        What each point is, shown where a pointer rests on it; empty: the label.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    style: Style
    low: Optional[Sequence[Optional[float]]] = None
    high: Optional[Sequence[Optional[float]]] = None
    titles: Sequence[str] = ()


def steps(x: Sequence[float], y: Sequence[float]) -> Tuple[List[float], List[float]]:
    """Return the corners of a line on which each `y` holds up to the next `x`."""
    across: List[float] = []
    down: List[float] = []
    for number, (at, value) in enumerate(zip(x, y)):
        if not down or value != down[-1]:
            across += [at, at] if down else [at]
            down += [down[-1], value] if down else [value]
        if number == len(y) - 1:
            across, down = [*across, at], [*down, value]
    return across, down


def linear(label: str, values: Sequence[float], low: Optional[float] = None, high: Optional[float] = None) -> Axis:
    """Make a linear axis that holds all finite values, with round ends where they are not given."""
    known = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    least = min(known) if low is None else low
    most = max([*known, least]) if high is None else high
    if most <= least:
        most = least + (abs(least) or 1.0)
    step = _step((most - least) / 5)
    first = math.floor(least / step + 1e-9) * step if low is None else low
    last = math.ceil(most / step - 1e-9) * step if high is None else high
    ticks = [i * step for i in range(math.ceil(first / step - 1e-9), math.floor(last / step + 1e-9) + 1)]
    return Axis(label, first, last, tuple(round(tick, 10) for tick in ticks))


def logarithmic(label: str, values: Sequence[float]) -> Axis:
    """Make a logarithmic axis that holds all values above 0."""
    known = [value for value in values if math.isfinite(value) and value > 0] or [1.0, 10.0]
    low, high = min(known) / 1.15, max(known) * 1.15
    every = [factor * 10.0**power for power in range(-6, 9) for factor in (1, 2, 5)]
    ticks = [tick for tick in every if low <= tick <= high]
    if len(ticks) > 6:
        ticks = [tick for tick in ticks if f"{tick:e}"[0] == "1"]
    # Values that are close together have no round number among them.
    return Axis(label, low, high, tuple(ticks) or (float(f"{known[0]:.3g}"),), True)


def _step(rough: float) -> float:
    size = 10.0 ** math.floor(math.log10(rough))
    return next(factor * size for factor in (1, 2, 2.5, 5, 10) if factor * size >= rough * (1 - 1e-9))


class _Frame:
    """The area of a chart between its axes."""

    def __init__(self, heading: str, x: Axis, y: Axis, width: float = WIDTH, height: float = HEIGHT):
        self.x, self.y = x, y
        self.left, self.right = _LEFT, width - _RIGHT
        self.top, self.bottom = _TOP, height - _BOTTOM
        self.width, self.height = width, height
        self.shapes: List[Shape] = [Text((self.left, 14), heading, 12, bold=True)]
        for tick in x.ticks:
            at = self._across(tick)
            self.shapes.append(Line(((at, self.top), (at, self.bottom)), "grid", 0.8))
            self.shapes.append(Text((at, self.bottom + 14), f"{tick:g}", 10, "muted", "middle"))
        for tick in y.ticks:
            at = self._down(tick)
            self.shapes.append(Line(((self.left, at), (self.right, at)), "grid", 0.8))
            self.shapes.append(Text((self.left - 5, at + 3.5), f"{tick:g}", 10, "muted", "end"))
        corners = ((self.left, self.top), (self.left, self.bottom), (self.right, self.bottom))
        self.shapes.append(Line(corners, "muted", 1.0))
        self.shapes.append(Text(((self.left + self.right) / 2, height - 7), x.label, 11, align="middle"))
        self.shapes.append(Text((12, (self.top + self.bottom) / 2), y.label, 11, align="middle", turned=True))

    def at(self, x: float, y: float) -> Point:
        """Return the place of a value."""
        return self._across(x), self._down(y)

    def drawing(self, label: str) -> Drawing:
        """Return all that was drawn."""
        return Drawing(self.width, self.height, tuple(self.shapes), label)

    def draw_diagonal(self) -> None:
        """Draw the line where both axes have the same value."""
        low, high = max(self.x.low, self.y.low), min(self.x.high, self.y.high)
        self.shapes.append(Line((self.at(low, low), self.at(high, high)), "muted", 1.0, (3.0, 3.0)))

    def _across(self, value: float) -> float:
        return self.left + self.x.share(value) * (self.right - self.left)

    def _down(self, value: float) -> float:
        return self.bottom - self.y.share(value) * (self.bottom - self.top)


def lines(
    heading: str,
    x: Axis,
    y: Axis,
    series: Sequence[Series],
    label: str,
    diagonal: bool = False,
    shaded: Sequence[Tuple[float, float]] = (),
    size: Tuple[float, float] = (WIDTH, HEIGHT),
) -> Drawing:
    """Draw a line for each series.

    Parameters
    ----------
    heading
        Above the chart.
    x, y
        Its axes.
    series
        From back to front.
    label
        What it shows, for those who do not see it.
    diagonal
        Also the line where both axes have the same value.
    shaded
        First and last value on the horizontal axis of each area that is grey.
    size
        Width and height, pixels.
    """
    frame = _Frame(heading, x, y, *size)
    for begin, end in shaded:
        corners = ((begin, y.low), (begin, y.high), (end, y.high), (end, y.low))
        frame.shapes.insert(0, Line(tuple(frame.at(*each) for each in corners), width=0, fill="grid", closed=True))
    if diagonal:
        frame.draw_diagonal()
    for number, each in enumerate(series):
        points = tuple(frame.at(*point) for point in zip(each.x, each.y))
        colour = series_colour(each.style.number)
        # A curve that later ones would hide is drawn wider, so that it shows on both sides of them.
        over = sum(_hides(other, each, 0.004 * (y.high - y.low)) for other in series[number + 1 :])
        frame.shapes.append(
            Line(points, colour, each.style.width * (1 + 0.8 * over), each.style.dashes, title=each.label)
        )
    return frame.drawing(label)


def _hides(line: Series, other: Series, near: float) -> bool:
    """Whether two lines are nowhere further apart than `near`."""
    at = np.union1d(line.x, other.x)
    values = [np.interp(at, each.x, each.y) for each in (line, other)]
    return bool(np.abs(values[0] - values[1]).max() < near)


def points(
    heading: str,
    x: Axis,
    y: Axis,
    series: Sequence[Series],
    label: str,
    joined: bool = True,
    front: Sequence[Point] = (),
    diagonal: bool = False,
) -> Drawing:
    """Draw marks with their intervals, joined by thin lines.

    `front` is a line of steps through these values, the first one to the left or to the right of the others,
    `diagonal` the line where both axes have the same value. Series with intervals are set a little apart, so that these
    do not hide one another.
    """
    frame = _Frame(heading, x, y)
    if diagonal:
        frame.draw_diagonal()
    if front:
        steps: List[Point] = []
        end = x.low if front[0][0] > front[-1][0] else x.high
        for here, after in zip(front, [*front[1:], (end, front[-1][1])]):
            steps += [frame.at(*here), frame.at(after[0], here[1])]
        frame.shapes.append(Line(tuple(steps), "muted", 1.5, (4.0, 2.0), title="front"))
    for index, each in enumerate(series):
        colour = series_colour(each.style.number)
        aside = min(3.0, 14.0 / len(series)) * (index - (len(series) - 1) / 2) if each.low else 0.0
        places = [(x + aside, y) for x, y in (frame.at(*point) for point in zip(each.x, each.y))]
        if joined and len(places) > 1:
            frame.shapes.append(Line(tuple(places), colour, 1.0, each.style.dashes, title=each.label))
        for number, place in enumerate(places):
            low = each.low[number] if each.low else None
            high = each.high[number] if each.high else None
            if low is not None and high is not None:
                ends = [frame.at(each.x[number], end)[1] for end in (low, high)]
                frame.shapes.append(Line(tuple((place[0], end) for end in ends), colour, 1.0))
            frame.shapes += mark(place, each.style, 3.8, each.titles[number] if each.titles else each.label)
    return frame.drawing(label)


def radar(heading: str, spokes: Sequence[str], series: Sequence[Series], high: float, label: str) -> Drawing:
    """Draw a value for each of three or more spokes, the values of a series joined; the rim is at `high`."""
    if len(spokes) < 3:
        raise InputError(f"radar {heading!r} has {len(spokes)} spokes, allowed is 3 or more")
    width, height = WIDTH, 300.0
    middle, radius = (width / 2, height / 2 + 8), 92.0
    angles = [2 * math.pi * number / len(spokes) - math.pi / 2 for number in range(len(spokes))]

    def at(share: float, angle: float) -> Point:
        return middle[0] + radius * share * math.cos(angle), middle[1] + radius * share * math.sin(angle)

    shapes: List[Shape] = [Text((8, 14), heading, 12, bold=True)]
    for ring in (0.25, 0.5, 0.75, 1.0):
        shapes.append(Line(tuple(at(ring, angle) for angle in angles), "grid", 0.8, closed=True))
        shapes.append(Text((middle[0] + 3, middle[1] - radius * ring + 10), f"{ring * high:.2g}", 9, "muted"))
    for name, angle in zip(spokes, angles):
        shapes.append(Line((middle, at(1.0, angle)), "grid", 0.8))
        x, y = at(1.09, angle)
        side = "middle" if abs(math.cos(angle)) < 0.2 else "start" if math.cos(angle) > 0 else "end"
        shapes.append(Text((x, y + 3.5), name, 10, "ink", side))
    for each in series:
        corners = tuple(at(min(max(value / high, 0.0), 1.0), angle) for value, angle in zip(each.y, angles))
        colour = series_colour(each.style.number)
        shapes.append(Line(corners, colour, 1.6, each.style.dashes, colour, 0.06, True, each.label))
    return Drawing(width, height, tuple(shapes), label)


class Range(NamedTuple):
    """A line of `ranges`.

    Attributes
    ----------
    name
        Written before it.
    values
        In rising order, each marked; the first and the last are joined. None is left out.
    style
        How it looks.
    """

    name: str
    values: Sequence[Optional[float]]
    style: Style


MARKS_OF_RANGES = ("circle", "square", "diamond", "cross")
"""How the values of a range are marked, in order."""


def ranges(heading: str, x: Axis, rows: Sequence[Range], label: str) -> Drawing:
    """Draw a line of marked values for each name, the name above it."""
    step, width, wide = 29.0, WIDTH, 10.0
    bottom, right = 28 + step * len(rows), WIDTH - 14

    def across(value: float) -> float:
        return wide + x.share(value) * (right - wide)

    shapes: List[Shape] = [Text((wide, 14), heading, 12, bold=True)]
    for tick in x.ticks:
        shapes.append(Line(((across(tick), 22), (across(tick), bottom)), "grid", 0.8))
        shapes.append(Text((across(tick), bottom + 14), f"{tick:g}", 10, "muted", "middle"))
    shapes.append(Text(((wide + right) / 2, bottom + 30), x.label, 11, align="middle"))
    for number, row in enumerate(rows):
        y, colour = 28 + step * number + 20, series_colour(row.style.number)
        shapes.append(Text((wide, y - 8), row.name, 10))
        known = [value for value in row.values if value is not None]
        if len(known) > 1:
            ends = ((across(min(known)), y), (across(max(known)), y))
            shapes.append(Line(ends, colour, 1.6, row.style.dashes))
        for value, look in zip(row.values, MARKS_OF_RANGES):
            if value is not None:
                shapes += mark((across(value), y), row.style._replace(mark=look), 3.6, f"{row.name}: {value:g}")
    return Drawing(width, bottom + 38, tuple(shapes), label)


def front(x: Sequence[float], y: Sequence[float]) -> List[int]:
    """Return the numbers of the points that no other is better than, by rising `x`: lower `x` and higher `y` are good.

    Of points with equal values the first one counts.
    """
    order = np.lexsort((np.arange(len(x)), -np.asarray(y), np.asarray(x)))
    best, found = -math.inf, []
    for number in order.tolist():
        if y[number] > best:
            best = y[number]
            found.append(number)
    return found
