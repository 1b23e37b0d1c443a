"""Tables as HTML, CSV and LaTeX."""

from __future__ import annotations

import csv
import io
import json
from html import escape as quote
from typing import List

from pvtpp_benchmarks.report.latex import escape
from pvtpp_benchmarks.report.parts import MISSING, Table, Value

_SIGNS = {"<": r"\textless{}", ">": r"\textgreater{}", "σ": r"$\sigma$", "κ": r"$\kappa$", "…": r"\dots{}"}
"""What older fonts of LaTeX do not have."""


def to_csv(table: Table) -> str:
    """Return the values of a table as they are, below the titles of its columns; a missing one is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([heading.title for heading in table.headings])
    writer.writerows([["" if value is None else value for value in row] for row in table.rows])
    return text.getvalue()


def to_latex(table: Table) -> str:
    """Return a table as a ``tabular`` of the package booktabs, its texts as the page shows them."""
    columns = "".join("r" if numeric else "l" for numeric in table.numeric)
    lines = [f"% {table.caption}", rf"\begin{{tabular}}{{{columns}}}", r"\toprule"]
    lines += [" & ".join(latex(heading.title) for heading in table.headings) + r" \\", r"\midrule"]
    for row in range(len(table.rows)):
        texts = [table.text(row, column) for column in range(len(table.headings))]
        lines.append(" & ".join("--" if text == MISSING else _number(latex(text)) for text in texts) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def latex(text: str) -> str:
    """Return a text as LaTeX prints it."""
    return "".join(_SIGNS.get(each, each) for each in escape(text))


def _number(text: str) -> str:
    """A minus, which LaTeX would print as a hyphen."""
    return f"${text}$" if text[:1] in "+-" and text[1:2].isdigit() else text


def to_html(table: Table) -> str:
    """Return a table with its caption; cells that are rounded hold the value itself in ``data-v``."""
    numeric = table.numeric
    chosen = ""
    if table.filters:
        chosen = f' data-filters="{quote(json.dumps(table.filters))}" data-chosen="{quote(json.dumps(table.chosen))}"'
    head = "".join(
        f'<th scope="col"{_class(numeric[column])}{_meaning(heading.meaning)}>{quote(heading.title)}</th>'
        for column, heading in enumerate(table.headings)
    )
    body: List[str] = []
    for row, values in enumerate(table.rows):
        cells = "".join(_cell(table, row, column, value, numeric[column]) for column, value in enumerate(values))
        body.append(f"<tr>{cells}</tr>")
    return (
        f'<p class="caption" id="{quote(table.name)}-caption">{quote(table.caption)}</p>'
        # Such a window scrolls by keys only where it can be focused.
        f'<div class="scroll" tabindex="0" role="region" aria-labelledby="{quote(table.name)}-caption">'
        f'<table id="{quote(table.name)}" aria-labelledby="{quote(table.name)}-caption"{chosen}>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def _cell(table: Table, row: int, column: int, value: Value, numeric: bool) -> str:
    text = quote(table.text(row, column))
    film = table.films[row] if table.films and not column else None
    if film:
        text = f'<a class="film" href="{quote(film)}">{text}</a>'
    exact = f' data-v="{value!r}"' if isinstance(value, float) else ""
    return f"<td{_class(numeric)}{exact}>{text}</td>"


def _class(numeric: bool) -> str:
    return ' class="n"' if numeric else ""


def _meaning(text: str) -> str:
    return f' title="{quote(text)}"' if text else ""
