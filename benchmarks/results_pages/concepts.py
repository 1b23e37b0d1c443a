"""The few figures of the concept pages, from `benchmarks/studies/presence_table.json`."""

from __future__ import annotations

from typing import Any, Dict, Mapping

from pvtpp_benchmarks.results_pages.blocks import Block, Lines, from_json, percent, table, three

SOURCE = "benchmarks/studies/presence_table.json"
TIMES = ("20 ms", "47 ms", "85 ms", "165 ms")
Content = Mapping[str, Any]


def latency(content: Content) -> Lines:
    """Mean AUC offline, and online as if the tracker took a given time: without prediction and in the default."""
    runs = content["as they are"]["runs"]
    named = (("`hold`: no prediction", "hold"), ("pvtpp's default", "on"))
    rows = [[label, *(three(runs[f"{time} {name}"]["auc"]) for time in TIMES)] for label, name in named]
    heads = [f"AUC, {len(runs['zero latency']['clips'])} clips; offline {three(runs['zero latency']['auc'])}", *TIMES]
    return table(heads, rows)


def lost(content: Content) -> Lines:
    """How right and how complete LOST is, with drawn obstacles."""
    runs = content["occluders"]["runs"]
    found = [runs[f"{time} on"]["losses"] for time in TIMES]
    rows = [
        [
            "precision of LOST: right, of those said",
            *(f"{percent(each['precision'])} %" for each in found),
        ],
        ["recall of LOST: said, of those lost", *(f"{percent(each['recall'])} %" for each in found)],
    ]
    return table(["a frame of the tracker takes", *TIMES], rows)


BLOCKS: Dict[str, Block] = {f"concepts.{make.__name__}": from_json(SOURCE, make) for make in (latency, lost)}
