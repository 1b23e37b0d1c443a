"""Rows of a result as CSV: one line for each row, or for each sequence of each row."""

from __future__ import annotations

import csv
from typing import Any, Callable, Dict, Iterator, Mapping, Sequence

from pvtpp.errors import InputError
from pvtpp.files import whole_file

PARTS = ("outages", "losses", "latency", "coverage", "charged")
"""Fields that are objects, and become a column for each of their values."""
LEFT_OUT = ("per_sequence", "by_sequence", "attributes", "plots", "curve", "exact_curve")
"""Fields that are no figures of the whole row."""
TWO = {
    "auc_ci95": ("low", "high"),
    "outage_s": ("median", "longest"),
    "seconds_to_find": ("median", "p95"),
    "seconds_to_notice": ("median", "p95"),
}
"""Fields of two numbers, which have a column each."""
WHOSE = ("dataset", "tracker", "predictor", "processing", "mode", "camera_fps", "world_fps", "apart")
"""What a line of a sequence says of its row."""
Row = Mapping[str, Any]


def write_csv(path: str, rows: Sequence[Row], by: str = "row") -> None:
    """Write a CSV file, whole or not at all.

    Parameters
    ----------
    path
        The file; its folder must exist.
    rows
        Of a result.
    by
        A name in `LINES`.

    Raises
    ------
    InputError
        For another `by`, and where the file cannot be written.
    """
    if by not in LINES:
        raise InputError(f"by is {by!r}, expected one of: {', '.join(LINES)}")
    lines = [line for row in rows for line in LINES[by](row)]
    columns = list(dict.fromkeys(name for line in lines for name in line))
    with whole_file(path, make_folder=False) as part, open(part, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)


def _row_lines(row: Row) -> Iterator[Dict[str, Any]]:
    line: Dict[str, Any] = {}
    for name, value in row.items():
        if name in PARTS:
            line.update(_flat(name, value or {}))
        elif name not in LEFT_OUT:
            line.update(_flat("", {name: value}))
    yield line


def _sequence_lines(row: Row) -> Iterator[Dict[str, Any]]:
    figures = row.get("by_sequence") or {name: {"auc": auc} for name, auc in row["per_sequence"].items()}
    for name, values in figures.items():
        yield {**{each: row.get(each) for each in WHOSE}, "sequence": name, **values}


LINES: Dict[str, Callable[[Row], Iterator[Dict[str, Any]]]] = {"row": _row_lines, "sequence": _sequence_lines}


def _flat(prefix: str, values: Mapping[str, Any]) -> Dict[str, Any]:
    """Values by dotted name."""
    found: Dict[str, Any] = {}
    for name, value in values.items():
        full = f"{prefix}.{name}" if prefix else name
        if isinstance(value, dict):
            found.update(_flat(full, value))
        elif name in TWO:
            found.update({f"{full}.{part}": each for part, each in zip(TWO[name], value or (None, None))})
        elif isinstance(value, list):
            found[full] = "; ".join(map(str, value))
        else:
            found[full] = value
    return found
