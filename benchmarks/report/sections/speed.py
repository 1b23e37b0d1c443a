"""Accuracy against latency and frame rate, and the methods that no other is both faster and better than."""

from __future__ import annotations

from typing import Dict, List, Optional, Sequence, Tuple

from pvtpp_benchmarks.report.charts import Axis, Series, front, linear, logarithmic, points
from pvtpp_benchmarks.report.drawing import Drawing
from pvtpp_benchmarks.report.groups import Group, Method, Panel, Report, family
from pvtpp_benchmarks.report.parts import Block, Figure, Heading, Note, Part, number
from pvtpp_benchmarks.report.sections.columns import method_table, part_of
from pvtpp_benchmarks.report.sections.curves import WIDEST, facets_of, side_by_side
from pvtpp_benchmarks.report.styles import COLOURS, MARKS, Style, style

_EXPLAINED = (
    "Latency counts from the capture of a frame to its result, waiting included (median over results); where results "
    "do not say it, the processing time stands for it. The frame rate is what the tracker's processing time allows. "
    "Bars are the 95 % intervals of AUC, set a little apart. The grey steps are the front: no other method is both "
    "faster and better."
)
Families = Dict[Tuple[str, str], Tuple[str, Style]]
"""Label and look of each tracker and predictor, whatever the processing time: its points are joined."""


def part(report: Report) -> Optional[Part]:
    """Return, for each data set and mode, the two figures and a table of the front."""
    blocks: List[Block] = [Note(_EXPLAINED)]
    for group in report.groups:
        blocks += _group(group)
    return part_of("speed", "Accuracy and speed", blocks)


def latency_ms(method: Method) -> float:
    """Return the median latency, or the processing time where it is not recorded."""
    measured = number(method.row, "latency", "median_ms")
    return float(method.row["processing_ms"]) if measured is None else measured


def _group(group: Group) -> List[Block]:
    every = [method for panel in group.panels for method in panel.online]
    if not every:
        return []
    families = _families(group)
    y = linear("AUC", [value for method in every for value in _interval(method)], low=0.0)
    late = linear("latency (ms)", [latency_ms(method) for method in every], low=0.0)
    rates = [_fps(method) for method in every]
    fast = logarithmic("frame rate of the tracker (frames/s)", [rate for rate in rates if rate is not None])
    facets = facets_of(group)
    single = [_chart(facet.heading, facet.methods, late, y, _by_predictor(families)) for facet in facets]
    blocks: List[Block] = [
        Figure(
            f"latency-auc-{group.name}",
            f"AUC against latency, {group.heading}",
            tuple(single),
            tuple(dict.fromkeys(_by_predictor(families).values())),
            side_by_side(group, len(single)),
            True,
        )
    ]
    shown = [panel for panel in group.panels if panel.online]
    charts = [_chart(panel.short, panel.online, late, y, families, together=True) for panel in shown]
    charts += [
        _chart(panel.short, panel.online, fast, y, families, by_rate=True, together=True)
        for panel in shown
        if any(map(_fps, panel.online))
    ]
    caption = f"Front of speed and accuracy, {group.heading}"
    columns = min(len(shown), WIDEST) if len(shown) > 1 else 2
    blocks.append(Figure(f"speed-{group.name}", caption, tuple(charts), tuple(families.values()), columns, True))
    return [*blocks, *(_front_table(group, panel) for panel in shown)]


def _by_predictor(families: Families) -> Families:
    """Labels and looks in a chart of one tracker."""
    return {key: (key[1], look._replace(mark=MARKS[look.number % len(MARKS)])) for key, (_, look) in families.items()}


def _families(group: Group) -> Families:
    keys = list(dict.fromkeys(_family(method) for panel in group.panels for method in panel.online))
    trackers, predictors = (list(dict.fromkeys(key[place] for key in keys)) for place in (0, 1))
    apart = len(trackers) <= len(MARKS) and len(predictors) <= len(COLOURS)
    found: Families = {}
    for index, key in enumerate(keys):
        look = style(index)
        if apart:
            # A colour for each predictor and a mark for each tracker.
            look = style(predictors.index(key[1]))._replace(mark=MARKS[trackers.index(key[0])])
        found[key] = (", ".join(key) if len(trackers) > 1 else key[1], look)
    return found


def _family(method: Method) -> Tuple[str, str]:
    return method.tracker, family(method.row, method.short)


def _interval(method: Method) -> Sequence[float]:
    return [method.row["auc"], *(method.row["auc_ci95"] or ())]


def _fps(method: Method) -> Optional[float]:
    return 1e3 / method.row["processing_ms"] if method.row["processing_ms"] > 0 else None


def _chart(
    heading: str,
    methods: Sequence[Method],
    x: Axis,
    y: Axis,
    families: Families,
    by_rate: bool = False,
    together: bool = False,
) -> Drawing:
    """Draw the methods; `together`: with the front, in place of intervals."""

    def across(method: Method) -> Optional[float]:
        return _fps(method) if by_rate else latency_ms(method)

    series: List[Series] = []
    for key, (label, look) in families.items():
        own = [
            (at, method) for method in methods for at in [across(method)] if at is not None and _family(method) == key
        ]
        if own:
            own.sort(key=lambda each: each[0])
            xs, ys = [at for at, _ in own], [method.row["auc"] for _, method in own]
            low, high = ([number(method.row, "auc_ci95", end) for _, method in own] for end in (0, 1))
            titles = [f"{label}, {method.row['processing_ms']:g} ms: AUC {method.row['auc']:.3f}" for _, method in own]
            ends = (None, None) if together else (low, high)
            series.append(Series(label, xs, ys, look, ends[0], ends[1], titles))
    places = [place for each in series for place in zip(each.x, each.y)] if together else []
    # Of a rate more is better.
    cost = [-at if by_rate else at for at, _ in places]
    best = [places[index] for index in front(cost, [value for _, value in places])]
    said = [f"{each.label}: {', '.join(f'{b:.3f} at {a:.3g}' for a, b in zip(each.x, each.y))}" for each in series]
    return points(heading, x, y, series, f"AUC against {x.label}; {heading}. {'; '.join(said)}", front=best)


def _front_table(group: Group, panel: Panel) -> Block:
    methods = sorted(panel.online, key=latency_ms)
    best = front([latency_ms(method) for method in methods], [method.row["auc"] for method in methods])
    return method_table(
        f"front-{group.name}-{panel.name}",
        f"Front of speed and accuracy, {group.heading}; {panel.heading}",
        [methods[index] for index in best],
        [
            (Heading("latency ms", 1), latency_ms),
            (Heading("frames/s", 1, meaning="that the processing time allows"), _fps),
            (Heading("AUC", 3), lambda method: method.row["auc"]),
        ],
    )
