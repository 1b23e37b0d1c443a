"""A report as one HTML page that needs nothing else: no file, no network, and no script to be read."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from pathlib import Path
from typing import Callable, Dict, List, Sequence, Tuple, Type

from pvtpp_benchmarks.report import svg
from pvtpp_benchmarks.report.drawing import paint, sample
from pvtpp_benchmarks.report.formats import to_html
from pvtpp_benchmarks.report.parts import Block, Figure, Heading, Note, Pairs, Part, Subheading, Table

ASSETS = Path(__file__).parent / "assets"
GENERATOR = "pvtpp report"
"""Says in the page who made it."""
FILES = "parts"
"""The folder beside the page with the files of each part."""


Endings = Tuple[Tuple[str, ...], Tuple[str, ...]]


def page(title: str, subtitle: str, parts: Sequence[Part], endings: Endings) -> str:
    """Return the page.

    Parameters
    ----------
    title, subtitle
        At its head.
    parts
        In order.
    endings
        Of the files that there are of each table, and of each figure.
    """
    style, script = _style(), _asset("report.js")
    links = "".join(f'<li><a href="#{part.name}">{escape(part.title)}</a></li>' for part in parts)
    body = "".join(_part(part, endings) for part in parts)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(style, script)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="generator" content="{GENERATOR}">\n<title>{escape(title)}</title>\n'
        # An empty icon, so that no browser asks for one.
        f'<link rel="icon" href="data:,">\n<style>{style}</style>\n</head>\n<body>\n'
        f"<header><h1>{escape(title)}</h1><p>{escape(subtitle)}</p></header>\n"
        f'<nav aria-label="Parts"><ul>{links}</ul></nav>\n<main>\n{body}</main>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def _policy(style: str, script: str) -> str:
    """What the browser may do for this page: its own style and script, and videos beside it."""
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script)]
    rules = f"style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'"
    return f"default-src 'none'; {rules}; img-src data:; media-src 'self' file:; base-uri 'none'; form-action 'none'"


def _style() -> str:
    colours = "".join(f"--{name}:{paint(name)};" for name in svg.NAMES)
    return f":root{{{colours}}}{svg.rules(lambda name: f'var(--{name})')}\n{_asset('report.css')}"


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _part(part: Part, endings: Endings) -> str:
    blocks: List[str] = [_BLOCKS[type(block)](block, endings) for block in part.blocks]
    inside = "\n".join(blocks)
    return f'<section id="{part.name}">\n<h2>{escape(part.title)}</h2>\n{inside}\n</section>\n'


def _table(table: Table, endings: Endings) -> str:
    return f'<div class="table">{to_html(table)}{_files(table.name, endings[0])}</div>'


def _figure(figure: Figure, endings: Endings) -> str:
    panels = "".join(f'<div class="panel">{svg.inline(panel)}</div>' for panel in figure.panels)
    listed = "".join(
        f"<li>{svg.inline(sample(style, figure.marked))}{escape(label)}</li>" for label, style in figure.legend
    )
    legend = f'<ul class="legend">{listed}</ul>' if listed else ""
    return (
        f'<figure id="{figure.name}"><div class="panels of{figure.columns}">{panels}</div>{legend}'
        f"<figcaption>{escape(figure.caption)}</figcaption>{_files(figure.name, endings[1])}</figure>"
    )


def _files(name: str, endings: Sequence[str]) -> str:
    links = " ".join(
        f'<a href="{FILES}/{name}.{ending}" aria-label="{name} as {said}">{said}</a>'
        for ending in endings
        for said in ["LaTeX" if ending == "tex" else ending.upper()]
    )
    return f'<p class="files">{links}</p>' if links else ""


def _pairs(pairs: Pairs, endings: Endings) -> str:
    """Two choices and a small table; without a script it is the first pair."""
    first, second = pairs.chosen
    chosen = pairs.table()
    shown = [row for row in chosen.rows if row[1:3] == (pairs.methods[first], pairs.methods[second])]
    table = Table(
        f"{pairs.name}-shown",
        f"{pairs.methods[second]} minus {pairs.methods[first]}",
        (chosen.headings[0], Heading("difference", 4, True), *chosen.headings[4:]),
        tuple((row[0], *row[3:]) for row in shown),
    )
    rounded = {
        measure: [[None if value is None else round(value, 6) for value in row] for row in rows]
        for measure, rows in pairs.differences.items()
    }
    data = json.dumps({"methods": pairs.methods, "measures": rounded}, separators=(",", ":"))
    choices = [
        f"<label>{name} <select>{_options(pairs.methods, number)}</select></label>"
        for name, number in (("difference of", second), ("to", first))
    ]
    return (
        f'<div class="pairs" id="{pairs.name}"><div class="choices">{" ".join(choices)}</div>'
        f'<div aria-live="polite">{to_html(table)}</div>{_files(pairs.name, endings[0])}'
        # In JSON, as in a script, nothing may look like the end of the element.
        f'<script type="application/json">{data.replace("<", chr(92) + "u003c")}</script></div>'
    )


def _options(names: Sequence[str], chosen: int) -> str:
    return "".join(
        f'<option value="{number}"{" selected" if number == chosen else ""}>{escape(name)}</option>'
        for number, name in enumerate(names)
    )


def _note(note: Note, endings: Endings) -> str:
    return f"<p>{escape(note.text)}</p>"


def _subheading(heading: Subheading, endings: Endings) -> str:
    return f"<h3>{escape(heading.text)}</h3>"


_BLOCKS: Dict[Type[Block], Callable[..., str]] = {
    Table: _table,
    Figure: _figure,
    Pairs: _pairs,
    Note: _note,
    Subheading: _subheading,
}
