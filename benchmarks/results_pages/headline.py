"""The headline: what waiting costs and what the default keeps, over all test clips."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Sequence

import numpy as np

from pvtpp.files import read_json
from pvtpp_benchmarks.bootstrap import ratio_interval
from pvtpp_benchmarks.metrics import SIGMAS
from pvtpp_benchmarks.report.charts import Axis, Series, linear, lines, steps
from pvtpp_benchmarks.report.drawing import Drawing, composed
from pvtpp_benchmarks.report.styles import style
from pvtpp_benchmarks.report.svg import document
from pvtpp_benchmarks.results_pages.blocks import (
    Block,
    Lines,
    bullet,
    from_json,
    interval,
    percent,
    shown,
    signed,
    table,
    three,
)
from pvtpp_benchmarks.studies.presence_table import difference
from pvtpp_benchmarks.studies.propagation_table import GROUPS
from pvtpp_benchmarks.studies.tracker_table import PVT, compared

PRESENCE = "benchmarks/studies/presence_table.json"
TRACKERS = "benchmarks/studies/tracker_table.json"
PROPAGATION = ("benchmarks/studies/propagation_table.json", "benchmarks/studies/propagation_apart.json")
TEN_FPS = (*GROUPS["10fps"], *GROUPS["truck2"])
"""Clips of a 10 fps camera in a 30 fps world; the others have 30 fps."""
ZERO, PLAIN = "zero latency", "as they are"
SLOW = "85ms"
"""The processing time of the first and the last bullet."""
CURVES = {
    ZERO: "zero latency",
    "propagation+ensemble@predicted": "the default, presence off",
    "propagation+hold": "propagation alone",
    "motion": "a learned predictor alone (motion)",
    "kalman:pvt@predicted": "PVT",
    "hold": "waiting (hold)",
}
"""Rows of the tables of propagation that are drawn, and what they are called."""


class Kept(NamedTuple):
    """The share of the zero-latency AUC that a method keeps, and its 95 % interval."""

    share: float
    ends: Sequence[float]

    def text(self) -> str:
        """``101 % [97, 105]``."""
        low, high = (percent(each) for each in self.ends)
        return f"{percent(self.share)} % [{low}, {high}]"


def run_name(time: str, kind: str) -> str:
    """Name of a setting in the table of presence."""
    return f"{time[:-2]} ms {kind}"


def kept(runs: Mapping[str, Any], time: str, kind: str) -> Kept:
    """What one setting keeps, over all clips."""
    zero, clips = runs[ZERO]["clips"], runs[run_name(time, kind)]["clips"]
    values = [[each[clip] for clip in zero] for each in (clips, zero)]
    return Kept(sum(values[0]) / sum(values[1]), ratio_interval(values[0], values[1], 0))


def lead(runs: Mapping[str, Any], time: str) -> Dict[str, Any]:
    """The default minus `hold`, paired by clips, and on how many clips it is ahead (``ahead``, of ``clips``)."""
    on, hold = (runs[run_name(time, kind)]["clips"] for kind in ("on", "hold"))
    ahead = sum(on[clip] > hold[clip] for clip in on)
    return {**difference(on, hold), "ahead": ahead, "clips": len(on)}


def bullets(root: Path) -> Lines:
    """Three sentences with figures, for those who read nothing else."""
    content = read_json(str(root / PRESENCE))
    runs, times = content[PLAIN]["runs"], content["settings"]["times"]
    over_pvt = compared(read_json(str(root / TRACKERS))["trackers"][content["settings"]["tracker"]], SLOW)[PVT]
    waiting, gain = kept(runs, SLOW, "hold"), lead(runs, SLOW)
    keeps = [f"{kept(runs, time, 'on').text()} at {shown(time)}" for time in times]
    return [
        *bullet(
            f"**What waiting costs.** A tracker takes {shown(SLOW)} for a frame, and its last box stands until the "
            f"next one comes. Its overlap with the target (AUC) is {three(runs[run_name(SLOW, 'hold')]['auc'])}, where "
            f"the same tracker without latency has {three(runs[ZERO]['auc'])}. So waiting keeps {waiting.text()} of it."
        ),
        *bullet(
            "**What pvtpp keeps.** With propagation, prediction and presence, which are on by default, the same "
            f"tracker keeps {', '.join(keeps[:-1])} and {keeps[-1]} a frame."
        ),
        *bullet(
            f"**How sure that is.** At {shown(SLOW)} the default is ahead of waiting by {three(gain['mean'])} "
            f"{interval(gain['interval'])} AUC, and on {gain['ahead']} of {gain['clips']} clips. It is ahead of PVT, "
            f"predictive tracking as it was published, by {three(over_pvt['mean'])} {interval(over_pvt['interval'])}. "
            "In brackets: 95 % intervals."
        ),
    ]


def means(root: Path) -> Lines:
    """Waiting, the default, and the differences, by processing time."""
    content = read_json(str(root / PRESENCE))
    runs = content[PLAIN]["runs"]
    entry = read_json(str(root / TRACKERS))["trackers"][content["settings"]["tracker"]]
    rows = []
    for time in content["settings"]["times"]:
        gain = lead(runs, time)
        by = [f"{three(runs[run_name(time, kind)]['auc'])}: {kept(runs, time, kind).text()}" for kind in ("hold", "on")]
        pvt = compared(entry, time)[PVT] if time in entry["times"] else None
        apart = [f"{signed(each['mean'])} {interval(each['interval'])}" if each else "not run" for each in (gain, pvt)]
        rows.append([shown(time), *by, apart[0], f"{gain['ahead']} of {gain['clips']}", apart[1]])
    heads = ["time a frame", "waiting: kept", "default: kept", "default - waiting", "clips ahead", "default - PVT"]
    return [f"Zero latency: {three(runs[ZERO]['auc'])} AUC.", "", *table(heads, rows)]


def clips(content: Mapping[str, Any]) -> Lines:
    """Waiting and the default on every clip."""
    runs, times = content[PLAIN]["runs"], content["settings"]["times"]
    rows = []
    for clip, zero in runs[ZERO]["clips"].items():
        cells = [
            " / ".join(three(runs[run_name(time, kind)]["clips"][clip]) for kind in ("hold", "on")) for time in times
        ]
        rows.append([clip, three(zero), *cells])
    return table(["clip", ZERO, *map(shown, times)], rows)


def rates(content: Mapping[str, Any]) -> Lines:
    """Waiting and the default by camera rate."""
    runs, times = content[PLAIN]["runs"], content["settings"]["times"]
    every = runs[ZERO]["clips"]
    rows = []
    for fps, these in (("30", [clip for clip in every if clip not in TEN_FPS]), ("10", list(TEN_FPS))):
        cells = []
        for name in (ZERO, *(run_name(time, kind) for time in times for kind in ("hold", "on"))):
            cells.append(three(sum(runs[name]["clips"][clip] for clip in these) / len(these)))
        pairs = [f"{hold} / {on}" for hold, on in zip(cells[1::2], cells[2::2])]
        rows.append([f"{fps} fps, {len(these)} clips", cells[0], *pairs])
    return table(["camera", ZERO, *map(shown, times)], rows)


def curve(contents: Sequence[Mapping[str, Any]], tracker: str, time: str, row: str) -> List[float]:
    """AUC over permitted latency of one row, mean over the clips of all files.

    Parameters
    ----------
    contents
        Files of `pvtpp_benchmarks.studies.propagation_table`; no clip is in two of them.
    """
    total, count = np.zeros(1), 0
    for content in contents:
        for cell in content["cells"]:
            if (cell["tracker"], cell["processing"]) != (tracker, time):
                continue
            number, found = len(content["groups"][cell["group"]]), cell["rows"][row]
            total = total + number * np.array([found["auc"]] * len(found["curve"]) if row == ZERO else found["curve"])
            count += number
    return (total / count).tolist()


def drawn(root: Path) -> str:
    """AUC over permitted latency over all clips, a panel for each processing time."""
    contents = [read_json(str(root / path)) for path in PROPAGATION]
    tracker = contents[0]["cells"][0]["tracker"]
    times = list(dict.fromkeys(cell["processing"] for cell in contents[0]["cells"] if cell["tracker"] == tracker))
    x = Axis("permitted latency σ (world frames)", 0.0, 1.0, (0.0, 0.25, 0.5, 0.75, 1.0))
    y = linear("AUC", [], low=0.3, high=0.75)
    panels: List[Drawing] = []
    for time in times:
        series = []
        for number, (row, label) in enumerate(CURVES.items()):
            values = curve(contents, tracker, time, row)
            series.append(Series(label, *steps(SIGMAS.tolist(), values), style(number)))
        said = "; ".join(f"{each.label} {each.y[0]:.3f} to {each.y[-1]:.3f}" for each in series)
        panels.append(lines(f"{tracker}, {shown(time)} a frame", x, y, series, f"{time}: {said}"))
    legend = [(label, style(number)) for number, label in enumerate(CURVES.values())]
    said = "AUC over permitted latency, twelve clips: " + " | ".join(panel.label for panel in panels)
    return document(composed(panels, 2, legend, False, said))


BLOCKS: Dict[str, Block] = {
    "headline.bullets": bullets,
    "headline.means": means,
    "headline.rates": from_json(PRESENCE, rates),
    "headline.clips": from_json(PRESENCE, clips),
}
PICTURES: Dict[str, Callable[[Path], str]] = {"docs/figures/elae.svg": drawn}
