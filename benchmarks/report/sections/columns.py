"""Columns that say which method a row of a table is of."""

from __future__ import annotations

from typing import Any, Callable, List, Optional, Sequence, Tuple

from pvtpp_benchmarks.report.groups import Group, Method, Panel, Report
from pvtpp_benchmarks.report.labels import ZERO
from pvtpp_benchmarks.report.parts import Block, Heading, Note, Part, Subheading, Table, Value, number
from pvtpp_benchmarks.report.table import RUN_COLUMNS, split_columns

_OWN = ("evaluation", "cam/world fps", "tracker", "predictor", "ms")
"""Of `RUN_COLUMNS`, those that every table has in its own way, or its heading."""
Column = Tuple[Heading, Callable[[Method], Value]]


def identity(methods: Sequence[Method], settings: bool = False) -> Tuple[List[Column], str]:
    """Return the columns that tell methods apart, and what they have in common as a text.

    There are always tracker, predictor and processing time; the settings in which methods differ follow where they are
    asked for, or where two methods would look the same without.
    """
    columns: List[Column] = [
        (Heading("tracker"), lambda method: method.tracker),
        (Heading("predictor"), lambda method: method.row["predictor"] or ZERO),
        (Heading("ms", meaning="processing time of the tracker, ms"), _processing),
    ]
    if not settings and not _same(methods, columns):
        return columns, ""
    rows = [dict(method.row) for method in methods]
    common, differing = split_columns([each for each in RUN_COLUMNS if each[0] not in _OWN], rows)
    for title, text in differing:
        columns.append((Heading(title), lambda method, text=text: text(dict(method.row))))  # type: ignore[misc]
    if _same(methods, columns):
        columns.append((Heading("of"), lambda method: method.source))
    if _same(methods, columns):
        columns.append((Heading("method"), lambda method: method.short))
    return columns, ", ".join(common)


def _same(methods: Sequence[Method], columns: Sequence[Column]) -> bool:
    """Whether two methods have the same values in all of these columns."""
    return len({tuple(value(method) for _, value in columns) for method in methods}) < len(methods)


def _processing(method: Method) -> Optional[float]:
    return float(method.row["processing_ms"]) if method.online else None


def figure_of(*path: Any) -> Callable[[Method], Value]:
    """Return the function that reads a number of a method's row, inside nested objects; None where it is missing."""
    return lambda method: number(method.row, *path)


def method_table(
    name: str, caption: str, methods: Sequence[Method], columns: Sequence[Column], settings: bool = False
) -> Table:
    """Make a table with a row for each method: who it is (`settings` as of `identity`), then these columns."""
    own, common = identity(methods, settings)
    every = [*own, *columns]
    rows = tuple(tuple(value(method) for _, value in every) for method in methods)
    said = f"{caption} ({common})" if common else caption
    return Table(name, said, tuple(heading for heading, _ in every), rows)


def panels(
    report: Report, groups: Sequence[Group], make: Callable[[Group, Panel, str], Sequence[Block]]
) -> Tuple[Block, ...]:
    """Make the blocks of every panel of these groups, below a heading where there are several.

    Parameters
    ----------
    report
        Of which they are.
    groups
        All of them, or one for each data set.
    make
        Gives the blocks of a panel; the third argument ends the names of their files.
    """
    blocks: List[Block] = []
    several = sum(len(group.panels) for group in report.groups) > 1
    for group in groups:
        for panel in group.panels:
            made = make(group, panel, f"{group.name}-{panel.name}")
            if made and several:
                blocks.append(
                    Subheading(f"{group.heading if len(report.groups) > 1 else ''}; {panel.heading}".strip("; "))
                )
            blocks += made
    return tuple(blocks)


def recorded(methods: Sequence[Method], field: str) -> List[Method]:
    """Return the methods whose rows have a value in this field, which older files lack."""
    return [method for method in methods if method.row.get(field)]


def part_of(name: str, title: str, blocks: Sequence[Block], missing: str = "") -> Optional[Part]:
    """Return a part of these blocks; without any, one that says what is missing, or None where nothing is said."""
    if not any(not isinstance(block, (Note, Subheading)) for block in blocks):
        return Part(name, title, (Note(missing),)) if missing else None
    return Part(name, title, tuple(blocks))
