"""Paired differences between two methods of a result: over the same sequences, with an interval and a count of wins.

A method is named as in a table:

``predictor``
    This predictor, of each tracker for itself; where the other method names a tracker, of that one.
``tracker/predictor``
    This predictor of this tracker.
``tracker``
    The tracker's own results at zero latency.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from pvtpp.errors import InputError
from pvtpp_benchmarks.bootstrap import bootstrap_interval
from pvtpp_benchmarks.report.table import Column, table

RESAMPLES = 10_000
TIE = 1e-12
DATA = ("dataset", "mode", "camera_fps", "apart", "starts", "draws", "jitter_px")
"""What any two rows must share to be compared."""
CELL = (*DATA, "tracker", "clock", "processing", "world_fps", "schedule", "ego_motion")
"""What two predictors of one tracker must share."""
ONLINE = ("clock", "world_fps", "schedule", "ego_motion")
"""What two trackers must share beside `DATA` where both are evaluated online; processing times where they can."""
SETTING = ("search_region", "propagation", "presence", "predictor_ms")
"""How a method was used: two that are compared may differ in it."""
Row = Mapping[str, Any]
Pair = Tuple[Row, Row]


class Difference(NamedTuple):
    """One method minus another over the same sequences, paired.

    Attributes
    ----------
    cell
        What both rows share: processing time, camera rate, mode and so on; the tracker where it is the same.
    mean
        Mean difference in AUC over sequences.
    low, high
        Its 95 % interval, by bootstrap over sequences; None for fewer than two.
    wins, losses, ties
        Sequences on which it is better, worse, equal.
    settings
        How each of the two was used: `SETTING`, and all of `CELL` that they do not share.
    """

    cell: Dict[str, Any]
    mean: float
    low: Optional[float]
    high: Optional[float]
    wins: int
    losses: int
    ties: int
    settings: Tuple[Dict[str, Any], Dict[str, Any]]

    @property
    def n(self) -> int:
        """Number of sequences."""
        return self.wins + self.losses + self.ties


@dataclass(frozen=True)
class Comparison:
    """Paired differences between two methods, one for each cell of the evaluation. Printed it is a table.

    Attributes
    ----------
    first, second
        Their names; differences are of the second minus the first.
    differences
        The numbers.
    """

    first: str
    second: str
    differences: Tuple[Difference, ...]

    def __str__(self) -> str:
        columns: List[Column] = [
            *self._varying(),
            ("processing", lambda each: _either(each, "processing")),
            ("fps", lambda each: f"{each.cell['camera_fps']:g}/{_either(each, 'world_fps')}"),
            ("mode", lambda each: each.cell["mode"]),
            (f"{self.second} - {self.first}", lambda each: f"{each.mean:+.4f}"),
            ("95 %", lambda each: "-" if each.low is None else f"{each.low:+.4f} to {each.high:+.4f}"),
            ("wins", lambda each: str(each.wins)),
            ("losses", lambda each: str(each.losses)),
            ("ties", lambda each: str(each.ties)),
            ("n", lambda each: str(each.n)),
        ]
        return table(columns, list(self.differences))

    def _varying(self) -> List[Column]:
        """Columns for what tells rows apart besides processing time, frame rate and mode."""
        found: List[Column] = []
        for name in (each for each in CELL if each not in ("processing", "camera_fps", "world_fps", "mode")):
            if len({each.cell[name] for each in self.differences if name in each.cell}) > 1:
                found.append((name, lambda each, name=name: str(each.cell.get(name, "-"))))  # type: ignore[misc]
        for number, method in enumerate((self.first, self.second)):
            for name in SETTING:
                if len({each.settings[number][name] for each in self.differences}) > 1:
                    title = f"{name} of {method}"
                    found.append((title, lambda each, i=number, name=name: str(each.settings[i][name])))  # type: ignore[misc]
        return found


def compare(rows: Sequence[Row], first: str, second: str, seed: int = 0) -> Comparison:
    """Compare two methods on the same sequences.

    Two predictors of one tracker are compared within each cell (`CELL`), two trackers at equal processing times; where
    no processing time is equal, at each of the one with each of the other. Zero latency is compared with every cell.
    Where both were evaluated in several settings (`SETTING`), equal settings are compared; where none is equal, each of
    the one with each of the other.

    Parameters
    ----------
    rows
        Of a result.
    first, second
        Names of methods; differences are of the second minus the first.
    seed
        Of the bootstrap.

    Raises
    ------
    InputError
        For a method that was not evaluated, and where no two rows can be compared.
    """
    firsts, seconds = _found(rows, first, second), _found(rows, second, first)
    found = [paired(row, other, seed) for row, other in _pairs(firsts, seconds)]
    if not found:
        raise InputError(f"{first} and {second} share no cell that could be compared{_because(firsts, seconds)}")
    return Comparison(first, second, tuple(found))


def differences_to(rows: Sequence[Row], reference: str = "hold", seed: int = 0) -> Tuple[Comparison, ...]:
    """Compare every other method with one.

    The others are predictors where the reference is one, else the methods of all trackers. Where two rows share no
    cell, or not the same sequences, there is no difference. InputError for a reference that was not evaluated.
    """
    _found(rows, reference, reference)
    predictors = any(row["predictor"] == reference for row in rows)
    names = dict.fromkeys(row["predictor"] if predictors else _names(row)[-1] for row in rows)
    made = []
    for name in (each for each in names if each not in (None, reference)):
        pairs = _pairs(_found(rows, reference, name), _found(rows, name, reference))
        differences = tuple(paired(row, other, seed) for row, other in pairs if _same_sequences(row, other))
        if differences:
            made.append(Comparison(reference, name, differences))
    return tuple(made)


def paired(row: Row, other: Row, seed: int = 0) -> Difference:
    """The difference of `other` minus `row`, sequence by sequence.

    Raises
    ------
    InputError
        Where they were not scored on the same sequences.
    """
    first, second = row["per_sequence"], other["per_sequence"]
    if not _same_sequences(row, other):
        one_alone = sorted(set(first) ^ set(second))
        raise InputError(
            f"{_names(row)[0]} and {_names(other)[0]} were not scored on the same sequences: {len(first)} and "
            f"{len(second)}, only one has {', '.join(one_alone[:3])}{' ..' if len(one_alone) > 3 else ''}"
        )
    values = np.array([second[name] - first[name] for name in first])
    low, high = bootstrap_interval(values, seed, RESAMPLES) or (None, None)
    better, worse = int((values > TIE).sum()), int((values < -TIE).sum())
    cell = {name: row.get(name) for name in CELL if row.get(name) == other.get(name)}
    apart = [name for name in CELL if name not in cell]
    settings = tuple({name: each.get(name) for name in (*SETTING, *apart)} for each in (row, other))
    return Difference(
        cell, float(values.mean()), low, high, better, worse, len(values) - better - worse, (settings[0], settings[1])
    )


def _same_sequences(row: Row, other: Row) -> bool:
    return set(row["per_sequence"]) == set(other["per_sequence"])


def _names(row: Row) -> Tuple[str, ...]:
    """The names of the row's method, the full one last."""
    if row["predictor"] is None:
        return (row["tracker"],)
    return row["predictor"], f"{row['tracker']}/{row['predictor']}"


def _found(rows: Sequence[Row], name: str, other: str) -> List[Row]:
    """The rows of the method `name` where it is compared with `other`; InputError where there is none."""
    named = [row for row in rows if name in _names(row)]
    if not named:
        known = dict.fromkeys(sorted((each for row in rows for each in _names(row)), key=lambda each: "/" in each))
        raise InputError(f"no method {name!r} in this result, it has: {', '.join(known)}")
    alone = [row for row in named if row["predictor"] == name]
    if not alone or any(row["predictor"] == other for row in rows):
        return alone or named
    trackers = {row["tracker"] for row in rows if other in _names(row)}
    found = [row for row in alone if row["tracker"] in trackers]
    if trackers and not found:
        there = ", ".join(sorted({row["tracker"] for row in alone}))
        raise InputError(f"no predictor {name!r} of {', '.join(sorted(trackers))} in this result, only of {there}")
    return found or alone


def _pairs(firsts: Sequence[Row], seconds: Sequence[Row]) -> Iterator[Pair]:
    """The pairs of rows to compare, by cell."""
    shared = _shared(firsts, seconds)
    cells: Dict[str, Tuple[List[Row], List[Row]]] = {}
    for number, rows in enumerate((firsts, seconds)):
        for row in rows:
            cells.setdefault(json.dumps([row.get(name) for name in shared]), ([], []))[number].append(row)
    for one, two in cells.values():
        by_time: Dict[Tuple[Any, Any], List[Pair]] = {}
        for row, other in _preferred([(row, other) for row in one for other in two], ("processing",)):
            by_time.setdefault((row["processing"], other["processing"]), []).append((row, other))
        for group in by_time.values():
            yield from _preferred(group, SETTING)


def _shared(firsts: Sequence[Row], seconds: Sequence[Row]) -> Sequence[str]:
    """What the rows of two methods must share to be compared."""
    if any(row["predictor"] is None for row in (*firsts, *seconds)):
        return DATA
    one, two = ({row["tracker"] for row in rows} for rows in (firsts, seconds))
    return CELL if one & two else (*DATA, *ONLINE)


def _preferred(pairs: List[Pair], names: Sequence[str]) -> List[Pair]:
    """Those pairs that are equal in all of these; all where none is."""
    return [(a, b) for a, b in pairs if all(a.get(name) == b.get(name) for name in names)] or pairs


def _because(firsts: Sequence[Row], seconds: Sequence[Row]) -> str:
    """What the two nearest rows differ in."""
    shared = _shared(firsts, seconds)
    pairs = [(row, other) for row in firsts for other in seconds]
    differing = [[name for name in shared if a.get(name) != b.get(name)] for a, b in pairs]
    (a, b), names = min(zip(pairs, differing), key=lambda each: len(each[1]))
    return "".join(f"; {name} is {a.get(name)!r} and {b.get(name)!r}" for name in names)


def _either(difference: Difference, name: str) -> str:
    """The text of what both share, else of the one and the other."""
    if name in difference.cell:
        return _text(difference.cell[name])
    return " and ".join(_text(each[name]) for each in difference.settings)


def _text(value: Any) -> str:
    return "zero latency" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
