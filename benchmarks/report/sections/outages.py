"""How long a target is missed, whether losses are noticed, and how long it goes on without help."""

from __future__ import annotations

from typing import List, Optional

from pvtpp_benchmarks.report.groups import Group, Panel, Report
from pvtpp_benchmarks.report.parts import Block, Heading, Note, Part
from pvtpp_benchmarks.report.sections.columns import Column, figure_of, method_table, panels, part_of, recorded

_OUTAGES = (
    (Heading("NT2F", 3, meaning="normalised time to failure"), ("nt2f",)),
    (Heading("outage s", 2, meaning="longest outage of a run, median over runs"), ("outage_s", 0)),
    (Heading("longest s", 2, meaning="longest outage of all runs"), ("outage_s", 1)),
    (Heading("returns", meaning="targets that came back after an absence"), ("returns",)),
    (Heading("found", meaning="of these, found before the next absence"), ("found",)),
    (Heading("after s", 2, meaning="median time to find one"), ("seconds_to_find", 0)),
    (Heading("in 1 s", 3, meaning="share of returns found within a second"), ("found_in_1_s",)),
)
_LOSSES = (
    (Heading("losses", meaning="stretches in which the target was lost"), ("losses",)),
    (Heading("noticed", meaning="of these, where presence said LOST before the end"), ("noticed",)),
    (Heading("after s", 2, meaning="median time to notice one"), ("seconds_to_notice", 0)),
    (Heading("precision", 3, meaning="of LOST"), ("precision",)),
    (Heading("recall", 3, meaning="of LOST"), ("recall",)),
    (Heading("P in time", 3, meaning="precision, with the time allowed to notice"), ("precision_in_time",)),
    (Heading("R in time", 3, meaning="recall, with the time allowed to notice"), ("recall_in_time",)),
)


def part(report: Report) -> Optional[Part]:
    """Return tables of outages and of losses for each data set and camera rate; they are the same in all modes."""
    explained = Note(
        "An outage is a stretch in which the target is in view and missed: an overlap below 0.1. NT2F is the time to "
        "the first failure, an outage of at least 0.5 s, as a share of the run. Losses are reported by presence: is "
        "the target still there? Runs without presence have none."
    )
    return part_of(
        "outages",
        "Outages and presence",
        (explained, *panels(report, report.once, _panel)),
        "Outages and losses: not recorded in these results.",
    )


def _panel(group: Group, panel: Panel, name: str) -> List[Block]:
    blocks: List[Block] = []
    for field, title, figures in (("outages", "Outages", _OUTAGES), ("losses", "Presence", _LOSSES)):
        methods = recorded(panel.methods, field)
        if methods:
            columns: List[Column] = [(heading, figure_of(field, *path)) for heading, path in figures]
            caption = f"{title}, {group.dataset}; {panel.heading}"
            blocks.append(method_table(f"{field}-{name}", caption, methods, columns))
    return blocks
