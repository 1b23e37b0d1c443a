"""`Result`: what an evaluation found, the same from the API, from logs and from a JSON file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from pvtpp.errors import InputError
from pvtpp.files import parse_json, read_text
from pvtpp_benchmarks.bootstrap import bootstrap_interval
from pvtpp_benchmarks.provenance import facts, hardware
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.report.table import Column, result_table, table
from pvtpp_benchmarks.result_rows import check_rows

RESAMPLES = 10_000
TIE = 1e-12
CELL = (
    "dataset",
    "tracker",
    "mode",
    "clock",
    "processing",
    "camera_fps",
    "world_fps",
    "schedule",
    "ego_motion",
    "apart",
)
"""What two rows must share to be compared."""
SETTING = ("search_region", "propagation", "presence", "predictor_ms")
"""How a predictor was used: two that are compared may differ in it."""
Row = Mapping[str, Any]


class Difference(NamedTuple):
    """One method minus another over the same sequences, paired.

    Attributes
    ----------
    cell
        What both rows share: tracker, processing and so on.
    mean
        Mean difference in AUC over sequences.
    low, high
        Its 95 % interval, by bootstrap over sequences; None for fewer than two.
    wins, losses, ties
        Sequences on which it is better, worse, equal.
    settings
        How each of the two was used: `SETTING`.
    """

    cell: Dict[str, Any]
    mean: float
    low: Optional[float]
    high: Optional[float]
    wins: int
    losses: int
    ties: int
    settings: Tuple[Dict[str, Any], Dict[str, Any]]


@dataclass(frozen=True)
class Comparison:
    """Paired differences between two predictors, one for each cell of the evaluation. Printed it is a table.

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
            ("processing", lambda each: str(each.cell["processing"])),
            ("fps", lambda each: f"{each.cell['camera_fps']:g}/{each.cell['world_fps']:g}"),
            ("mode", lambda each: each.cell["mode"]),
            (f"{self.second} - {self.first}", lambda each: f"{each.mean:+.4f}"),
            ("95 %", lambda each: "-" if each.low is None else f"{each.low:+.4f} to {each.high:+.4f}"),
            ("wins", lambda each: str(each.wins)),
            ("losses", lambda each: str(each.losses)),
            ("ties", lambda each: str(each.ties)),
            ("n", lambda each: str(each.wins + each.losses + each.ties)),
        ]
        return table(columns, list(self.differences))

    def _varying(self) -> List[Column]:
        """Columns for what tells rows apart besides processing time, frame rate and mode."""
        found: List[Column] = []
        for name in (each for each in CELL if each not in ("processing", "camera_fps", "world_fps", "mode")):
            if len({each.cell[name] for each in self.differences}) > 1:
                found.append((name, lambda each, name=name: str(each.cell[name])))  # type: ignore[misc]
        for number, predictor in enumerate((self.first, self.second)):
            for name in SETTING:
                if len({each.settings[number][name] for each in self.differences}) > 1:
                    title = f"{name} of {predictor}"
                    found.append((title, lambda each, i=number, name=name: str(each.settings[i][name])))  # type: ignore[misc]
        return found


@dataclass(frozen=True)
class Result:
    """Rows of an evaluation, one for each cell, predictor, metric mode and camera rate.

    Attributes
    ----------
    rows
        As `pvtpp_benchmarks.score.row` makes them.
    protocol
        Versions, hardware, seed and command.
    """

    rows: Tuple[Dict[str, Any], ...]
    protocol: Mapping[str, Any] = field(default_factory=lambda: facts(0))

    def table(self) -> str:
        """Return the result as a table in plain text."""
        return result_table(list(self.rows))

    def __str__(self) -> str:
        return self.table()

    def compare(self, first: str, second: str, seed: int = 0) -> Comparison:
        """Compare two predictors on the same sequences.

        Where both were evaluated in several settings (`SETTING`), equal settings are compared; where none is equal,
        each of the one with each of the other.

        Parameters
        ----------
        first, second
            Names of predictors; differences are of the second minus the first.
        seed
            Of the bootstrap.

        Raises
        ------
        InputError
            For a predictor that was not evaluated, and where no two rows can be compared.
        """
        online = [row for row in self.rows if row["predictor"] is not None]
        known = sorted({row["predictor"] for row in online})
        for name in (first, second):
            if name not in known:
                raise InputError(f"no predictor {name!r} in this result, it has: {', '.join(known)}")
        cells: Dict[str, Tuple[List[Row], List[Row]]] = {}
        for row in online:
            for number, name in enumerate((first, second)):
                if row["predictor"] == name:
                    cells.setdefault(json.dumps(_cell(row)), ([], []))[number].append(row)
        found = []
        for firsts, seconds in cells.values():
            pairs = [(row, other) for row in firsts for other in seconds]
            equal = [(row, other) for row, other in pairs if _setting(row) == _setting(other)]
            found += [_difference(row, other, seed) for row, other in equal or pairs]
        if not found:
            raise InputError(f"{first} and {second} share no cell that could be compared")
        return Comparison(first, second, tuple(found))

    def plot(self, path: str) -> None:
        """Draw the e-LAE curves of the online rows, as PNG, PDF or SVG by the ending of `path`."""
        check_writable(path)
        draw(path, self.rows)

    def write(self, path: str) -> None:
        """Write the result as JSON, with everything needed to repeat it."""
        write_json(path, {"protocol": dict(self.protocol), "rows": list(self.rows)})

    @classmethod
    def read(cls, path: str) -> Result:
        """Read what `write` wrote. Raises InputError for a file that is missing or no result."""
        text = read_text(path)
        try:
            content = parse_json(text, path)
            rows, protocol = content["rows"], content["protocol"]
        except (ValueError, KeyError, TypeError):
            raise InputError(f"{path}: not the JSON of a result, which has 'protocol' and 'rows'") from None
        check_rows(rows, protocol, path)
        return cls(tuple(rows), protocol)


def _cell(row: Row) -> Dict[str, Any]:
    return {name: row.get(name) for name in CELL}


def _setting(row: Row) -> Dict[str, Any]:
    return {name: row.get(name) for name in SETTING}


def _difference(row: Row, other: Row, seed: int) -> Difference:
    first, second = row["per_sequence"], other["per_sequence"]
    if set(first) != set(second):
        raise InputError(f"{row['predictor']} and {other['predictor']} were not scored on the same sequences")
    values = np.array([second[name] - first[name] for name in first])
    low, high = bootstrap_interval(values, seed, RESAMPLES) or (None, None)
    better, worse = int((values > TIE).sum()), int((values < -TIE).sum())
    ties, settings = len(values) - better - worse, (_setting(row), _setting(other))
    return Difference(_cell(row), float(values.mean()), low, high, better, worse, ties, settings)


def draw(path: str, rows: Sequence[Row]) -> None:
    """Draw the e-LAE curves of the rows, a curve for each; zero latency is a level line.

    Each curve is named by its predictor, its processing time and all else in which the rows differ, the tracker first.
    Camera rates, and sequences that are apart, are panels of one figure.

    Raises
    ------
    InputError
        Where there is no online row.
    """
    from pvtpp_benchmarks.report.curves import plot_elae, plot_elae_panels
    from pvtpp_benchmarks.report.labels import curve_labels, heading, panel_key, panels_of

    online = [row for row in rows if row["curve"]]
    if not online:
        raise InputError(f"{path}: there is no online row to draw")
    panels: Dict[str, Dict[str, Tuple[List[float], List[float]]]] = {}
    for row, label, keys in zip(rows, curve_labels(rows), panels_of(rows)):
        for key in keys:
            panels.setdefault(heading(key), {})[label] = _steps(row)
    panels = {name: panels[name] for name in map(heading, sorted({panel_key(row) for row in online}))}
    clocks, modes, datasets, trackers = (
        list(dict.fromkeys(row[name] for row in online)) for name in ("clock", "mode", "dataset", "tracker")
    )
    counts = sorted({row["sequences"] for row in online})
    clips = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    title = f"{_listed(trackers, 'trackers')} on {_listed(datasets, 'data sets')}"
    subtitle = f"AUC ({'/'.join(modes)}), {clips} clips, {'/'.join(clocks)} clock; {hardware()['machine']}"
    if len(panels) == 1:
        plot_elae(path, next(iter(panels.values())), title, subtitle)
    else:
        plot_elae_panels(path, panels, title, subtitle)


def _steps(row: Row) -> Tuple[List[float], List[float]]:
    exact = row["exact_curve"] or {"sigma": [0.0], "auc": [row["auc"]]}
    return exact["sigma"], exact["auc"]


def _listed(names: Sequence[str], kind: str) -> str:
    return " and ".join(names) if len(names) <= 2 else f"{len(names)} {kind}"
