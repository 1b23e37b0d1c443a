"""Unpredictability of each clip: what perfect extrapolation would gain."""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple

from pvtpp_benchmarks.report.charts import Range, linear, ranges
from pvtpp_benchmarks.report.groups import Group, Method, Panel, Report
from pvtpp_benchmarks.report.parts import Block, Figure, Heading, Note, Part, Table, Value, number
from pvtpp_benchmarks.report.sections.columns import panels, part_of
from pvtpp_benchmarks.report.sections.curves import WIDEST
from pvtpp_benchmarks.report.styles import style

Gains = Dict[str, Optional[float]]
"""By clip."""


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
    columns = _columns(panel)
    clips = [clip for clip in panel.clips if any(gains.get(clip) is not None for _, gains in columns)]
    if not clips:
        return []
    clips.sort(key=lambda clip: -max(gains.get(clip) or 0.0 for _, gains in columns))
    headings = (Heading("sequence"), *(Heading(title, 3) for title, _ in columns))
    rows: Tuple[Tuple[Value, ...], ...] = tuple((clip, *(gains.get(clip) for _, gains in columns)) for clip in clips)
    caption = f"Unpredictability by sequence, {group.heading}; {panel.heading}"
    table = Table(f"unpredictability-{name}", caption, headings, rows)
    values = [value for _, gains in columns for value in gains.values() if value is not None]
    x = linear("gain of perfect extrapolation (AUC)", [*values, 0.0])
    charts = []
    for index, (title, gains) in enumerate(columns):
        lines = [Range(clip, [gains.get(clip)], style(index)) for clip in clips]
        said = ", ".join(f"{line.name} {line.values[0]:.3f}" for line in lines if line.values[0] is not None)
        charts.append(ranges(title, x, lines, f"Unpredictability, {title}: {said}"))
    return [table, Figure(f"unpredictability-chart-{name}", caption, tuple(charts), columns=WIDEST)]


def _columns(panel: Panel) -> List[Tuple[str, Gains]]:
    """The gains of each clip, once for trackers of one speed that have the same, and what these are called."""
    same: Dict[Tuple[Tuple[str, Optional[float]], ...], List[Method]] = {}
    methods = _one_each(panel)
    for method in methods:
        gains = tuple((clip, number(method.row, "by_sequence", clip, "unpredictability")) for clip in panel.clips)
        same.setdefault(gains, []).append(method)
    found = []
    for gains, each in same.items():
        times = {method.row["processing_ms"] for method in each}
        speed = " and ".join(f"{ms:g} ms" for ms in sorted(times))
        every = [method for method in methods if method.row["processing_ms"] in times]
        title = speed if len(each) == len(every) else f"{', '.join(method.tracker for method in each)}, {speed}"
        found.append((title, dict(gains)))
    return found


def _one_each(panel: Panel) -> List[Method]:
    """One method of each tracker and processing time: hold, or the first."""
    found: Dict[Tuple[str, str, str], Method] = {}
    for method in panel.online:
        key = method.tracker, method.row["clock"], str(method.row["processing"])
        if key not in found or (method.row["predictor"] == "hold" and found[key].row["predictor"] != "hold"):
            found[key] = method
    return list(found.values())
