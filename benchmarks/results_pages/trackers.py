"""Every tracker in the default configuration, from `benchmarks/studies/tracker_table.json`."""

from __future__ import annotations

from typing import Any, Dict

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
from pvtpp_benchmarks.studies.tracker_table import (
    HOLD,
    LABELS,
    PREDICTORS,
    PVT,
    TIMES,
    TRACKERS,
    ZERO,
    compared,
    reaches,
)

SOURCE = "benchmarks/studies/tracker_table.json"


def _trackers(content: Content) -> Dict[str, Any]:
    return {name: content["trackers"][name] for name in TRACKERS if name in content["trackers"]}


def machines(content: Content) -> Lines:
    """The processors that the runs were made on: times of trackers are given, so they change no score."""
    found = sorted({entry["protocol"]["hardware"]["machine"] for entry in _trackers(content).values()})
    return [f"Hardware: {', '.join(found)}."]


def summary(content: Content) -> Lines:
    """Mean AUC of each tracker, by time and predictor."""
    rows = []
    for name, entry in _trackers(content).items():
        means = [
            " ".join(three(entry["times"][time][predictor]["auc"]) for predictor in PREDICTORS)
            if time in entry["times"]
            else "not run"
            for time in (entry["own"], *TIMES)
        ]
        rows.append([f"`{name}`", three(entry[ZERO]["auc"]), f"{shown(entry['own'])}: {means[0]}", *means[1:]])
    return table(["tracker", ZERO, "own time", *map(shown, TIMES)], rows)


def leads(content: Content) -> Lines:
    """The default's leads with their intervals, and the share of zero latency that it keeps."""
    rows = []
    for name, entry in _trackers(content).items():
        for time in TIMES:
            found = compared(entry, time)
            by = [f"{signed(found[other]['mean'])} {interval(found[other]['interval'])}" for other in (HOLD, PVT)]
            clip, worst = found[HOLD]["worst"]
            rows.append([f"`{name}`", shown(time), *by, f"{clip} {signed(worst)}", f"{percent(found['kept'], 1)} %"])
    return table(["tracker", "time", "default - hold", "default - PVT", "worst clip against hold", "kept"], rows)


def bar(content: Content) -> Lines:
    """A line for each tracker: whether it reaches the bar, and if not, what it misses."""
    lines = []
    for name, entry in _trackers(content).items():
        missed = reaches(entry)
        lines.append(f"* `{name}` " + (f"misses it: {', '.join(missed)}." if missed else "reaches it."))
    return lines


def clips(content: Content) -> Lines:
    """Each tracker on each clip."""
    lines: Lines = []
    for name, entry in _trackers(content).items():
        rows = []
        for clip, zero in entry[ZERO]["clips"].items():
            cells = [entry["times"][time] for time in TIMES]
            by = [" / ".join(three(cell[predictor]["clips"][clip]) for cell in cells) for predictor in PREDICTORS]
            rows.append([clip, three(zero), *by])
        lines += [f"### {name}", "", *table(["clip", ZERO, *LABELS.values()], rows), ""]
    return lines


BLOCKS: Dict[str, Block] = {
    f"trackers.{make.__name__}": from_json(SOURCE, make) for make in (machines, summary, leads, bar, clips)
}
