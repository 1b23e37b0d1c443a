"""The few figures of the concept pages, from `benchmarks/studies/presence_table.json`."""

from __future__ import annotations

from typing import Dict

from pvtpp_benchmarks.results_pages.blocks import Block, Content, Lines, from_json, percent, shown, table, three
from pvtpp_benchmarks.results_pages.headline import PLAIN, PRESENCE, ZERO, run_name
from pvtpp_benchmarks.results_pages.presence import OCCLUDED


def latency(content: Content) -> Lines:
    """Mean AUC offline, and online as if the tracker took a given time: without prediction and in the default."""
    runs, times = content[PLAIN]["runs"], content["settings"]["times"]
    named = (("`hold`: no prediction", "hold"), ("pvtpp's default", "on"))
    rows = [[label, *(three(runs[run_name(time, name)]["auc"]) for time in times)] for label, name in named]
    head = f"AUC, {len(runs[ZERO]['clips'])} clips; offline {three(runs[ZERO]['auc'])}"
    return table([head, *map(shown, times)], rows)


def lost(content: Content) -> Lines:
    """How right and how complete LOST is, with drawn obstacles."""
    runs, times = content[OCCLUDED]["runs"], content["settings"]["times"]
    found = [runs[run_name(time, "on")]["losses"] for time in times]
    rows = [
        [
            "precision of LOST: right, of those said",
            *(f"{percent(each['precision'])} %" for each in found),
        ],
        ["recall of LOST: said, of those lost", *(f"{percent(each['recall'])} %" for each in found)],
    ]
    return table(["a frame of the tracker takes", *map(shown, times)], rows)


BLOCKS: Dict[str, Block] = {f"concepts.{make.__name__}": from_json(PRESENCE, make) for make in (latency, lost)}
