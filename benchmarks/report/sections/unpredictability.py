"""Unpredictability of each clip: what perfect extrapolation would gain."""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple

from pvtpp_benchmarks.report.charts import Range, linear, ranges
from pvtpp_benchmarks.report.groups import Group, Method, Panel, Report
from pvtpp_benchmarks.report.parts import Block, Figure, Heading, Note, Part, Table, Value, number
from pvtpp_benchmarks.report.sections.columns import panels, part_of
from pvtpp_benchmarks.report.sections.curves import WIDEST


def part(report: Report) -> Optional[Part]:
    """Return a table and a figure of each data set and camera rate; None where it is not recorded."""
    explained = Note(
        "What a predictor could gain at most: the AUC that the truth at the time of the question would have over the "
        "truth at the capture of the newest result. It depends on the clip and on the tracker's speed, hardly on the "
        "predictor; it is given for hold, or for a tracker's first predictor."
    )
    return part_of(
        "unpredictability",
        "Unpredictability",
        (explained, *panels(report, report.groups, _panel)),
        "Unpredictability: not recorded in these results.",
    )


def _panel(group: Group, panel: Panel, name: str) -> List[Block]:
    methods = _one_each(panel)
    clips = [clip for clip in panel.clips if any(_gain(method, clip) is not None for method in methods)]
    if not clips:
        return []
    mean = {clip: max((_gain(method, clip) or 0.0) for method in methods) for clip in clips}
    clips.sort(key=lambda clip: -mean[clip])
    titles = _titles(methods)
    headings = (Heading("sequence"), *(Heading(title, 3) for title in titles))
    rows: Tuple[Tuple[Value, ...], ...] = tuple((clip, *(_gain(method, clip) for method in methods)) for clip in clips)
    caption = f"Unpredictability by sequence, {group.heading}; {panel.heading}"
    table = Table(f"unpredictability-{name}", caption, headings, rows)
    values = [value for method in methods for clip in clips for value in [_gain(method, clip)] if value is not None]
    x = linear("gain of perfect extrapolation (AUC)", [*values, 0.0])
    charts = []
    for method, title in zip(methods, titles):
        lines = [Range(clip, [_gain(method, clip)], method.style) for clip in clips]
        said = ", ".join(f"{line.name} {line.values[0]:.3f}" for line in lines if line.values[0] is not None)
        charts.append(ranges(title, x, lines, f"Unpredictability, {title}: {said}"))
    return [table, Figure(f"unpredictability-chart-{name}", caption, tuple(charts), columns=WIDEST)]


def _one_each(panel: Panel) -> List[Method]:
    """One method of each tracker and processing time: hold, or the first."""
    found: Dict[Tuple[str, str, str], Method] = {}
    for method in panel.online:
        key = method.tracker, method.row["clock"], str(method.row["processing"])
        if key not in found or (method.row["predictor"] == "hold" and found[key].row["predictor"] != "hold"):
            found[key] = method
    return list(found.values())


def _titles(methods: List[Method]) -> List[str]:
    several = len({method.row["processing_ms"] for method in methods}) > 1
    titles = [method.tracker + (f", {method.row['processing_ms']:g} ms" if several else "") for method in methods]
    return [title if titles.count(title) == 1 else methods[index].label for index, title in enumerate(titles)]


def _gain(method: Method, clip: str) -> Optional[float]:
    return number(method.row, "by_sequence", clip, "unpredictability")
