"""What a report is made of: parts, each of tables, figures and notes, whatever they are written as."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union

from pvtpp_benchmarks.report.drawing import Drawing, Legend, composed

MISSING = "-"
"""How a table says that there is no such value."""


class Heading(NamedTuple):
    """A column of a table.

    Attributes
    ----------
    title
        Above the column, with the unit.
    digits
        After the point of a number; None: the column holds texts and whole numbers.
    signed
        Whether a number has its sign, be it plus.
    meaning
        What the column holds, where the title does not say it.
    """

    title: str
    digits: Optional[int] = None
    signed: bool = False
    meaning: str = ""


Value = Union[None, str, int, float]


@dataclass(frozen=True)
class Table:
    """Rows of values.

    Attributes
    ----------
    name
        Of its files, unique in a report.
    caption
        What it holds.
    headings
        Of the columns.
    rows
        Values as they are, in the order of the headings; None is a value that there is not.
    filters
        Numbers of the columns by whose values a reader chooses rows.
    chosen
        What the filters are set to at first.
    films
        Address of the video of each row; empty: there are none.
    """

    name: str
    caption: str
    headings: Tuple[Heading, ...]
    rows: Tuple[Tuple[Value, ...], ...]
    filters: Tuple[int, ...] = ()
    chosen: Tuple[str, ...] = ()
    films: Tuple[Optional[str], ...] = ()

    def text(self, row: int, column: int) -> str:
        """Return how a value is written."""
        return shown(self.rows[row][column], self.headings[column])

    @property
    def numeric(self) -> Tuple[bool, ...]:
        """Which columns hold numbers alone, and are aligned to the right."""
        columns = zip(*self.rows) if self.rows else ([] for _ in self.headings)
        return tuple(all(value is None or not isinstance(value, str) for value in column) for column in columns)


def shown(value: Value, heading: Heading) -> str:
    """Return how a value of a column is written."""
    if value is None:
        return MISSING
    if heading.digits is not None and not isinstance(value, str):
        return f"{value:{'+' if heading.signed else ''}.{heading.digits}f}"
    return value if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class Figure:
    """Charts that belong together.

    Attributes
    ----------
    name
        Of its files, unique in a report.
    caption
        What it shows.
    panels
        The charts.
    legend
        Labels and looks of the series.
    columns
        How many charts are side by side, where there is space.
    marked
        Whether the legend has marks.
    """

    name: str
    caption: str
    panels: Tuple[Drawing, ...]
    legend: Legend = ()
    columns: int = 3
    marked: bool = False

    def drawing(self) -> Drawing:
        """Return all charts and the legend as one drawing."""
        return composed(self.panels, self.columns, self.legend, self.marked, self.caption)


@dataclass(frozen=True)
class Note:
    """A paragraph of plain text."""

    text: str


@dataclass(frozen=True)
class Subheading:
    """The heading of what follows in a part: the data set, or the camera rate."""

    text: str


@dataclass(frozen=True)
class Pairs:
    """Paired differences between any two methods, of which a reader chooses two.

    Attributes
    ----------
    name
        Unique in a report.
    methods
        Labels of the methods.
    measures
        Names of the measures.
    differences
        By measure, for each two methods ``i < j`` in order: mean of j minus i, low, high, wins, losses, ties.
    chosen
        The two that are shown first.
    """

    name: str
    methods: Tuple[str, ...]
    measures: Tuple[str, ...]
    differences: Dict[str, List[List[Optional[float]]]]
    chosen: Tuple[int, int]

    def table(self) -> Table:
        """Return all differences as a table."""
        headings = (
            Heading("measure"),
            Heading("first"),
            Heading("second"),
            Heading("second - first", 4, True),
            Heading("95 % low", 4, True),
            Heading("95 % high", 4, True),
            *(Heading(title) for title in ("wins", "losses", "ties")),
        )
        pairs = [(i, j) for i in range(len(self.methods)) for j in range(i + 1, len(self.methods))]
        rows = tuple(
            (measure, self.methods[i], self.methods[j], *each)
            for measure in self.measures
            for (i, j), each in zip(pairs, self.differences[measure])
        )
        return Table(self.name, "Paired differences between any two methods", headings, rows)


Block = Union[Table, Figure, Note, Subheading, Pairs]


@dataclass(frozen=True)
class Part:
    """A part of the report.

    Attributes
    ----------
    name
        Of its address in the page.
    title
        Its heading.
    blocks
        What it holds, in order.
    """

    name: str
    title: str
    blocks: Tuple[Block, ...] = field(default=())


def number(part: Any, *path: Any) -> Optional[float]:
    """Return the number inside nested objects and lists; None where any of them is missing, as in old files."""
    for key in path:
        try:
            part = part[key]
        except (KeyError, IndexError, TypeError):
            return None
    return part if isinstance(part, (int, float)) and not isinstance(part, bool) else None
