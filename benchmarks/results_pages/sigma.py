"""How much of the truth sigma's bounds hold, from `benchmarks/studies/sigma_calibration.json`."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple

from pvtpp_benchmarks.results_pages.blocks import Block, Content, Lines, from_json, paragraph, percent, shown, table

SOURCE = "benchmarks/studies/sigma_calibration.json"
TEST = "uav-mini/test"
GROUPS = ("centre", "size")
WEIGHTS = {
    "stated": "of what the predictor states",
    "least": "of the target's size",
    "disagreement": "of the difference between the tracker's steps and optical flow's",
    "doubt": "of the size, times how far the images do not support the flow",
    "drop": "of the size, times the fall of the score",
    "speed": "of the speed in the image, seconds",
}


def _pair(shares: Sequence[float]) -> str:
    return " / ".join(percent(share) for share in shares)


def _mean(rows: Sequence[Mapping[str, Sequence[float]]], group: str) -> List[float]:
    return [sum(row[group][bound] for row in rows) / len(rows) for bound in range(2)]


def _counted(content: Content) -> Iterator[Tuple[str, str, Mapping[str, Any]]]:
    """Names, data and figures of what was counted beside the fit."""
    for name, figures in content["counted"].items():
        tracker, _, data = name.partition(", ")
        yield tracker, data, figures


def _test(content: Content) -> Mapping[str, Any]:
    return next(figures for _, data, figures in _counted(content) if data == TEST)


def settings(content: Content) -> Lines:
    """How the runs were made."""
    said = content["settings"]
    centre, size = said["margins"]
    fitted = len(content["choosing"]["left out"]["all"]["clips"])
    return paragraph(
        f"Presence {said['presence']}, {said['starts']} starts in each clip; {fitted} clips to fit on; margins "
        f"{centre} for the centre and {size} for the size."
    )


def coverage(content: Content) -> Lines:
    """The truth within the 50 % and the 90 % bound, by processing time."""
    times, choosing, test = content["settings"]["times"], content["choosing"], _test(content)
    parts = {
        "fit, each clip with the weights of the others": choosing["left out"]["all"],
        "fit, IoU above .1": choosing["left out"]["followed"],
        f"`{TEST}`": test["as published"]["all"],
        f"`{TEST}`, IoU above .1": test["as published"]["followed"],
        f"`{TEST}`, what the predictor states": test["stated"]["all"],
    }
    rows = []
    for label, figures in parts.items():
        for group in GROUPS:
            cells = [_pair(figures["clips_mean"][time][group]) for time in times]
            rows.append([label if group == GROUPS[0] else "", group, *cells])
    return table(["clips", "", *map(shown, times)], rows)


def clips(content: Content) -> Lines:
    """Every test clip, mean over processing times."""
    test = _test(content)["as published"]
    rows = []
    for clip, figures in test["all"]["clips"].items():
        by_time = [row for time, row in figures.items() if time != "followed"]
        every = [_pair(_mean(by_time, group)) for group in GROUPS]
        near = [_pair(test["followed"]["clips"][clip][group]) for group in GROUPS]
        rows.append([clip, percent(figures["followed"]), *every, *near])
    heads = ["clip", "IoU above .1, %", "centre", "size", "centre, IoU above .1", "size, IoU above .1"]
    return table(heads, rows)


def others(content: Content) -> Lines:
    """Other trackers with the same weights, where the target is followed."""
    rows = []
    for tracker, data, figures in _counted(content):
        if data == TEST:
            continue
        row = [f"`{tracker}`, `{data}`"]
        for kind in ("as published", "stated"):
            by_time = list(figures[kind]["followed"]["clips_mean"].values())
            row += [_pair(_mean(by_time, group)) for group in GROUPS]
        rows.append(row)
    return table(["tracker", "centre", "size", "centre, what the predictor states", "size, what it states"], rows)


def weights(content: Content) -> Lines:
    """The weights in the code."""
    rows = [
        [f"`{name}`", text, *(f"{content['in the code'][group][name]:g}" for group in GROUPS)]
        for name, text in WEIGHTS.items()
    ]
    return table(["weight", "share", *GROUPS], rows)


BLOCKS: Dict[str, Block] = {
    f"sigma.{make.__name__}": from_json(SOURCE, make) for make in (settings, coverage, clips, others, weights)
}
