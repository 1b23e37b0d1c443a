"""AUC and DP over permitted latency: the curves of e-LAE, a panel for each camera rate."""

from __future__ import annotations

from typing import List, Optional

from pvtpp_benchmarks.metrics import SIGMAS
from pvtpp_benchmarks.report.charts import Axis, Series, steps
from pvtpp_benchmarks.report.groups import Facet, Method, Report
from pvtpp_benchmarks.report.parts import Block, Note, Part
from pvtpp_benchmarks.report.sections.columns import part_of
from pvtpp_benchmarks.report.sections.curves import curve_figure
from pvtpp_benchmarks.report.styles import Style

_SIGMA = Axis("permitted latency σ (world frames)", 0.0, 1.0, (0.0, 0.25, 0.5, 0.75, 1.0))
_MEASURES = {"auc": ("AUC", "auc"), "dp": ("DP@20", "dp20")}
"""Of the curves of a row: the measure's name, and the field with its value at zero latency."""


def part(report: Report) -> Optional[Part]:
    """Return a figure for AUC and one for DP, of each data set and mode."""
    blocks: List[Block] = [
        Note(
            "An answer that is late by up to σ world frames still counts. At σ = 0 nothing may be late; at 1 a whole "
            "frame. Values at 51 permitted latencies, means over sequences."
        )
    ]
    for group in report.groups:
        for curve, (measure, field) in _MEASURES.items():

            def series(facet: Facet, curve: str = curve, field: str = field) -> List[Series]:
                return [_series(*each, curve, field) for each in zip(facet.methods, facet.labels, facet.styles)]

            caption = f"{measure} over permitted latency, {group.heading}"
            blocks += curve_figure(f"elae-{curve}-{group.name}", caption, group, series, _SIGMA, measure, zero=True)
    return part_of("elae", "Over permitted latency", blocks)


def _series(method: Method, label: str, style: Style, curve: str, field: str) -> Series:
    if not method.online:
        return Series(label, [0.0, 1.0], [method.row[field]] * 2, style)
    values = (method.row["curve"] or {}).get(curve, [])
    return Series(label, *steps(SIGMAS[: len(values)].tolist(), values), style)
