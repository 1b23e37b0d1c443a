"""What is needed to repeat a result and to compare it: data, machine, versions, seeds, and what was charged."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from pvtpp_benchmarks.report.groups import Report, Source
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
    made = [(name, facts) for source in report.sources for name, facts in _parts(source)]
    names: Dict[str, str] = dict(_FACTS)
    for _, facts in made:
        names.update({name: name for name in facts if name not in names})
    found: Dict[str, List[str]] = {
        title: [_said(facts.get(name)) for _, facts in made] for name, title in names.items()
    }
    rows: List[Tuple[Value, ...]] = []
    for title, texts in found.items():
        if len(set(texts)) == 1:
            rows.append((title, "all" if len(texts) > 1 else made[0][0], texts[0]))
        else:
            rows += [(title, name, text) for (name, _), text in zip(made, texts)]
    return Table("facts", "How the results were made", (Heading("what"), Heading("of"), Heading("value")), tuple(rows))


def _parts(source: Source) -> Iterator[Tuple[str, Mapping[str, Any]]]:
    """The facts of a source; of one that was merged, those of each result that it was merged of."""
    facts = dict(source.protocol)
    codes = sorted({str(row["version"])[:12] for row in source.rows if row.get("version")})
    facts["code of the runs"] = ", ".join(codes)
    parts = facts.pop("parts", None)
    if not isinstance(parts, Mapping):
        yield source.name, facts
        return
    for name, part in parts.items():
        yield name, {**facts, **part}


def _said(value: Any) -> str:
    """A fact as a text: names and values, or values alone."""
    if value in (None, "", {}, []):
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
