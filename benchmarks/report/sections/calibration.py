"""Calibration of sigma: how often the truth is within the bound that a prediction states."""

from __future__ import annotations

from typing import List, Optional

from pvtpp_benchmarks.report.charts import Axis, Series
from pvtpp_benchmarks.report.groups import Facet, Group, Method, Panel, Report
from pvtpp_benchmarks.report.parts import Block, Heading, Note, Part, number
from pvtpp_benchmarks.report.sections.columns import Column, figure_of, method_table, panels, part_of, recorded
from pvtpp_benchmarks.report.sections.curves import curve_figure

NOMINAL = ("50", "90", "95")
_X = Axis("nominal coverage (%)", 0.0, 100.0, (0, 25, 50, 75, 100))


def part(report: Report) -> Optional[Part]:
    """Return a table and figures for each data set; they are the same in all modes."""
    explained = Note(
        "Of a calibrated sigma, 50, 90 and 95 % of the truths are within the bounds that it gives for these shares: on "
        "the dotted line. Below it predictions are surer than they should be. Predictors without a sigma are left out."
    )
    blocks: List[Block] = list(panels(report, report.once, _panel))
    for group in report.once:
        for what in ("centre", "size"):

            def series(facet: Facet, what: str = what) -> List[Series]:
                return [
                    Series(label, [float(each) for each in NOMINAL], [100 * value for value in shares], style)
                    for method, label, style in zip(facet.methods, facet.labels, facet.styles)
                    for shares in [_shares(method, what)]
                    if shares
                ]

            caption = f"Coverage of the {what} by its sigma, {group.dataset}"
            blocks += curve_figure(
                f"coverage-{what}-{group.name}", caption, group, series, _X, "observed coverage (%)", diagonal=True
            )
    missing = "Coverage of sigma: not recorded in these results, or no predictor states one."
    return part_of("calibration", "Calibration of sigma", (explained, *blocks), missing)


def _shares(method: Method, what: str) -> List[float]:
    found = [number(method.row, "coverage", what, nominal) for nominal in NOMINAL]
    return [share for share in found if share is not None] if None not in found else []


def _panel(group: Group, panel: Panel, name: str) -> List[Block]:
    methods = recorded(panel.online, "coverage")
    if not methods:
        return []
    columns: List[Column] = [
        (Heading("frames", meaning="predictions compared with the truth"), figure_of("coverage", "frames"))
    ]
    for what in ("centre", "size"):
        columns += [
            (Heading(f"{what} {nominal} %", 3, meaning="share within the bound"), figure_of("coverage", what, nominal))
            for nominal in NOMINAL
        ]
    caption = f"Coverage of sigma, {group.dataset}; {panel.heading}"
    return [method_table(f"coverage-{name}", caption, methods, columns)]
