"""What is needed to repeat a result and to compare it: data, machine, versions, seeds, and what was charged."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

from pvtpp_benchmarks.report.groups import Report
from pvtpp_benchmarks.report.parts import Block, Heading, Note, Part, Table, Value

NOT_RECORDED = "not recorded"
_FACTS = {
    "command": "command",
    "data": "data",
    "versions": "versions",
    "commit": "commit",
    "hardware": "hardware",
    "power": "clocks and governor",
    "load": "load",
    "threads": "threads",
    "providers": "runtime providers",
    "seed": "seed",
}
"""Entries of a protocol, and what the report calls them."""


def part(report: Report) -> Optional[Part]:
    """Return the facts of each source, and what was charged to each method."""
    blocks: List[Block] = [
        Note(
            "AUC, DP and intervals are those of the results, unchanged. Bootstrap: over sequences, 10,000 times for "
            "differences, seed 0. On the simulated clock figures do not depend on the machine; on "
            "the wall clock they do."
        ),
        _facts(report),
    ]
    return Part("protocol", "Protocol", (*blocks, *_charged(report)))


def _facts(report: Report) -> Table:
    """Every fact once where all sources share it, else for each source."""
    names: Dict[str, str] = dict(_FACTS)
    for source in report.sources:
        names.update({name: name for name in source.protocol if name not in names})
    found: Dict[str, List[str]] = {
        title: [_said(source.protocol.get(name)) for source in report.sources] for name, title in names.items()
    }
    found["code of the runs"] = [
        ", ".join(sorted({str(row["version"])[:12] for row in source.rows if row.get("version")})) or NOT_RECORDED
        for source in report.sources
    ]
    rows: List[Tuple[Value, ...]] = []
    for title, texts in found.items():
        if len(set(texts)) == 1:
            rows.append((title, "all" if len(texts) > 1 else report.sources[0].name, texts[0]))
        else:
            rows += [(title, source.name, text) for source, text in zip(report.sources, texts)]
    return Table("facts", "How the results were made", (Heading("what"), Heading("of"), Heading("value")), tuple(rows))


def _said(value: Any) -> str:
    """A fact as a text: names and values, or values alone."""
    if value is None or value == {} or value == []:
        return NOT_RECORDED
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_within(each)}" for name, each in value.items())
    return _within(value)


def _within(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"({_said(value)})"
    if isinstance(value, list):
        # Clocks of many equal cores are said once.
        texts = [_within(each) for each in value]
        return ", ".join(dict.fromkeys(texts) if all(isinstance(each, Mapping) for each in value) else texts)
    return str(value)


def _charged(report: Report) -> List[Block]:
    """What was charged on the simulated clock, once for methods that were charged the same."""
    rows: Dict[Tuple[Value, ...], Dict[str, List[str]]] = {}
    for group in report.once:
        for panel in group.panels:
            for method in panel.online:
                charged = method.row.get("charged")
                if charged:
                    key = (
                        charged.get("tracker"),
                        charged.get("propagation_step_ms"),
                        charged.get("predictor_ms"),
                        charged.get("propagation_core"),
                        "; ".join(charged.get("not_charged", ())),
                    )
                    shorts = rows.setdefault(key, {}).setdefault(method.tracker, [])
                    shorts += [method.short] if method.short not in shorts else []
    if not rows:
        return [Note("What was charged to each stage: not recorded in these results.")]
    headings = (
        Heading("methods"),
        Heading("tracker"),
        Heading("propagation step ms"),
        Heading("predictor ms"),
        Heading("propagation core"),
        Heading("not charged"),
    )
    listed = tuple((_methods(by_tracker), *key) for key, by_tracker in rows.items())
    return [Table("charged", "What was charged, and what was not", headings, listed)]


def _methods(by_tracker: Mapping[str, List[str]]) -> str:
    """Trackers and what of them, trackers with the same together."""
    same: Dict[str, List[str]] = {}
    for tracker, shorts in by_tracker.items():
        same.setdefault("; ".join(shorts), []).append(tracker)
    return "; ".join(f"{', '.join(trackers)}: {shorts}" for shorts, trackers in same.items())
