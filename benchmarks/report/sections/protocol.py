"""What is needed to repeat a result and to compare it: data, machine, versions, seeds, and what was charged."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from pvtpp_benchmarks.report.groups import Report, slug
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
    several = len(report.sources) > 1
    blocks: List[Block] = [
        Note(
            "AUC, DP and intervals are those of the results, unchanged. Bootstrap: over sequences, 10,000 times for "
            "differences, seed 0. On the simulated clock figures do not depend on the machine; "
            "on the wall clock they do."
        )
    ]
    for index, source in enumerate(report.sources):
        facts = dict(source.protocol)
        codes = sorted({str(row["version"])[:12] for row in source.rows if row.get("version")})
        facts.setdefault("data", None)
        rows: List[Tuple[Value, ...]] = []
        for name, title in _FACTS.items():
            rows += [(title, text) for text in _lines(facts.pop(name, None))]
        rows += [(name, text) for name, value in facts.items() for text in _lines(value)]
        rows.append(("code of the runs", ", ".join(codes) or NOT_RECORDED))
        title = f"Protocol of {source.name}" if several else "Protocol"
        headings = (Heading("what"), Heading("value"))
        blocks.append(Table(f"protocol-{index + 1}-{slug(source.name)}", title, headings, tuple(rows)))
    blocks += _charged(report)
    return Part("protocol", "Protocol", tuple(blocks))


def _lines(value: Any) -> Iterator[str]:
    """A fact in lines of text."""
    if value is None or value == {} or value == []:
        yield NOT_RECORDED
    elif isinstance(value, Mapping):
        yield ", ".join(f"{name} {_said(each)}" for name, each in value.items())
    elif isinstance(value, list):
        for each in value:
            yield from _lines(each)
    else:
        yield _said(value)


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return "(" + ", ".join(f"{name} {_said(each)}" for name, each in value.items()) + ")"
    if isinstance(value, list):
        return "; ".join(dict.fromkeys(_said(each) for each in value))
    return NOT_RECORDED if value is None else str(value)


def _charged(report: Report) -> List[Block]:
    """What was charged on the simulated clock, once for methods that were charged the same."""
    rows: Dict[Tuple[Value, ...], List[str]] = {}
    for group in report.once:
        for panel in group.panels:
            for method in panel.online:
                charged = method.row.get("charged")
                if charged:
                    key = (
                        _said(charged.get("tracker")),
                        charged.get("propagation_step_ms"),
                        charged.get("predictor_ms"),
                        _said(charged.get("propagation_core")),
                        _said(charged.get("not_charged")),
                    )
                    rows.setdefault(key, []).append(method.label)
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
    listed = tuple(("; ".join(dict.fromkeys(labels)), *key) for key, labels in rows.items())
    return [Table("charged", "What was charged, and what was not", headings, listed)]
