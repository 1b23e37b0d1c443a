"""What boards take for a frame, from the contributed results."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence

from pvtpp_benchmarks.contributed import FOLDER, read_all
from pvtpp_benchmarks.report.boards import COLUMNS, conditions, machine, rows
from pvtpp_benchmarks.results_pages.blocks import Block, Lines, table


def suites(results: Sequence[Mapping[str, Any]]) -> Lines:
    """A section for each suite, and in it one for each machine.

    Parameters
    ----------
    results
        As `pvtpp_benchmarks.contributed.read_all` reads them.
    """
    by_suite: Dict[str, List[Mapping[str, Any]]] = {}
    for result in results:
        by_suite.setdefault(f"{result['suite']}, version {result['protocol']['versions']['pvtpp']}", []).append(result)
    lines: Lines = []
    for name in sorted(by_suite):
        lines += [f"## {name}", ""]
        for result in sorted(by_suite[name], key=machine):
            lines += [f"### {machine(result)}", "", *(f"* {each}" for each in conditions(result)), ""]
            cells = [[text(row) for _, text in COLUMNS] for row in rows(result)]
            lines += [*table([title for title, _ in COLUMNS], cells), ""]
            if result["left_out"]:
                lines += [f"Not there: {', '.join(sorted(result['left_out']))}.", ""]
    return lines


def contributed(root: Path) -> Lines:
    """All committed results."""
    return suites(read_all(root / FOLDER))


BLOCKS: Dict[str, Block] = {"boards.suites": contributed}
