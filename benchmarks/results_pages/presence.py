"""Presence on and off, from the table of presence and the courses of single clips."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, Mapping, Sequence

import numpy as np

from pvtpp.files import read_json
from pvtpp_benchmarks.outages import stretches
from pvtpp_benchmarks.report.charts import Series, linear, lines, steps
from pvtpp_benchmarks.report.drawing import composed
from pvtpp_benchmarks.report.styles import Style, style
from pvtpp_benchmarks.report.svg import document
from pvtpp_benchmarks.results_pages.blocks import (
    Block,
    Content,
    Lines,
    from_json,
    interval,
    percent,
    shown,
    signed,
    table,
    three,
)
from pvtpp_benchmarks.results_pages.headline import PLAIN, PRESENCE, ZERO, kept, run_name

COURSES = "benchmarks/studies/presence_clips.json"
OCCLUDED = "occluders"
SETS = {PLAIN: "as they are", OCCLUDED: "with occluders"}
KINDS = {"hold": "hold", "off": "presence off", "on": "**presence on**"}
LOOKS: Dict[str, Style] = {
    "presence off": style(0),
    "presence on": style(2),
    "probability": Style(6, (1.2, 1.2), "", 1),
}


def auc(content: Content) -> Lines:
    """AUC with presence on and off, and the paired difference."""
    times, rows = content["settings"]["times"], []
    for name, label in SETS.items():
        runs, compared = content[name]["runs"], content[name]["compared"]
        first = f"{label}, {ZERO} {three(runs[ZERO]['auc'])}"
        for kind, title in KINDS.items():
            cells = [three(runs[run_name(time, kind)]["auc"]) for time in times]
            # Behind occluders zero latency is no bound: without presence the tracker loses its target there as well.
            if name == PLAIN:
                cells = [f"{cell} ({percent(kept(runs, time, kind).share, 1)})" for cell, time in zip(cells, times)]
            rows.append([first, title, *cells])
            first = ""
        apart = [compared[time]["on - off"] for time in times]
        rows.append(["", "on - off", *(f"{signed(each['mean'])} {interval(each['interval'])}" for each in apart)])
    return table(["clips", "", *map(shown, times)], rows)


def ends(content: Content) -> Lines:
    """The clips on which presence costs and gives most."""
    rows = []
    for name, label in SETS.items():
        for time, found in content[name]["compared"].items():
            cells = [f"{clip} {signed(value)}" for clip, value in (found["on - off"][end] for end in ("worst", "best"))]
            rows.append([label, shown(time), *cells])
    return table(["clips", "time", "on - off, worst clip", "on - off, best clip"], rows)


def _found(runs: Sequence[Mapping[str, Any]]) -> str:
    """Returns that were found within a second and at all, of all returns, over all camera rates."""
    returns = sum(each["returns"] for each in runs)
    soon = sum(round((each["found_in_1_s"] or 0.0) * each["returns"]) for each in runs)
    return f"{soon} / {sum(each['found'] for each in runs)} / {returns}"


def returns(content: Content) -> Lines:
    """Targets that come out from behind an occluder."""
    times, runs = content["settings"]["times"], content[OCCLUDED]["runs"]
    rows = [
        [title, *(_found(runs[run_name(time, kind)]["outages"]) for time in times)] for kind, title in KINDS.items()
    ]
    return table(["found in 1 s / found / returns", *map(shown, times)], rows)


def lost(content: Content) -> Lines:
    """Precision and recall of LOST."""
    rows = []
    for name, label in SETS.items():
        for time in content["settings"]["times"]:
            found = content[name]["runs"][run_name(time, "on")]["losses"]
            shares = [found[key] for key in ("precision", "recall", "precision_in_time", "recall_in_time")]
            rows.append(
                [
                    label,
                    shown(time),
                    *(f"{share:.2f}".replace("0.", ".", 1) for share in shares),
                    str(found["lost"]),
                    str(found["said"]),
                ]
            )
    heads = ["clips", "time", "precision", "recall", "precision in time", "recall in time", "frames lost", "said"]
    return table(heads, rows)


def drawn(root: Path) -> str:
    """The overlap over time on single clips, presence on and off."""
    content = read_json(str(root / COURSES))
    y, panels = linear("overlap", [0.0, 1.0], low=0.0, high=1.0), []
    for name, one in content["clips"].items():
        fps, overlap = one["world_fps"], one["overlap"]
        seconds = [index / fps for index in range(len(overlap["on"]))]
        # Truth does not depend on the setting.
        shows = np.array([value is not None for value in overlap["on"]])
        x = linear("seconds", seconds, low=0.0, high=seconds[-1])
        series = []
        for setting in ("off", "on"):
            for begin, end in zip(*stretches(shows)):
                label = f"presence {setting}"
                series.append(Series(label, seconds[begin:end], overlap[setting][begin:end], LOOKS[label]))
        changes = [*one["presence"], [seconds[-1], one["presence"][-1][1]]]
        series.append(Series("probability", *steps(*zip(*changes)), LOOKS["probability"]))
        hidden = [(begin / fps, min(end / fps, seconds[-1])) for begin, end in zip(*stretches(~shows))]
        heading = f"{name}, {shown(content['settings']['time'])} a frame"
        panels.append(lines(heading, x, y, series, name, shaded=hidden, size=(740.0, 200.0)))
    legend = list(LOOKS.items())
    said = "Overlap with the truth over time, presence on and off: " + ", ".join(content["clips"])
    return document(composed(panels, 1, legend, False, said))


BLOCKS: Dict[str, Block] = {
    f"presence.{make.__name__}": from_json(PRESENCE, make) for make in (auc, ends, returns, lost)
}
PICTURES: Dict[str, Callable[[Path], str]] = {"docs/figures/presence_clips.svg": drawn}
