"""Figures of curves: charts by camera rate and tracker, on one scale, with one legend."""

from __future__ import annotations

from typing import Callable, List, Sequence

from pvtpp_benchmarks.report.charts import Axis, Series, linear, lines
from pvtpp_benchmarks.report.groups import Facet, Group
from pvtpp_benchmarks.report.parts import Block, Figure

WIDEST = 4
"""Charts in a row."""


def facets_of(group: Group, zero: bool = False) -> List[Facet]:
    """Return the charts of a group: those of one tracker side by side, by camera rate."""
    made = [group.facets(panel, zero) for panel in group.panels]
    tall = max(map(len, made), default=0)
    return [column[row] for row in range(tall) for column in made if row < len(column)]


def legend_of(facets: Sequence[Facet]) -> tuple:
    """Return the labels and looks of all series, each once."""
    return tuple({label: style for facet in facets for label, style in zip(facet.labels, facet.styles)}.items())


def side_by_side(group: Group, charts: int) -> int:
    """Return how many charts are in a row: a column for each camera rate, or all that there is space for."""
    return max(1, min(WIDEST, len(group.panels) if len(group.panels) > 1 else charts))


def curve_figure(
    name: str,
    caption: str,
    group: Group,
    series: Callable[[Facet], List[Series]],
    x: Axis,
    measure: str,
    zero: bool = False,
    diagonal: bool = False,
) -> List[Block]:
    """Make a figure of lines, all on one scale; empty where there is nothing to draw.

    Parameters
    ----------
    name, caption
        Of the figure.
    group
        Whose methods are drawn.
    series
        Gives the lines of a chart; those without values are left out.
    x
        The horizontal axis.
    measure
        Label of the vertical one, which begins at 0.
    zero
        Whether zero latency is drawn too.
    diagonal
        Also the line where both axes have the same value.
    """
    drawn = [(facet, [each for each in series(facet) if len(each.y)]) for facet in facets_of(group, zero)]
    drawn = [(facet, lines_of) for facet, lines_of in drawn if lines_of]
    if not drawn:
        return []
    values = [value for _, lines_of in drawn for each in lines_of for value in each.y]
    y = linear(measure, values, low=0.0)
    charts = tuple(
        lines(facet.heading, x, y, lines_of, f"{caption}; {facet.heading}: {_said(lines_of)}", diagonal)
        for facet, lines_of in drawn
    )
    legend = legend_of([facet for facet, _ in drawn])
    return [Figure(name, caption, charts, legend, side_by_side(group, len(charts)))]


def _said(series: Sequence[Series]) -> str:
    """The first and the last value of each line, for those who do not see it."""
    return "; ".join(f"{each.label} {each.y[0]:.3f} to {each.y[-1]:.3f}" for each in series)
