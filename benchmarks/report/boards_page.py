"""The page of contributed results: a table for each suite, made from the files alone.

python -m pvtpp_benchmarks.report.boards_page
"""

from __future__ import annotations

import sys
from typing import Any, Dict, List, Mapping, Optional, Sequence

from pvtpp.files import whole_file
from pvtpp_benchmarks.contributed import FOLDER, read_all
from pvtpp_benchmarks.report.table import Column, table

PAGE = "docs/results/boards.md"
LEAST = {"p95_ms": 40, "p99_ms": 200}
"""Samples that a percentile needs: two of them lie beyond it."""
STAGES = ("crop", "search", "head", "decode")
HEADING = """# Speed of boards

Contributed results: what each machine takes for a tracker, measured by `pvtpp bench --contribute`
([how](../jetson.md#8-contribute-your-boards-figures)). This page is made from
[`benchmarks/results`](../../benchmarks/results) by `python -m pvtpp_benchmarks.report.boards_page`; do not edit it.

Times are of a whole frame (`track`), in milliseconds, without initialisations: median, 95th and 99th percentile, and
what stages take in the median. `core` is the processor time for each second of wall time: below 1 another process had
a part of the core (or a GPU did the work), and the times are longer than the machine's own. `load` is the system's load
average of the last minute before and after, against the number of cores.
"""
Contributed = Mapping[str, Any]


def page(results: Sequence[Contributed]) -> str:
    """Return the page as Markdown.

    Parameters
    ----------
    results
        As `pvtpp_benchmarks.contributed.read_all` reads them.
    """
    suites: Dict[str, List[Contributed]] = {}
    for result in results:
        suites.setdefault(f"{result['suite']}, version {result['protocol']['versions']['pvtpp']}", []).append(result)
    parts = [HEADING]
    for name in sorted(suites):
        parts.append(f"## {name}\n")
        for result in sorted(suites[name], key=_machine):
            conditions = "".join(f"* {each}\n" for each in _conditions(result))
            parts.append(f"### {_machine(result)}\n\n{conditions}\n{_markdown(_COLUMNS, _rows(result))}")
            left_out = result["left_out"]
            if left_out:
                parts.append(f"Not there: {', '.join(sorted(left_out))}.\n")
    return "\n".join(parts)


def suite_table(results: Sequence[Contributed]) -> str:
    """Return the same figures as plain text, for a terminal."""
    return "\n\n".join(
        f"{_machine(result)}: {'; '.join(_conditions(result))}\n{table(_COLUMNS, _rows(result))}" for result in results
    )


def _machine(result: Contributed) -> str:
    return str(result["protocol"]["hardware"]["machine"])


def _conditions(result: Contributed) -> List[str]:
    """Cores, clocks, load and versions, so that figures are compared with their conditions."""
    hardware, settings, versions = result["protocol"]["hardware"], result["settings"], result["protocol"]["versions"]
    power = result["power"]["after"]
    ends = [result["load"][end] for end in ("before", "after")]
    load = "not known" if None in ends else " and ".join(f"{end[0]:g}" for end in ends)
    parts = [
        f"{hardware.get('cores')} cores",
        *(f"{name} {power[name]}" for name in ("l4t", "nvpmodel", "governor", "nvidia_smi") if name in power),
        {True: "clocks fixed", False: "clocks not fixed", None: "clocks not known"}[power.get("fixed")],
        f"load {load}",
        f"threads {settings['threads']}",
        f"{settings['frames']} frames ({settings['clip']})",
        *(f"{name} {versions[name]}" for name in ("onnxruntime", "cv2", "python") if name in versions),
    ]
    step = result["propagation"].get("step")
    if step:
        parts.append(f"a step of propagation {step['median_ms']:.1f} ms (95 %: {step['p95_ms']:.1f})")
    return parts


def _rows(result: Contributed) -> List[Dict[str, Any]]:
    made = [{"name": name, **entry} for name, entry in result["trackers"].items()]
    return sorted(made, key=lambda row: row["stages"]["track"]["median_ms"])


def _ms(row: Mapping[str, Any], stage: str, what: str = "median_ms") -> str:
    """Milliseconds of a stage; a percentile only where there are frames beyond it."""
    found: Optional[Mapping[str, Any]] = row["stages"].get(stage)
    if found is None or found["samples"] < LEAST.get(what, 1):
        return "-"
    return f"{found[what]:.1f}"


_COLUMNS: Sequence[Column] = (
    ("tracker", lambda row: row["name"]),
    ("median", lambda row: _ms(row, "track")),
    ("95 %", lambda row: _ms(row, "track", "p95_ms")),
    ("99 %", lambda row: _ms(row, "track", "p99_ms")),
    ("max", lambda row: _ms(row, "track", "max_ms")),
    ("n", lambda row: str(row["stages"]["track"]["samples"])),
    ("frames/s", lambda row: f"{1e3 / row['stages']['track']['median_ms']:.1f}"),
    *((stage, lambda row, stage=stage: _ms(row, stage)) for stage in STAGES),
    ("core", lambda row: f"{row['cpu_per_wall']:.2f}"),
    ("runtime", lambda row: (row["providers"] or ["-"])[0].replace("ExecutionProvider", "")),
)


def _markdown(columns: Sequence[Column], rows: Sequence[Any]) -> str:
    lines = [[title for title, _ in columns], ["---"] * len(columns)]
    lines += [[text(row) for _, text in columns] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> int:
    """Make the page of a checkout anew, from its root."""
    with whole_file(PAGE) as part, open(part, "w", encoding="utf-8") as file:
        file.write(page(read_all(FOLDER)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
