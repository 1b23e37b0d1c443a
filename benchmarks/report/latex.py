"""Rows of a result as LaTeX tables, one for each block of the text table: package booktabs."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Sequence

from pvtpp.files import whole_file
from pvtpp_benchmarks.report.table import is_number, table_blocks

_ESCAPED = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_ESCAPED.update({sign: f"\\{sign}" for sign in "&%$#_{}"})
_SPECIAL = re.compile("|".join(map(re.escape, _ESCAPED)))


def write_latex(path: str, rows: Sequence[Dict[str, Any]]) -> None:
    """Write the tables of a result, whole or not at all; the folder of the file must exist."""
    with whole_file(path, make_folder=False) as part, open(part, "w", encoding="utf-8") as file:
        file.write("% \\usepackage{booktabs}\n" + "\n".join(latex_tables(rows)))


def latex_tables(rows: Sequence[Dict[str, Any]]) -> List[str]:
    """Return a LaTeX table for each block, its heading as the caption."""
    return [_table(block.heading, block.cells()) for block in table_blocks(rows)]


def escape(text: str) -> str:
    """Return the text with everything escaped that LaTeX reads as a command."""
    return _SPECIAL.sub(lambda found: _ESCAPED[found.group()], text)


def _table(caption: str, cells: List[List[str]]) -> str:
    numeric = [all(map(is_number, column)) for column in zip(*cells[1:])]
    lines = [" & ".join(map(escape, line)) + r" \\" for line in cells]
    return "\n".join(
        [
            r"\begin{table}",
            rf"\caption{{{escape(caption)}}}",
            rf"\begin{{tabular}}{{{''.join('r' if each else 'l' for each in numeric)}}}",
            r"\toprule",
            lines[0],
            r"\midrule",
            *lines[1:],
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )
