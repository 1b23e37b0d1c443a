"""Drawings as PDF, by matplotlib (extra ``report``)."""

from __future__ import annotations

from typing import Any

from pvtpp.files import whole_file
from pvtpp_benchmarks.report.curves import matplotlib_figure
from pvtpp_benchmarks.report.drawing import Disc, Drawing, Line, Text, paint

# Of 96 in an inch.
_POINTS = 0.75
_ALIGN = {"start": "left", "middle": "center", "end": "right"}


def write(path: str, drawing: Drawing) -> None:
    """Write a drawing as a PDF file of one page, whole or not at all.

    Raises
    ------
    InputError
        Where the file cannot be written, and without matplotlib.
    """
    figure = matplotlib_figure(path, (drawing.width / 96, drawing.height / 96))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, drawing.width)
    axes.set_ylim(drawing.height, 0)
    axes.axis("off")
    for shape in drawing.shapes:
        if isinstance(shape, Line):
            _line(axes, shape)
        elif isinstance(shape, Disc):
            _disc(axes, shape)
        else:
            _text(axes, shape)
    with whole_file(path) as part:
        figure.savefig(part, format="pdf", metadata={"Title": drawing.label})


def _line(axes: Any, line: Line) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Polygon

    if line.fill:
        area = Polygon(line.points, closed=True, facecolor=paint(line.fill), edgecolor="none", alpha=line.opacity)
        axes.add_patch(area)
    if line.width:
        points = [*line.points, line.points[0]] if line.closed else line.points
        xs, ys = zip(*points)
        dashes: Any = (0, line.dashes) if line.dashes else "-"
        drawn = Line2D(xs, ys, color=paint(line.colour), linewidth=line.width * _POINTS, linestyle=dashes)
        axes.add_line(drawn)


def _disc(axes: Any, disc: Disc) -> None:
    from matplotlib.patches import Circle

    drawn = Circle(disc.centre, disc.radius, facecolor=paint(disc.colour), edgecolor="none")
    axes.add_patch(drawn)


def _text(axes: Any, text: Text) -> None:
    axes.text(
        *text.at,
        text.text.replace("$", r"\$"),
        fontsize=text.size * _POINTS,
        color=paint(text.colour),
        ha="right" if text.turned else _ALIGN[text.align],
        va="center" if text.turned else "baseline",
        rotation=90 if text.turned else 0,
        fontweight="bold" if text.bold else "normal",
    )
