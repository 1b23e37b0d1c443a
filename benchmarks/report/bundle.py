"""The folder of a report: the page, the rows it is made of, and a file of every format for each of its parts."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from typing import Callable, Dict, Iterator, List, Sequence, Set

from pvtpp.errors import InputError
from pvtpp.files import create_folder, whole_file
from pvtpp_benchmarks.report import pdf, svg
from pvtpp_benchmarks.report.curves import check_plot
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.report.formats import to_csv, to_latex
from pvtpp_benchmarks.report.groups import Report
from pvtpp_benchmarks.report.page import FILES, GENERATOR, page
from pvtpp_benchmarks.report.parts import Block, Figure, Pairs, Part, Table
from pvtpp_benchmarks.report.sections import parts

PAGE, ROWS = "index.html", "results.json"
_ENDINGS = (".csv", ".tex", ".svg", ".pdf")


def check_folder(out: str) -> None:
    """Check before the work that a report can be written into the folder `out`, which is created.

    Raises
    ------
    InputError
        Where it cannot, and where the folder holds a page that is no report.
    """
    create_folder(out, f"--out {out}")
    check_writable(os.path.join(out, PAGE))
    path = os.path.join(out, PAGE)
    if os.path.exists(path) and not _is_report(path):
        raise InputError(f"--out {out}: its {PAGE} is not of `pvtpp report`, and would be lost; give another folder")


def write_report(out: str, report: Report, warn: Callable[[str], None]) -> List[str]:
    """Write the report; the page comes last, and files of an earlier report that are not in this one are removed.

    Parameters
    ----------
    out
        The folder.
    report
        What it is of.
    warn
        Called with a line where a format is left out.

    Returns
    -------
    list of str
        The files, from `out`.

    Raises
    ------
    InputError
        For a file that cannot be written.
    """
    made = _named_once(parts(report))
    figures = ["svg", "pdf"]
    try:
        check_plot(os.path.join(out, "figures.pdf"))
    except InputError as error:
        figures = ["svg"]
        warn(f"no PDF of the figures: {error}")
    create_folder(os.path.join(out, FILES))
    written = [path for part in made for block in part.blocks for path in _write(out, block, figures)]
    _remove_others(os.path.join(out, FILES), {os.path.basename(path) for path in written})
    write_json(os.path.join(out, ROWS), _content(report))
    text = page(report.title, _subtitle(report), made, (("csv", "tex"), tuple(figures)))
    _write_text(os.path.join(out, PAGE), text)
    return [PAGE, ROWS, *written]


def _content(report: Report) -> Dict[str, object]:
    rows = [row for source in report.sources for row in source.rows]
    protocol = dict(report.sources[0].protocol)
    if len(report.sources) > 1:
        protocol = {"parts": {source.name: dict(source.protocol) for source in report.sources}}
    return {"protocol": protocol, "rows": rows}


def _subtitle(report: Report) -> str:
    trackers = list(dict.fromkeys(name for group in report.groups for name in group.trackers))
    datasets = list(dict.fromkeys(group.dataset for group in report.groups))
    clips = {(group.dataset, clip) for group in report.groups for panel in group.panels for clip in panel.clips}
    listed = ", ".join(trackers) if len(trackers) <= 6 else f"{len(trackers)} trackers"
    return f"{listed} on {', '.join(datasets)}; {len(clips)} sequences; from {_sources(report)}"


def _sources(report: Report) -> str:
    names = [source.name for source in report.sources]
    return ", ".join(names) if len(names) <= 4 else f"{len(names)} results"


def _named_once(made: Sequence[Part]) -> List[Part]:
    """The parts, with a number added to the name of a block that another has already."""
    used: Set[str] = set()

    def named(block: Block) -> Block:
        if not isinstance(block, (Table, Figure, Pairs)):
            return block
        name, number = block.name, 1
        while name in used:
            number += 1
            name = f"{block.name}-{number}"
        used.add(name)
        return replace(block, name=name)

    return [replace(part, blocks=tuple(named(block) for block in part.blocks)) for part in made]


def _write(out: str, block: Block, figures: Sequence[str]) -> Iterator[str]:
    if isinstance(block, Pairs):
        block = block.table()
    if isinstance(block, Table):
        for ending, text in (("csv", to_csv(block)), ("tex", to_latex(block))):
            path = f"{FILES}/{block.name}.{ending}"
            _write_text(os.path.join(out, path), text)
            yield path
    elif isinstance(block, Figure):
        drawing = block.drawing()
        for ending in figures:
            path = f"{FILES}/{block.name}.{ending}"
            if ending == "pdf":
                pdf.write(os.path.join(out, path), drawing)
            else:
                _write_text(os.path.join(out, path), svg.document(drawing))
            yield path


def _write_text(path: str, text: str) -> None:
    with whole_file(path) as part, open(part, "w", encoding="utf-8", newline="") as file:
        file.write(text)


def _is_report(path: str) -> bool:
    with open(path, "rb") as file:
        return f'content="{GENERATOR}"'.encode() in file.read(4096)


def _remove_others(folder: str, kept: Set[str]) -> None:
    for name in os.listdir(folder):
        if name.endswith(_ENDINGS) and name not in kept:
            with suppress(OSError):
                os.remove(os.path.join(folder, name))
