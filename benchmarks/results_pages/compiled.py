"""What NVIDIA's compiler makes of every graph, from `benchmarks/studies/compile_table.json`."""

from __future__ import annotations

import textwrap
from typing import Any, Dict, List

from pvtpp_benchmarks.results_pages.blocks import Block, Content, Lines, from_json, table
from pvtpp_benchmarks.studies.compile_table import FORMS, TURING, said


def compiled(content: Content) -> Lines:
    """Every network in every form and precision: its layers and bytes, or the compiler's words."""
    rows: List[Dict[str, Any]] = content["rows"]
    newer = ", ".join(content["targets"]["modern"])
    heads = ["network", "precision", "graphs", "grouped", "unrolled", f"for {TURING}", "run"]
    cells_of = []
    for name, precision in dict.fromkeys((row["network"], row["precision"]) for row in rows):
        these = [row for row in rows if (row["network"], row["precision"]) == (name, precision)]
        cells = [said([row for row in these if row["form"] in (form, None)]) for form in FORMS]
        if all(row["form"] is None for row in these):
            cells[1] = "the same"
        graphs = dict.fromkeys(row["graph"] for row in these)
        older = "no" if any("refused" in row["turing"] for row in these) else "yes"
        cells_of.append([name, precision, ", ".join(graphs), *cells, older, "unrun"])
    return [
        f"{content['library']} {content['version']} for {newer}: layers of the network and MB of the engine, all",
        "graphs together.",
        "",
        *table(heads, cells_of),
        "",
        *_words(rows),
    ]


def _words(rows: List[Dict[str, Any]]) -> List[str]:
    """The compiler's own words for what it refused, each once."""
    found: Dict[str, int] = {}
    for row in rows:
        for target in ("modern", "turing"):
            if "refused" in row[target]:
                reason = row[target]["refused"].partition(" cannot ")[2]
                # Which operation differs from graph to graph.
                before, _, after = reason.partition("operation '")
                reason = f"{before}operation '..'{after.partition(chr(39))[2]}" if after else reason
                found[reason] = found.get(reason, 0) + 1
    if not found:
        return ["No graph was refused."]
    lines = ["The compiler's own words for what it refused:", "", "```text"]
    for reason, count in found.items():
        lines += _wrapped(f"{count} graphs: cannot {reason}")
    return [*lines, "```"]


def _wrapped(text: str, width: int = 118) -> List[str]:
    return textwrap.wrap(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


BLOCKS: Dict[str, Block] = {"compiled.networks": from_json("benchmarks/studies/compile_table.json", compiled)}
