"""The picture of closed loops: pointing errors of all variants, from `benchmarks/closed_loop/table.json`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping

from pvtpp.files import read_json
from pvtpp_benchmarks.closed_loop.variants import MAIN, VARIANTS
from pvtpp_benchmarks.report.charts import Axis, logarithmic
from pvtpp_benchmarks.report.drawing import Drawing, Line, Shape, Text, composed, mark
from pvtpp_benchmarks.report.styles import style
from pvtpp_benchmarks.report.svg import document
from pvtpp_benchmarks.results_pages.blocks import shown
from pvtpp_benchmarks.results_pages.closed_loop import SHARED, SOURCE, cases_of

Row = Mapping[str, Any]
WIDTH, LEFT, RIGHT, TOP, STEP = 360.0, 62.0, 10.0, 26.0, 26.0
"""Of a panel, and between its lines, pixels."""
HEADINGS = {False: "nothing hides the target", True: "two overpasses hide the target"}


def closed_loop(root: Path) -> str:
    """Draw the error of each variant in each case, all at one gain and the longest processing time."""
    content = read_json(str(root / SOURCE))
    longest = content["config"]["processing"][-1]
    panels = {
        hidden: {motion: row for (motion, time), row in cases_of(content, SHARED, hidden).items() if time == longest}
        for hidden in HEADINGS
    }
    every = [_degrees(row[name]) for cases in panels.values() for row in cases.values() for name in MAIN]
    axis = logarithmic("root mean square pointing error, degrees", every)
    drawn = [_panel(HEADINGS[hidden], cases, axis) for hidden, cases in panels.items()]
    legend = [(VARIANTS[name].label, style(number)) for number, name in enumerate(MAIN)]
    label = f"Pointing errors of {len(MAIN)} variants in a closed loop, the tracker at {shown(longest)}"
    return document(composed(drawn, 2, legend, True, label))


def _degrees(row: Row) -> float:
    return math.degrees(math.sqrt(row["mse_mrad2"]) * 1e-3)


def _panel(heading: str, cases: Mapping[str, Mapping[str, Row]], axis: Axis) -> Drawing:
    bottom = TOP + STEP * len(cases)

    def across(value: float) -> float:
        return LEFT + axis.share(value) * (WIDTH - RIGHT - LEFT)

    shapes: List[Shape] = [Text((LEFT, 14), heading, 12, bold=True)]
    for tick in axis.ticks:
        shapes.append(Line(((across(tick), TOP), (across(tick), bottom)), "grid", 0.8))
        shapes.append(Text((across(tick), bottom + 14), f"{tick:g}", 10, "muted", "middle"))
    shapes.append(Text(((LEFT + WIDTH - RIGHT) / 2, bottom + 30), axis.label, 11, align="middle"))
    for number, (motion, row) in enumerate(cases.items()):
        y = TOP + STEP * (number + 0.5)
        shapes.append(Text((LEFT - 8, y + 3.5), motion, 11, align="end"))
        shapes.append(Line(((LEFT, y), (WIDTH - RIGHT, y)), "grid", 0.8))
        for place, name in enumerate(MAIN):
            error, lost = _degrees(row[name]), " (lost)" if row[name]["lost"] else ""
            title = f"{VARIANTS[name].label}, {motion}: {error:.2g} degrees{lost}"
            # Variants that are equally good would hide one another.
            aside = 4.0 * (place - (len(MAIN) - 1) / 2)
            shapes += mark((across(error), y + aside), style(place), 4.0, title)
    return Drawing(WIDTH, bottom + 38, tuple(shapes), heading)


PICTURES: Dict[str, Callable[[Path], str]] = {"docs/figures/closed_loop.svg": closed_loop}
