"""Joining results of several files: equal rows once, and no two rows that say different things of the same."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from pvtpp.errors import InputError
from pvtpp_benchmarks.comparison import CELL, SETTING

Row = Dict[str, Any]
SAME = (*CELL, *SETTING, "predictor", "evaluation")
"""What two rows of the same settings share, with the names of their sequences."""


def merge(results: Sequence[Tuple[str, Sequence[Row], Mapping[str, Any]]]) -> Tuple[Tuple[Row, ...], Dict[str, Any]]:
    """Join rows and protocols.

    Parameters
    ----------
    results
        Name, rows and protocol of each.

    Returns
    -------
    tuple of dict
        The rows in the order in which they come. Of two equal ones that with more fields stays: files of earlier
        versions lack some.
    dict
        What all protocols share and, where they differ, each by its name under ``parts``.

    Raises
    ------
    InputError
        For no result, for rows of different data sets, and for two rows of the same settings that differ.
    """
    if not results:
        raise InputError("there is no result to merge, name at least one")
    kept: Dict[str, Tuple[str, Row]] = {}
    datasets: Dict[str, str] = {}
    for source, rows, _ in results:
        for row in rows:
            datasets.setdefault(row["dataset"], source)
            if len(datasets) > 1:
                (one, first), (two, second) = datasets.items()
                raise InputError(f"{first} is of the data set {one!r}, {second} of {two!r}; one alone can be merged")
            key = json.dumps([[row.get(name) for name in SAME], sorted(row["per_sequence"])])
            before, other = kept.setdefault(key, (source, row))
            differing = [name for name in row if name in other and row[name] != other[name] and name != "version"]
            if differing:
                raise InputError(_conflict(before, other, source, row, differing[0]))
            if len(row) > len(other):
                kept[key] = (source, row)
    return tuple(row for _, row in kept.values()), _protocol([(source, protocol) for source, _, protocol in results])


def _conflict(first: str, row: Row, second: str, other: Row, name: str) -> str:
    method = f"{row['tracker']}/{row['predictor']}" if row["predictor"] else row["tracker"]
    versions = {each["version"] for each in (row, other)}
    code = f"; their code is {' and '.join(sorted(versions))}" if len(versions) > 1 else ""
    return (
        f"{first} and {second}: two rows of {method} ({row['processing'] or 'zero latency'}, {row['mode']}) with the "
        f"same settings differ in {name}: {str(row[name])[:40]} and {str(other[name])[:40]}{code}"
    )


def _protocol(protocols: List[Tuple[str, Mapping[str, Any]]]) -> Dict[str, Any]:
    first = protocols[0][1]
    same = {name: value for name, value in first.items() if all(each.get(name) == value for _, each in protocols)}
    if all(dict(each) == same for _, each in protocols):
        return same
    return {**same, "parts": {source: dict(each) for source, each in protocols}}
