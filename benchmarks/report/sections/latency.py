"""Latency of results and age of what was known: median, 95th and 99th percentile, worst, each with its n."""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple

from pvtpp_benchmarks.report.charts import MARKS_OF_RANGES, Range, linear, ranges
from pvtpp_benchmarks.report.groups import Group, Method, Panel, Report
from pvtpp_benchmarks.report.parts import Block, Figure, Heading, Note, Part, number
from pvtpp_benchmarks.report.sections.columns import Column, figure_of, method_table, panels, part_of, recorded
from pvtpp_benchmarks.report.sections.curves import WIDEST

_COLUMNS = (
    (Heading("n", meaning="results"), "n"),
    (Heading("median ms", 1), "median_ms"),
    (Heading("p95 ms", 1, meaning="95th percentile; only from 60 results on"), "p95_ms"),
    (Heading("p99 ms", 1, meaning="99th percentile; only from 300 results on"), "p99_ms"),
    (Heading("worst ms", 1), "worst_ms"),
    (Heading("stall ms", 1, meaning="longest time between two results"), "worst_stall_ms"),
    (Heading("age n", meaning="world frames"), "age_n"),
    (Heading("age median ms", 1, meaning="age of the newest evidence at a world frame"), "age_median_ms"),
    (Heading("age p95 ms", 1), "age_p95_ms"),
    (Heading("age worst ms", 1), "age_worst_ms"),
)
_DRAWN = ("median_ms", "p95_ms", "p99_ms", "worst_ms")
_NAMES = ("median", "p95", "p99", "worst")


def part(report: Report) -> Optional[Part]:
    """Return the latencies of each data set and camera rate; they are the same in all modes."""
    marks = ", ".join(f"{look} {name}" for look, name in zip(MARKS_OF_RANGES, _NAMES))
    explained = Note(
        "Latency counts from the capture of a frame to its result, waiting included. A stall is the longest time "
        "between two results. Age is that of the newest evidence, propagated boxes included, when a world frame is "
        f"captured. A percentile is given only where there are enough results for it. Marks: {marks}."
    )
    blocks = panels(report, report.once, _panel)
    return part_of("latency", "Latency", (explained, *blocks), "Latencies of results: not recorded in these results.")


def _panel(group: Group, panel: Panel, name: str) -> List[Block]:
    methods = recorded(panel.online, "latency")
    if not methods:
        return []
    columns: List[Column] = [(heading, figure_of("latency", field)) for heading, field in _COLUMNS]
    caption = f"Latency of results, {group.dataset}; {panel.heading}"
    values = [number(method.row, "latency", field) for method in methods for field in _DRAWN]
    x = linear("latency (ms)", [value for value in values if value is not None], low=0.0)
    charts = []
    for tracker in dict.fromkeys(method.tracker for method in methods):
        rows = _ranges([method for method in methods if method.tracker == tracker])
        charts.append(ranges(tracker, x, rows, f"Latency of results of {tracker}; {panel.heading}: {_said(rows)}"))
    return [
        method_table(f"latency-{name}", caption, methods, columns),
        Figure(f"latency-ranges-{name}", caption, tuple(charts), columns=WIDEST),
    ]


def _ranges(methods: List[Method]) -> List[Range]:
    """A line for each latency of a tracker: where predictors do not change it, one for all of them."""
    same: Dict[Tuple[float, Tuple[Optional[float], ...]], List[Method]] = {}
    for method in methods:
        found = tuple(number(method.row, "latency", field) for field in _DRAWN)
        same.setdefault((method.row["processing_ms"], found), []).append(method)
    lines = []
    for (ms, found), each in same.items():
        every = [method for method in methods if method.row["processing_ms"] == ms]
        named = f"{ms:g} ms" if len(each) == len(every) else "; ".join(method.short for method in each)
        lines.append(Range(named, found, each[0].style))
    return lines


def _said(rows: List[Range]) -> str:
    return "; ".join(
        f"{row.name} {row.values[0]:.1f} ms, worst {row.values[-1]:.1f} ms"
        for row in rows
        if all(row.values[end] is not None for end in (0, -1))
    )
