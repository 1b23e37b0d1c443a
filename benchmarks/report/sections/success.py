"""Success, precision and normalised precision: the share of frames within a threshold."""

from __future__ import annotations

from typing import List, NamedTuple, Optional

from pvtpp_benchmarks.report.charts import Axis, Series
from pvtpp_benchmarks.report.groups import Facet, Report
from pvtpp_benchmarks.report.parts import Block, Note, Part, number
from pvtpp_benchmarks.report.sections.columns import part_of
from pvtpp_benchmarks.report.sections.curves import curve_figure


class _Plot(NamedTuple):
    title: str
    x: Axis
    y: str
    field: str
    score: str


_PLOTS = {
    "success": _Plot(
        "Success", Axis("overlap threshold (IoU)", 0.0, 1.0, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)), "success", "auc", "AUC"
    ),
    "precision": _Plot(
        "Precision",
        Axis("centre error threshold (px)", 0.0, 50.0, (0, 10, 20, 30, 40, 50)),
        "precision",
        "dp20",
        "DP@20",
    ),
    "norm_precision": _Plot(
        "Normalised precision",
        Axis("centre error threshold (of the target's size)", 0.0, 0.5, (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)),
        "normalised precision",
        "norm_precision",
        "NormP",
    ),
}


def part(report: Report) -> Optional[Part]:
    """Return the three plots of each data set and mode."""
    blocks: List[Block] = [
        Note(
            "Share of frames with a higher overlap, or a smaller error, than the threshold; at permitted latency 0, "
            "means over sequences."
        )
    ]
    for group in report.groups:
        for kind, plot in _PLOTS.items():

            def series(facet: Facet, kind: str = kind, plot: _Plot = plot) -> List[Series]:
                return [
                    Series(
                        f"{label}: {plot.score} {number(method.row, plot.field) or 0:.3f}",
                        given["threshold"],
                        given["value"],
                        style,
                    )
                    for method, label, style in zip(facet.methods, facet.labels, facet.styles)
                    for given in [(method.row.get("plots") or {}).get(kind)]
                    if given
                ]

            caption = f"{plot.title}, {group.heading}"
            name = f"{kind.replace('_', '-')}-{group.name}"
            blocks += curve_figure(name, caption, group, series, plot.x, plot.y, zero=True)
    return part_of(
        "success", "Success and precision", blocks, "Success and precision plots: not recorded in these results."
    )
