"""Scores by attribute of the sequences: occlusion, fast motion and so on, where the data set names them."""

from __future__ import annotations

from typing import Dict, List, Optional

from pvtpp_benchmarks.report.charts import Series, linear, radar
from pvtpp_benchmarks.report.groups import Group, Panel, Report
from pvtpp_benchmarks.report.parts import Block, Figure, Heading, Part, number
from pvtpp_benchmarks.report.sections.columns import Column, figure_of, method_table, panels, part_of, recorded
from pvtpp_benchmarks.report.sections.curves import WIDEST, legend_of

_SPOKES = 3
_MEASURES = {"auc": "AUC", "dp20": "DP@20"}


def part(report: Report) -> Optional[Part]:
    """Return tables and radars of each data set, mode and camera rate; None where no data set has attributes."""
    return part_of("attributes", "By attribute", panels(report, report.groups, _panel))


def _panel(group: Group, panel: Panel, name: str) -> List[Block]:
    methods = recorded(panel.methods, "attributes")
    if not methods:
        return []
    counts: Dict[str, Optional[float]] = {}
    for method in methods:
        for attribute in method.row["attributes"]:
            counts.setdefault(attribute, number(method.row, "attributes", attribute, "sequences"))
    blocks: List[Block] = []
    for field, measure in _MEASURES.items():
        columns: List[Column] = [
            (Heading(f"{attribute} ({count:g})" if count else attribute, 3), figure_of("attributes", attribute, field))
            for attribute, count in counts.items()
        ]
        caption = f"{measure} by attribute (number of sequences), {group.heading}; {panel.heading}"
        blocks.append(method_table(f"attributes-{field}-{name}", caption, methods, columns))
    if len(counts) >= _SPOKES:
        blocks.append(_radars(group, panel, name, list(counts)))
    return blocks


def _radars(group: Group, panel: Panel, name: str, attributes: List[str]) -> Block:
    facets = group.facets(panel, zero=True)
    values = [number(m.row, "attributes", each, "auc") or 0.0 for m in panel.methods for each in attributes]
    high = linear("", values, low=0.0).high
    charts = []
    for facet in facets:
        series = [
            Series(
                label, range(len(attributes)), [number(m.row, "attributes", a, "auc") or 0.0 for a in attributes], look
            )
            for m, label, look in zip(facet.methods, facet.labels, facet.styles)
            if m.row.get("attributes")
        ]
        said = "; ".join(f"{each.label}: " + ", ".join(f"{v:.3f}" for v in each.y) for each in series)
        label = f"AUC by attribute ({', '.join(attributes)}), {facet.heading}: {said}"
        charts.append(radar(facet.heading, attributes, series, high, label))
    caption = f"AUC by attribute, {group.heading}"
    return Figure(f"attributes-radar-{name}", caption, tuple(charts), legend_of(facets), WIDEST)
