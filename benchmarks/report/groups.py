"""Rows of results in the groups that a report compares within, each row with its label and its look."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from pvtpp_benchmarks.comparison import CELL, SETTING
from pvtpp_benchmarks.report.labels import heading, method_labels
from pvtpp_benchmarks.report.styles import Style, style

Row = Mapping[str, Any]
_GREY = 6
"""The style of zero latency."""
_NEAR = ("dataset", "mode", "tracker", "predictor", "processing", "auc")
"""What equal rows share."""
_WIDTHS = (2.8, 2.0, 1.4, 1.0, 0.7)
"""Of lines, by processing time."""


@dataclass(frozen=True)
class Method:
    """A row of a result.

    Attributes
    ----------
    tracker
        Its name.
    short
        Predictor and settings, in as few words as tell the methods of one tracker apart.
    row
        As of the result.
    source
        The file or folder that it comes from.
    style
        How it looks beside the others of its tracker.
    """

    tracker: str
    short: str
    row: Row
    source: str
    style: Style

    @property
    def label(self) -> str:
        """Tracker and predictor."""
        return f"{self.tracker}, {self.short}"

    @property
    def online(self) -> bool:
        """Whether it is more than zero latency."""
        return self.row["predictor"] is not None


class Facet(NamedTuple):
    """What one chart shows: a heading, and methods with their labels and looks."""

    heading: str
    methods: Tuple[Method, ...]
    labels: Tuple[str, ...]
    styles: Tuple[Style, ...]


@dataclass(frozen=True)
class Panel:
    """Methods that were scored on the same clips at the same rates, and so may be compared.

    Attributes
    ----------
    name
        For files.
    heading
        Rates and number of clips.
    short
        The camera's rate, for charts; empty where the group has no other panel.
    methods
        Those of one tracker together, zero latency first.
    """

    name: str
    heading: str
    short: str
    methods: Tuple[Method, ...]

    @property
    def online(self) -> Tuple[Method, ...]:
        """Without zero latency."""
        return tuple(method for method in self.methods if method.online)

    @property
    def leading(self) -> Method:
        """What is shown first where one method is: the last one of the first tracker."""
        own = [method for method in self.methods if method.tracker == self.methods[0].tracker]
        return own[-1]

    @property
    def clips(self) -> Tuple[str, ...]:
        """Names of the sequences."""
        return tuple(self.methods[0].row["per_sequence"])

    def hold_of(self, method: Method) -> Optional[Method]:
        """Return the method without prediction that this one is compared with; None for itself and without one."""
        if not method.online or method.row["predictor"] == "hold":
            return None
        cell, setting = ([method.row.get(name) for name in names] for names in (CELL, SETTING))
        found = [
            each
            for each in self.online
            if each.row["predictor"] == "hold" and [each.row.get(name) for name in CELL] == cell
        ]
        same = [each for each in found if [each.row.get(name) for name in SETTING] == setting]
        return next(iter([*same, *found]), None)


@dataclass(frozen=True)
class Group:
    """All rows of one data set and metric mode.

    Attributes
    ----------
    dataset, mode
        Their names.
    panels
        By camera rate, world rate and clips.
    """

    dataset: str
    mode: str
    panels: Tuple[Panel, ...]

    @property
    def name(self) -> str:
        """For files."""
        return slug(f"{self.dataset}-{self.mode}")

    @property
    def heading(self) -> str:
        """For readers."""
        return f"{self.dataset}, mode {self.mode}"

    @property
    def trackers(self) -> Tuple[str, ...]:
        """Names, each once."""
        return tuple(dict.fromkeys(method.tracker for panel in self.panels for method in panel.methods))

    def facets(self, panel: Panel, zero: bool = False) -> List[Facet]:
        """Return what is drawn of a panel: a chart for each tracker, or one where each tracker has but one method.

        Parameters
        ----------
        panel
            Of this group.
        zero
            Whether zero latency is drawn too.
        """
        methods = panel.methods if zero else panel.online
        counts = [sum(each.tracker == name for each in panel.online) for name in self.trackers]
        if len(self.trackers) > 1 and max(counts) <= 1:
            numbers = {name: style(_spared(number)) for number, name in enumerate(self.trackers)}
            shown = [method for method in methods if method.online]
            labels = tuple(method.label for method in shown)
            return [Facet(panel.short, tuple(shown), labels, tuple(numbers[each.tracker] for each in shown))]
        made = []
        for name in self.trackers:
            own = tuple(method for method in methods if method.tracker == name)
            if own:
                title = ", ".join(filter(None, (name, panel.short)))
                made.append(Facet(title, own, tuple(m.short for m in own), tuple(m.style for m in own)))
        return made


@dataclass(frozen=True)
class Source:
    """Where rows come from.

    Attributes
    ----------
    name
        The file, or the folders of logs.
    protocol
        As of `pvtpp_benchmarks.result.Result`.
    rows
        Its rows.
    """

    name: str
    protocol: Mapping[str, Any]
    rows: Tuple[Row, ...]


@dataclass(frozen=True)
class Report:
    """What the parts of a report are made of.

    Attributes
    ----------
    title
        Of the page.
    sources
        The results.
    groups
        Their rows, by data set and metric mode.
    films
        Addresses of videos, by data set, tracker, processing time and sequence.
    """

    title: str
    sources: Tuple[Source, ...]
    groups: Tuple[Group, ...]
    films: Mapping[Tuple[str, str, str, str], str] = field(default_factory=dict)

    @property
    def once(self) -> Tuple[Group, ...]:
        """One group for each data set, for what is the same in all metric modes."""
        return tuple({group.dataset: group for group in reversed(self.groups)}.values())[::-1]


def make_report(
    title: str, sources: Sequence[Source], films: Optional[Mapping[Tuple[str, str, str, str], str]] = None
) -> Report:
    """Group the rows of results.

    Parameters
    ----------
    title
        Of the page.
    sources
        The results, each with one row or more.
    films
        As of `Report`.
    """
    found: Dict[Tuple[str, str], List[Tuple[Row, str]]] = {}
    near: Dict[Tuple[Any, ...], List[Row]] = {}
    for source in sources:
        for row in source.rows:
            # Zero latency of a tracker is in the results of each of its evaluations.
            rows = near.setdefault(tuple(row.get(name) for name in _NEAR), [])
            if not any(_same(row, other) for other in rows):
                rows.append(row)
                found.setdefault((row["dataset"], row["mode"]), []).append((row, source.name))
    groups = tuple(Group(*key, _panels(rows)) for key, rows in found.items())
    return Report(title, tuple(sources), groups, dict(films or {}))


def _same(row: Row, other: Row) -> bool:
    """Whether two rows are equal but for the version of the code."""
    return all(row.get(name) == other.get(name) for name in {*row, *other} - {"version"})


def _panels(rows: Sequence[Tuple[Row, str]]) -> Tuple[Panel, ...]:
    labels = method_labels([row for row, _ in rows])
    styles = _styles([(row, short) for (row, _), (_, short) in zip(rows, labels)])
    keyed: Dict[Tuple[Any, ...], List[Method]] = {}
    offline = []
    for (row, source), (tracker, short) in zip(rows, labels):
        method = Method(tracker, short, row, source, styles[short])
        if method.online:
            keyed.setdefault(_key(row), []).append(method)
        else:
            offline.append(method)
    zero: Dict[Tuple[Any, ...], List[Method]] = {}
    for method in offline:
        # The camera shows the same frames whatever the world's rate.
        own = _key(method.row)
        near = [key for key in keyed if (key[0], key[1], key[3]) == (own[0], own[1], own[3])]
        for key in near or [own]:
            zero.setdefault(key, []).append(method)
    keys = sorted({*keyed, *zero})
    titles = [heading(key[:3]) for key in keys]
    panels: List[Panel] = []
    for key, title in zip(keys, titles):
        clips = f"{len(key[3])} clip{'s' * (len(key[3]) != 1)}"
        name = slug(f"{-key[1]:g}-{key[2]:g}{'-apart' * key[0]}")
        if titles.count(title) > 1:
            name += f"-{len([each for each in panels if each.name.startswith(name)]) + 1}"
        brief = f"camera {-key[1]:g} fps{', apart' * key[0]}" if len(keys) > 1 else ""
        if [each[:2] for each in keys].count(key[:2]) > 1:
            brief += f", world {key[2]:g} fps, {clips}"
        methods = [*zero.get(key, ()), *keyed.get(key, ())]
        order = {name: number for number, name in enumerate(dict.fromkeys(row["tracker"] for row, _ in rows))}
        methods.sort(key=lambda method: order[method.tracker])
        panels.append(Panel(name, f"{title}; {clips}", brief, tuple(methods)))
    return tuple(panels)


def _styles(rows: Sequence[Tuple[Row, str]]) -> Dict[str, Style]:
    """The look of each method: colour and dashes for each predictor, a width for each processing time.

    Where colours or widths do not suffice, each method has colour and dashes of its own.
    """
    online = [(row, short) for row, short in rows if row["predictor"] is not None]
    families = list(dict.fromkeys(family(row, short) for row, short in online))
    times = sorted({row["processing_ms"] for row, _ in online})
    found = {short: style(_GREY) for row, short in rows if row["predictor"] is None}
    if len(families) <= _GREY and len(times) <= len(_WIDTHS):
        for row, short in online:
            width = _WIDTHS[times.index(row["processing_ms"])] if len(times) > 1 else _WIDTHS[1]
            found[short] = style(families.index(family(row, short)))._replace(width=width)
        return found
    for number, short in enumerate(dict.fromkeys(short for _, short in online)):
        found[short] = style(_spared(number))
    return found


def family(row: Row, short: str) -> str:
    """Return what is said of a method without its processing time."""
    return ", ".join(word for word in short.split(", ") if word != f"{row['processing_ms']:g} ms")


def _key(row: Row) -> Tuple[bool, float, float, Tuple[str, ...]]:
    return bool(row["apart"]), -row["camera_fps"], row["world_fps"], tuple(sorted(row["per_sequence"]))


def _spared(number: int) -> int:
    """The number of a style that is not the grey of zero latency."""
    return number + (number >= _GREY)


def slug(text: str) -> str:
    """Return a text as part of a file's name and of an address in the page."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-").lower() or "x"
