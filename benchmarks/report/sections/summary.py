"""All trackers and predictors in one table, and the difference between any two of them."""

from __future__ import annotations

from typing import Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np

from pvtpp_benchmarks.report.groups import Group, Method, Panel, Report
from pvtpp_benchmarks.report.paired import all_pairs, pick
from pvtpp_benchmarks.report.parts import Block, Heading, Note, Pairs, Part, Value
from pvtpp_benchmarks.report.sections.columns import Column, figure_of, method_table, panels, part_of

MEASURES = {"AUC": "auc", "DP@20": "dp20", "NormP": "norm_precision"}
"""Fields of ``by_sequence`` that are compared, by the name of the measure."""
_EXPLAINED = (
    "AUC is the area under the success curve, DP@20 the share of frames whose centre is within 20 px, NormP the "
    "normalised precision, mAUC and mDP the means over 51 permitted latencies. Intervals are of 95 %, by bootstrap "
    "over sequences. Differences are paired over the same sequences; W, L and T are those on which it is better, worse "
    "and equal. Zero latency waits for every frame: what the tracker could do if it took no time."
)


def part(report: Report) -> Optional[Part]:
    """Return the summary, for every data set, mode and camera rate."""
    return part_of("summary", "Summary", (Note(_EXPLAINED), *panels(report, report.groups, _panel)))


def _panel(group: Group, panel: Panel, name: str) -> List[Block]:
    compared = _pairs(panel, f"pairs-{name}")
    caption = f"{group.heading}; {panel.heading}; sigma 0"
    columns = _columns(panel, compared.differences["AUC"])
    table = method_table(f"summary-{name}", caption, panel.methods, columns, settings=True)
    return [table, compared] if len(panel.methods) > 1 else [table]


def _columns(panel: Panel, pairs: List[List[Optional[float]]]) -> List[Column]:
    to_hold: Dict[int, List[Optional[float]]] = {}
    for index, method in enumerate(panel.methods):
        hold_of = panel.hold_of(method)
        none: List[Optional[float]] = [None] * 6
        to_hold[id(method)] = (
            none if hold_of is None else pick(pairs, len(panel.methods), panel.methods.index(hold_of), index)
        )

    def hold(place: int) -> Callable[[Method], Value]:
        return lambda method: to_hold[id(method)][place]

    compared: List[Column] = [
        (Heading("to hold", 3, True, "AUC minus that of hold, same tracker and processing time"), hold(0)),
        (Heading("low", 3, True, "lower end of the 95 % interval of the difference to hold"), hold(1)),
        (Heading("high", 3, True, "upper end of the 95 % interval of the difference to hold"), hold(2)),
        (Heading("W", meaning="sequences on which it is better than hold"), hold(3)),
        (Heading("L", meaning="sequences on which it is worse than hold"), hold(4)),
        (Heading("T", meaning="sequences on which it equals hold"), hold(5)),
    ]
    return [
        (Heading("AUC", 3), figure_of("auc")),
        (Heading("95 % low", 3, meaning="lower end of the 95 % interval of AUC"), figure_of("auc_ci95", 0)),
        (Heading("95 % high", 3, meaning="upper end of the 95 % interval of AUC"), figure_of("auc_ci95", 1)),
        (Heading("DP@20", 3), figure_of("dp20")),
        (Heading("NormP", 3), figure_of("norm_precision")),
        (Heading("mAUC", 3), figure_of("mauc")),
        (Heading("mDP", 3), figure_of("mdp")),
        *(compared if any(each[0] is not None for each in to_hold.values()) else ()),
        (Heading("n", meaning="sequences"), lambda method: method.row["sequences"]),
        (Heading("runs", meaning="runs: sequences, starts and draws"), lambda method: method.row.get("runs")),
    ]


def _values(methods: Sequence[Method], measure: Optional[str]) -> np.ndarray:
    """A measure by method and sequence, the sequences in one order; None: AUC, which every row has."""
    clips = list(methods[0].row["per_sequence"])
    if measure is None:
        return np.array([[method.row["per_sequence"][clip] for clip in clips] for method in methods])
    return np.array([[method.row["by_sequence"][clip][measure] for clip in clips] for method in methods])


def _pairs(panel: Panel, name: str) -> Pairs:
    differences: Dict[str, List[List[Optional[float]]]] = {}
    for title, measure in MEASURES.items():
        if measure == "auc":
            differences[title] = all_pairs(_values(panel.methods, None))
        elif all(
            set(method.row.get("by_sequence") or {}) == set(method.row["per_sequence"]) for method in panel.methods
        ):
            differences[title] = all_pairs(_values(panel.methods, measure))
    labels = [method.label for method in panel.methods]
    return Pairs(name, tuple(labels), tuple(differences), differences, _first(panel))


def _first(panel: Panel) -> Tuple[int, int]:
    """The pair that is shown first: the leading method and its hold, else the first two."""
    if len(panel.methods) < 2:
        return 0, 0
    hold = panel.hold_of(panel.leading)
    if hold is None:
        online = [panel.methods.index(method) for method in panel.online]
        return (online[0], online[1]) if len(online) > 1 else (0, 1)
    first, second = sorted((panel.methods.index(hold), panel.methods.index(panel.leading)))
    return first, second
