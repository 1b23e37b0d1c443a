"""`Result`: what an evaluation found, the same from the API, from logs and from a JSON file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Sequence, Tuple, Union

from pvtpp.errors import InputError
from pvtpp.files import parse_json, read_text
from pvtpp_benchmarks.comparison import Comparison, compare, differences_to
from pvtpp_benchmarks.merging import merge
from pvtpp_benchmarks.provenance import facts, hardware
from pvtpp_benchmarks.report.csv_file import write_csv
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.report.latex import write_latex
from pvtpp_benchmarks.report.table import result_table
from pvtpp_benchmarks.result_rows import check_rows

Row = Mapping[str, Any]


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
        """Compare two methods on the same sequences: the second minus the first.

        A method is a predictor (``hold``), a predictor of one tracker (``nanotrack-v3/hold``), or a tracker's results
        at zero latency (``nanotrack-v3``). See `pvtpp_benchmarks.comparison.compare`, whose arguments and errors these
        are.
        """
        return compare(self.rows, first, second, seed)

    def differences_to(self, reference: str = "hold", seed: int = 0) -> Tuple[Comparison, ...]:
        """Compare every other method with `reference`, as of `pvtpp_benchmarks.comparison.differences_to`."""
        return differences_to(self.rows, reference, seed)

    def plot(self, path: str) -> None:
        """Draw the e-LAE curves of the online rows, as PNG, PDF or SVG by the ending of `path`."""
        check_writable(path)
        draw(path, self.rows)

    def to_csv(self, path: str, by: str = "row") -> None:
        """Write the figures as CSV.

        Parameters
        ----------
        path
            The file.
        by
            ``row``: one line for each row of the table; ``sequence``: one for each sequence of each row.

        Raises
        ------
        InputError
            For another `by`, and where the file cannot be written.
        """
        write_csv(path, self.rows, by)

    def to_latex(self, path: str) -> None:
        """Write the table as LaTeX (package booktabs), one table for each block of `table`."""
        write_latex(path, self.rows)

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

    @classmethod
    def merged(cls, results: Sequence[Union[str, Result]]) -> Result:
        """Join the results of several files, or results in memory, on one data set; equal rows are there once.

        Raises
        ------
        InputError
            For none, for different data sets, and for two rows of the same settings that differ in their figures; it
            names the files.
        """
        named = [
            (each, cls.read(each)) if isinstance(each, str) else (f"result {number}", each)
            for number, each in enumerate(results, 1)
        ]
        return cls(*merge([(source, each.rows, each.protocol) for source, each in named]))


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
