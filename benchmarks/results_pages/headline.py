"""The headline: what latency costs and what the default keeps, over all test clips."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Sequence

from pvtpp.files import read_json
from pvtpp_benchmarks.bootstrap import ratio_interval
from pvtpp_benchmarks.metrics import SIGMAS
from pvtpp_benchmarks.report.charts import Axis, Series, linear, lines, steps
from pvtpp_benchmarks.report.drawing import Drawing, composed
from pvtpp_benchmarks.report.styles import style
from pvtpp_benchmarks.report.svg import document
from pvtpp_benchmarks.results_pages.blocks import (
    Block,
    Content,
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

PRESENCE = "benchmarks/studies/presence_table.json"
TEN_FPS = (*GROUPS["10fps"], *GROUPS["truck2"])
"""Clips of a 10 fps camera in a 30 fps world; the others have 30 fps."""
CHANCE = (*GROUPS["S0601"], *GROUPS["truck2"])
"""Clips with two like targets: half a pixel in the first box decides which of them is followed."""
ZERO, PLAIN = "zero latency", "as they are"
SLOW = "85ms"
"""The processing time of the first and the last bullet."""
CURVES = {"on": "the default", "off": "the default, presence off", "pvt": "PVT", "hold": "hold (no prediction)"}
"""Kinds of runs that are drawn beside zero latency, and what they are called."""


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


def kept(runs: Mapping[str, Any], time: str, kind: str, without: Sequence[str] = ()) -> Kept:
    """What one setting keeps, over all clips but those that are left out."""
    zero, clips = runs[ZERO]["clips"], runs[run_name(time, kind)]["clips"]
    values = [[each[clip] for clip in zero if clip not in without] for each in (clips, zero)]
    return Kept(sum(values[0]) / sum(values[1]), ratio_interval(values[0], values[1], 0))


def lead(runs: Mapping[str, Any], time: str, over: str) -> Dict[str, Any]:
    """The default minus another kind, paired by clips, and on how many clips it is ahead (``ahead``, of ``clips``)."""
    on, other = (runs[run_name(time, kind)]["clips"] for kind in ("on", over))
    ahead = sum(on[clip] > other[clip] for clip in on)
    return {**difference(on, other), "ahead": ahead, "clips": len(on)}


def bullets(content: Content) -> Lines:
    """Three sentences with figures, for those who read nothing else."""
    runs, times = content[PLAIN]["runs"], content["settings"]["times"]
    stale, gain, over_pvt = kept(runs, SLOW, "hold"), lead(runs, SLOW, "hold"), lead(runs, SLOW, "pvt")
    keeps = [f"{kept(runs, time, 'on').text()} at {shown(time)}" for time in times]
    firm = [percent(kept(runs, time, "on", CHANCE).share) for time in times]
    return [
        *bullet(
            f"**What latency costs.** A tracker takes {shown(SLOW)} for a frame, and its last box stands until the "
            "next one comes: `hold`. Its overlap with the target (AUC, the area under the success curve) is "
            f"{three(runs[run_name(SLOW, 'hold')]['auc'])}, where the same tracker without latency has "
            f"{three(runs[ZERO]['auc'])}. So {stale.text()} are kept (in brackets: the 95 % interval; a "
            "part of the loss is that half of the clips have a camera of 10 fps)."
        ),
        *bullet(
            f"**What pvtpp keeps.** By default the same tracker keeps {', '.join(keeps[:-1])} and {keeps[-1]} a frame. "
            f"Without {' and '.join(CHANCE)}, two clips that half a pixel in the first box decides, these are "
            f"{', '.join(firm[:-1])} and {firm[-1]} %."
        ),
        *bullet(
            f"**How sure that is.** At {shown(SLOW)} the default is ahead of `hold` by {three(gain['mean'])} "
            f"{interval(gain['interval'])} AUC, and on {gain['ahead']} of {gain['clips']} clips. It is ahead of PVT, a "
            "Kalman filter after the tracker that also says where to search, by "
            f"{three(over_pvt['mean'])} {interval(over_pvt['interval'])}."
        ),
    ]


def means(content: Content) -> Lines:
    """`hold`, PVT and the default, and below them the differences, by processing time."""
    runs, times = content[PLAIN]["runs"], content["settings"]["times"]
    count = len(runs[ZERO]["clips"])
    shares, leads = [], []
    for time in times:
        kinds, gains = ("hold", "pvt", "on"), [lead(runs, time, over) for over in ("hold", "pvt")]
        by = [f"{three(runs[run_name(time, kind)]['auc'])}: {kept(runs, time, kind).text()}" for kind in kinds]
        shares.append([shown(time), *by])
        leads.append(
            [shown(time), *(f"{signed(g['mean'])} {interval(g['interval'])}, {g['ahead']} of {count}" for g in gains)]
        )
    return [
        f"AUC, and how much of the {three(runs[ZERO]['auc'])} of zero latency is kept:",
        "",
        *table(["time a frame", "`hold`", "PVT", "the default"], shares),
        "",
        "The default minus the others, and on how many clips it is ahead:",
        "",
        *table(["time a frame", "minus `hold`", "minus PVT"], leads),
    ]


def clips(content: Content) -> Lines:
    """`hold` and the default on every clip."""
    runs, times = content[PLAIN]["runs"], content["settings"]["times"]
    rows = []
    for clip, zero in runs[ZERO]["clips"].items():
        cells = [
            " / ".join(three(runs[run_name(time, kind)]["clips"][clip]) for kind in ("hold", "on")) for time in times
        ]
        rows.append([clip, three(zero), *cells])
    return table(["clip", ZERO, *map(shown, times)], rows)


def rates(content: Content) -> Lines:
    """`hold` and the default by camera rate, and without the clips that chance decides."""
    runs, times = content[PLAIN]["runs"], content["settings"]["times"]
    every = runs[ZERO]["clips"]
    rows = []
    parts = {
        "camera of 30 fps": [clip for clip in every if clip not in TEN_FPS],
        "camera of 10 fps": list(TEN_FPS),
        f"without {' and '.join(CHANCE)}": [clip for clip in every if clip not in CHANCE],
    }
    for label, these in parts.items():
        cells = []
        for name in (ZERO, *(run_name(time, kind) for time in times for kind in ("hold", "on"))):
            cells.append(three(sum(runs[name]["clips"][clip] for clip in these) / len(these)))
        pairs = [f"{hold} / {on}" for hold, on in zip(cells[1::2], cells[2::2])]
        rows.append([f"{label}, {len(these)} clips", cells[0], *pairs])
    return table(["clips", ZERO, *map(shown, times)], rows)


def drawn(root: Path) -> str:
    """AUC over permitted latency over all clips, a panel for each processing time."""
    content = read_json(str(root / PRESENCE))
    tracker, runs = content["settings"]["tracker"], content[PLAIN]["runs"]
    x = Axis("permitted latency σ (world frames)", 0.0, 1.0, (0.0, 0.25, 0.5, 0.75, 1.0))
    y = linear("AUC", [], low=0.3, high=0.75)
    labels = {ZERO: "zero latency", **CURVES}
    panels: List[Drawing] = []
    for time in content["settings"]["times"]:
        values = {ZERO: [runs[ZERO]["auc"]] * len(SIGMAS)}
        values.update({kind: runs[run_name(time, kind)]["curve"] for kind in CURVES})
        series = [
            Series(labels[kind], *steps(SIGMAS.tolist(), curve), style(number))
            for number, (kind, curve) in enumerate(values.items())
        ]
        said = "; ".join(f"{each.label} {each.y[0]:.3f} to {each.y[-1]:.3f}" for each in series)
        panels.append(lines(f"{tracker}, {shown(time)} a frame", x, y, series, f"{time}: {said}"))
    legend = [(label, style(number)) for number, label in enumerate(labels.values())]
    count = len(runs[ZERO]["clips"])
    said = f"AUC over permitted latency, {count} clips: " + " | ".join(panel.label for panel in panels)
    return document(composed(panels, 2, legend, False, said))


BLOCKS: Dict[str, Block] = {
    "headline.bullets": from_json(PRESENCE, bullets),
    "headline.means": from_json(PRESENCE, means),
    "headline.rates": from_json(PRESENCE, rates),
    "headline.clips": from_json(PRESENCE, clips),
}
PICTURES: Dict[str, Callable[[Path], str]] = {"docs/figures/elae.svg": drawn}
