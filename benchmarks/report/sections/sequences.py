"""Every sequence by itself; a row opens to the video of its run where there is one."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

from pvtpp_benchmarks.report.groups import Group, Method, Panel, Report
from pvtpp_benchmarks.report.parts import Block, Heading, Note, Part, Table, Value, number, shown
from pvtpp_benchmarks.report.sections.columns import identity, panels, part_of

_COLUMNS = (
    (Heading("AUC", 3), ("auc",)),
    (Heading("DP@20", 3), ("dp20",)),
    (Heading("NormP", 3), ("norm_precision",)),
    (Heading("NT2F", 3, meaning="normalised time to failure"), ("nt2f",)),
    (Heading("outage s", 2, meaning="longest outage of a run"), ("outage_s",)),
    (Heading("losses", meaning="stretches in which the target was lost"), ("losses", "losses")),
    (Heading("noticed", meaning="of these, where presence said LOST before the end"), ("losses", "noticed")),
    (Heading("frames"), ("frames",)),
    (Heading("runs"), ("runs",)),
)


def part(report: Report) -> Optional[Part]:
    """Return a table of each data set, mode and camera rate."""
    explained = Note(
        "Choose a method above the table; a click on a heading sorts. Of results that older versions wrote only AUC is "
        "recorded by sequence." + (" A row opens to the video of its run." if report.films else "")
    )

    def panel_of(group: Group, panel: Panel, name: str) -> List[Block]:
        return [_table(report, group, panel, name)]

    return part_of("sequences", "By sequence", (explained, *panels(report, report.groups, panel_of)))


def _table(report: Report, group: Group, panel: Panel, name: str) -> Table:
    own, common = identity(panel.methods)
    every = [_figures(method, clip) for method in panel.methods for clip in method.row["per_sequence"]]
    columns = [each for each in _COLUMNS if any(number(figures, *each[1]) is not None for figures in every)]
    rows: List[Tuple[Value, ...]] = []
    films: List[Optional[str]] = []
    for method in panel.methods:
        for clip in method.row["per_sequence"]:
            figures = _figures(method, clip)
            said = tuple(value(method) for _, value in own)
            rows.append((clip, *said, *(number(figures, *path) for _, path in columns)))
            films.append(report.films.get((group.dataset, method.tracker, str(method.row["processing"]), clip)))
    headings = (Heading("sequence"), *(heading for heading, _ in own), *(heading for heading, _ in columns))
    filters = (1, 2, 3)
    chosen = tuple(shown(value(panel.leading), heading) for heading, value in own[: len(filters)])
    caption = f"By sequence, {group.heading}; {panel.heading}; sigma 0" + (f" ({common})" if common else "")
    return Table(
        f"sequences-{name}", caption, headings, tuple(rows), filters, chosen, tuple(films) if any(films) else ()
    )


def _figures(method: Method, clip: str) -> Dict[str, Any]:
    return {"auc": method.row["per_sequence"][clip], **(method.row.get("by_sequence") or {}).get(clip, {})}
