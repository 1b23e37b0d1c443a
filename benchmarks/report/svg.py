"""Drawings as SVG: inside a page, where the page's style sheet colours them, or as a file of its own."""

from __future__ import annotations

from html import escape
from typing import Callable, List

from pvtpp_benchmarks.report.drawing import ALIGNMENTS, INK, Disc, Drawing, Line, Shape, Text, paint, series_colour
from pvtpp_benchmarks.report.styles import COLOURS


def inline(drawing: Drawing) -> str:
    """Return the drawing as an ``svg`` element; its classes are those of `rules`."""
    return _element(drawing, "")


def document(drawing: Drawing) -> str:
    """Return the drawing as an SVG file, with its colours on white."""
    paper = f'<rect width="100%" height="100%" fill="{INK["paper"]}"/>'
    return f"{_element(drawing, f'<style>{rules()}</style>{paper}')}\n"


NAMES = (*INK, *(series_colour(number) for number in range(len(COLOURS))))
"""Of all colours."""


def rules(value: Callable[[str], str] = paint) -> str:
    """Return the style rules of all classes in a drawing; `value` gives the value of a named colour."""
    colours = [f".c-{name}{{stroke:{value(name)}}}.f-{name}{{fill:{value(name)}}}" for name in NAMES]
    aligned = [f".a-{name}{{text-anchor:{name}}}" for name in ALIGNMENTS]
    return "".join(["text{font-family:system-ui,'DejaVu Sans',sans-serif}", *colours, *aligned])


def _element(drawing: Drawing, before: str) -> str:
    named = f' role="img" aria-label="{escape(drawing.label)}"' if drawing.label else ' aria-hidden="true"'
    size = f'viewBox="0 0 {_n(drawing.width)} {_n(drawing.height)}"'
    size += f' width="{_n(drawing.width)}" height="{_n(drawing.height)}"'
    shapes = "".join(_shape(shape) for shape in drawing.shapes)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}{named}>{before}{shapes}</svg>'


def _shape(shape: Shape) -> str:
    if isinstance(shape, Line):
        return _line(shape)
    if isinstance(shape, Disc):
        (x, y), title = shape.centre, _title(shape.title)
        return f'<circle class="f-{shape.colour}" cx="{_n(x)}" cy="{_n(y)}" r="{_n(shape.radius)}">{title}</circle>'
    return _text(shape)


def _line(line: Line) -> str:
    classes: List[str] = [f"c-{line.colour}"] if line.width else []
    classes += [f"f-{line.fill}"] if line.fill else []
    given = f' stroke-width="{_n(line.width)}"' if line.width else ""
    given += "" if line.fill else ' fill="none"'
    given += f' fill-opacity="{line.opacity:g}"' if line.fill and line.opacity < 1 else ""
    if line.dashes and line.width:
        given += f' stroke-dasharray="{" ".join(_n(part * line.width) for part in line.dashes)}"'
    path = "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in line.points) + ("Z" if line.closed else "")
    return f'<path class="{" ".join(classes)}"{given} d="{path}">{_title(line.title)}</path>'


def _text(text: Text) -> str:
    x, y = (_n(value) for value in text.at)
    given = f' font-size="{_n(text.size)}"' + (' font-weight="600"' if text.bold else "")
    given += f' transform="rotate(-90 {x} {y})"' if text.turned else ""
    return f'<text class="f-{text.colour} a-{text.align}" x="{x}" y="{y}"{given}>{escape(text.text)}</text>'


def _title(text: str) -> str:
    return f"<title>{escape(text)}</title>" if text else ""


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".") if abs(value) >= 0.05 else "0"
