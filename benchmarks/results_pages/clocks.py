"""The simulated clock against the wall clock, what neither charges, and what scoring costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, Mapping

from pvtpp.files import read_json
from pvtpp_benchmarks.report.charts import Series, linear, points
from pvtpp_benchmarks.report.drawing import composed
from pvtpp_benchmarks.report.styles import style
from pvtpp_benchmarks.report.svg import document
from pvtpp_benchmarks.results_pages.blocks import Block, Content, Lines, from_json, paragraph, table, three

CLOCKS, HARNESS = "benchmarks/studies/sim_against_wall.json", "benchmarks/speed/harness.json"
SCORING, FILES = "benchmarks/speed/scoring.json", "benchmarks/speed/score_files.json"
EQUAL, FAR = 0.001, 0.03
"""Differences of the AUC of a run: what counts as none, and from where on its clip is named."""
NAMES = {"hold": "hold", "ensemble": "the default"}


def _four(value: float, sign: str = "") -> str:
    return f"{value:{sign}.4f}".replace("0.", ".", 1)


def means(content: Content) -> Lines:
    """Mean AUC on both clocks."""
    rows = []
    for each in sorted(content["means"], key=lambda each: each["ms"]):
        low, high = (_four(end, "+") for end in each["ci95"])
        rows.append(
            [
                f"{each['ms']:g}",
                NAMES[each["method"]],
                _four(each["wall"]),
                _four(each["simulated"]),
                f"{_four(each['difference'], '+')} [{low}, {high}]",
                three(each["largest"]),
            ]
        )
    return table(["ms a frame", "", "wall clock", "simulated", "difference", "largest of a clip"], rows)


def runs(content: Content) -> Lines:
    """How far single runs differ, and on which clips."""
    apart = [(abs(row["difference"]), row["clip"]) for row in content["rows"]]
    far = dict.fromkeys(clip for difference, clip in sorted(apart, reverse=True) if difference > FAR)
    mean = max(abs(each["difference"]) for each in content["means"])
    return [
        f"* The means differ by {three(mean)} at most.",
        f"* Of {len(apart)} runs {sum(difference < EQUAL for difference, _ in apart)} differ by less than "
        f"{three(EQUAL)}; the largest difference is {three(max(apart)[0])}.",
        f"* Runs that differ by more than {three(FAR)} are all of these clips: {', '.join(far)}.",
    ]


def conditions(content: Content) -> Lines:
    """What the machine did meanwhile."""
    rows = [(row["ms"], row["measured"]) for row in content["rows"]]
    loads = [load for _, each in rows for load in each["load"]]
    late = sorted(each["frames_late_ms"][1] for _, each in rows)
    above = [each["track_ms"][0] - ms for ms, each in rows]
    machine = content["protocol"]["hardware"]
    return paragraph(
        f"{machine['machine']}, {machine['cores']} cores, shared with other work: load average {min(loads):.0f} to "
        f"{max(loads):.0f}. Scheduling: {content['scheduling']}. In the median run 95 % of the frames were delivered "
        f"within {late[len(late) // 2]:.1f} ms, in the worst within {late[-1]:.1f} ms. The median of the tracker's "
        f"time was {min(above):.1f} to {max(above):.1f} ms above what was asked."
    )


def harness(content: Content) -> Lines:
    """What the simulator does not charge, microseconds for each frame."""
    by: Dict[str, Dict[str, Mapping[str, Any]]] = {}
    for row in content["rows"]:
        by.setdefault(row["predictor"], {})[row["clock"]] = row
    rows = []
    for name, both in by.items():
        run, live = both["simulated"], both["wall"]
        scoring = [f"{run[key]:.1f}" for key in ("score_us", "score_with_details_us")]
        after = f"{live['result_median_us']:.0f} (p95 {live['result_p95_us']:.0f})"
        rows.append([name, f"{run['run_us']:.0f}", *scoring, f"{live['run_us']:.0f}", after])
    heads = [
        "predictor",
        "simulated run",
        "scoring, curves",
        "scoring, whole row",
        "live, all threads",
        "a result after",
    ]
    loads = [load for row in content["rows"] for load in row.get("load", ())]
    machine = content["protocol"]["hardware"]["machine"]
    return [
        *table(heads, rows),
        "",
        f"{machine}, shared with other work: load average {min(loads):.0f} to {max(loads):.0f}.",
    ]


def scoring(content: Content) -> Lines:
    """Scoring against the published procedure."""
    labels = {
        "boxes_s": "boxes and their times in memory",
        "memory_s": "logs in memory",
        "memory_with_details_s": "logs in memory, the whole row",
        "disk_s": "logs on disk",
        "published_procedure_s": "the published procedure",
    }
    rows = [
        [label, f"{content['rows'][key]:.3f}", f"{content['times_faster_than_published'][key]:.0f}"]
        for key, label in labels.items()
    ]
    return [
        *table(["from", "seconds of the processor", "times faster than the published procedure"], rows),
        "",
        *paragraph(
            f"{content['sigmas']} permitted latencies, {content['sequences']} sequences of {content['data']}, one "
            f"tracker; one core of {content['protocol']['hardware']['machine']}. The values differ by "
            f"{content['largest_difference']:.0e} at most."
        ),
    ]


def files(content: Content) -> Lines:
    """Scoring a table of many trackers from their files."""
    sets, found = content["sets"], content["rows"]
    return paragraph(
        f"{content['trackers']} trackers, {len(sets)} data sets ({', '.join(sets)}) and {content['sigmas']} permitted "
        f"latencies, read from result files and scored in {content['processes']} processes: {found['wall_s']:.1f} s on "
        f"the wall clock, {found['cpu_s']:.1f} s of the processor."
    )


def drawn(root: Path) -> str:
    """AUC of each clip on the wall clock over that on the simulated one, a panel for each method."""
    content = read_json(str(root / CLOCKS))
    rows = content["rows"]
    times = sorted({row["ms"] for row in rows})
    looks = {ms: style(number) for number, ms in enumerate(times)}
    x, y = (linear(label, [0.0, 1.0], low=0.0, high=1.0) for label in ("AUC, simulated", "AUC, wall clock"))
    panels = []
    for method in dict.fromkeys(row["method"] for row in rows):
        series = []
        for ms in times:
            chosen = [row for row in rows if (row["method"], row["ms"]) == (method, ms)]
            simulated, wall = ([row[clock]["auc"] for row in chosen] for clock in ("simulated", "wall"))
            titles = [f"{row['clip']}, {ms:g} ms" for row in chosen]
            series.append(Series(f"{ms:g} ms a frame", simulated, wall, looks[ms], titles=titles))
        panels.append(points(NAMES[method], x, y, series, method, joined=False, diagonal=True))
    legend = [(f"{ms:g} ms a frame", look) for ms, look in looks.items()]
    said = f"AUC of each clip, {content['tracker']}, on the wall clock over that on the simulated clock"
    return document(composed(panels, 2, legend, True, said))


BLOCKS: Dict[str, Block] = {
    **{f"clocks.{make.__name__}": from_json(CLOCKS, make) for make in (means, runs, conditions)},
    "clocks.harness": from_json(HARNESS, harness),
    "clocks.scoring": from_json(SCORING, scoring),
    "clocks.files": from_json(FILES, files),
}
PICTURES: Dict[str, Callable[[Path], str]] = {"docs/figures/sim_against_wall.svg": drawn}
