r"""Every tracker in the default configuration against `hold` and PVT, on all test clips; writes the page of results.

    python -m pvtpp_benchmarks.studies.tracker_table $PVTPP_DATA --logs runs \
        --json benchmarks/studies/tracker_table.json --page docs/results/trackers.md
    python -m pvtpp_benchmarks.studies.tracker_table --json benchmarks/studies/tracker_table.json \
        --page docs/results/trackers.md

The first command runs what is missing and writes both files; `--trackers` runs some trackers and keeps the other rows
of the JSON file. The second one, without a folder of data, makes the page from the JSON file alone.

`uav-mini` (12 test clips), one start, simulated clock, metric mode `otb`. Each tracker is run as if it took its own
time (`TRACKERS`) and 47, 85 and 165 ms a frame.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

import numpy as np

from pvtpp import defaults
from pvtpp.arguments import comma_separated
from pvtpp.errors import InputError
from pvtpp.files import whole_file
from pvtpp.progress import progress
from pvtpp.tracker import takes_search_box
from pvtpp_benchmarks.datasets.registry import load
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.evaluate import evaluate
from pvtpp_benchmarks.grid import make_grid
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.studies.presence_table import difference
from pvtpp_benchmarks.studies.propagation_table import Decoded
from pvtpp_trackers.factory import MakeTracker

TRACKERS = {
    "nanotrack-v3": "10ms",
    "nanotrack-v2": "10ms",
    "nanotrack-v1": "10ms",
    "vittrack": "6ms",
    "csrt": "30ms",
    "cv2-nano": "10ms",
    "cv2-vit": "6ms",
}
"""The trackers, and the time that each takes for a frame on one thread of an x86-64 processor."""
TIMES = ("47ms", "85ms", "165ms")
HOLD, PVT, DEFAULT = PREDICTORS = ("hold", "kalman:pvt", defaults.PREDICTOR)
LABELS = {HOLD: "hold", PVT: "PVT", DEFAULT: "default"}
ZERO = "zero latency"
KEPT = 0.97
"""Share of its own zero-latency AUC that the default is expected to keep at the first of `TIMES`."""
Cell = Dict[str, Any]
"""AUC: `auc`, the mean over clips, and `clips`, by clip."""


def measure(clips: Sequence[VideoSequence], tracker: str, own: str, logs: Optional[str]) -> Dict[str, Any]:
    """Run one tracker; returns its entry of the JSON file."""
    make = MakeTracker(tracker)
    times = tuple(dict.fromkeys((*TIMES, own)))
    # Nobody steers a tracker that takes no search box: what stands for two predictors is run once.
    steered = takes_search_box(make())
    grids = [
        make_grid(
            "tracker-table",
            tracker,
            tracker_digest=make.digest(),
            processing=times,
            predictors=predictors,
            search_region=() if steered or DEFAULT in predictors else "last",
            offline=DEFAULT not in predictors,
        )
        for predictors in ((HOLD, PVT), (DEFAULT,))
    ]
    # Clip by clip, so that the images of one clip are decoded once for all its runs.
    rows = [
        row
        for clip in clips
        for grid in grids
        for row in evaluate([Decoded.of(clip) if clip.image_paths else clip], grid, make, logs, progress=progress())
    ]
    # One command may make one tracker's rows and another command the next one's, so none is named.
    protocol = {name: value for name, value in facts(0).items() if name in ("versions", "hardware")}
    return {"own": own, "protocol": protocol, **gathered(rows)}


def gathered(rows: Sequence[Mapping[str, Any]]) -> Dict[str, Any]:
    """Put rows of `evaluate`, one for each camera rate, together: zero latency, and by time and predictor."""
    found: Dict[str, Dict[str, Dict[str, float]]] = {}
    for row in rows:
        time = ZERO if row["predictor"] is None else f"{row['processing_ms']:g}ms"
        found.setdefault(time, {}).setdefault(row["predictor"] or ZERO, {}).update(row["per_sequence"])
    cells = {time: {name: cell(clips) for name, clips in each.items()} for time, each in found.items()}
    return {ZERO: cells.pop(ZERO)[ZERO], "times": cells}


def cell(clips: Mapping[str, float]) -> Cell:
    """AUC by clip and its mean over clips, rounded as it is written."""
    rounded = {clip: round(value, 4) for clip, value in sorted(clips.items())}
    return {"auc": round(float(np.mean(list(clips.values()))), 4), "clips": rounded}


def compared(entry: Mapping[str, Any], time: str) -> Dict[str, Any]:
    """The default of one tracker at one time: its lead over `hold` and PVT, and what it keeps of zero latency."""
    cells = entry["times"][time]
    leads = {name: difference(cells[DEFAULT]["clips"], cells[name]["clips"]) for name in (HOLD, PVT)}
    return {**leads, "kept": cells[DEFAULT]["auc"] / entry[ZERO]["auc"]}


def reaches(entry: Mapping[str, Any]) -> List[str]:
    """What the default of one tracker misses of the bar, in words; nothing where it reaches it."""
    missed = []
    for time in TIMES:
        found = compared(entry, time)
        missed += [f"{LABELS[name]} at {shown(time)}" for name in (HOLD, PVT) if found[name]["mean"] <= 0]
    kept = compared(entry, TIMES[0])["kept"]
    return [*missed, *([f"{100 * kept:.1f} % kept at {shown(TIMES[0])}"] if kept < KEPT else [])]


def shown(time: str) -> str:
    """``47 ms`` for ``47ms``."""
    return f"{time[:-2]} ms"


def page(content: Mapping[str, Any]) -> str:
    """The page of results, Markdown; content as the JSON file holds it."""
    trackers = {name: content["trackers"][name] for name in TRACKERS if name in content["trackers"]}
    hardware = sorted({entry["protocol"]["hardware"]["machine"] for entry in trackers.values()})
    lines = [
        "# All trackers in the default configuration",
        "",
        "Does the default help every tracker? Each one is run as if it took 47, 85 and 165 ms a frame, and at its own",
        "time. `hold` waits for the tracker, PVT is `kalman:pvt` (predictive visual tracking as it was published), the",
        "default has propagation, prediction, predicted search and presence.",
        "",
        "* Data: the 12 clips of `uav-mini/test`, 2,617 frames, one start from the first frame. Nothing was chosen on",
        "  them. AUC in mode `otb`, mean over clips; in brackets the 95 % interval of a paired bootstrap over clips.",
        "* Simulated clock, 2.5 ms for each step of propagation on its own core; " + ", ".join(hardware) + ".",
        "* Command: `python -m pvtpp_benchmarks.studies.tracker_table data --logs runs --json FILE --page FILE`. This",
        "  page is made from `benchmarks/studies/tracker_table.json` alone.",
        "",
        "## Mean over clips",
        "",
        "At each time: hold, PVT, default.",
        "",
        *summary_table(trackers),
        "",
        "## What the default is worth",
        "",
        "The bar: the mean of the default is above `hold` and PVT at 47, 85 and 165 ms, and at least",
        f"{100 * KEPT:g} % of the tracker's own zero-latency AUC is kept at 47 ms.",
        "",
        *lead_table(trackers),
        "",
        *bar_lines(trackers),
        "",
        "## Clip by clip",
        "",
        "At 47 / 85 / 165 ms.",
    ]
    for name, entry in trackers.items():
        lines += ["", f"### {name}", "", *clip_table(entry)]
    return "\n".join(lines) + "\n"


def summary_table(trackers: Mapping[str, Any]) -> List[str]:
    """Mean AUC of each tracker, by time and predictor."""
    heads = ["tracker", ZERO, "own time", *map(shown, TIMES)]
    rows = []
    for name, entry in trackers.items():
        means = [
            " ".join(three(entry["times"][time][predictor]["auc"]) for predictor in PREDICTORS)
            if time in entry["times"]
            else "not run"
            for time in (entry["own"], *TIMES)
        ]
        rows.append([f"`{name}`", three(entry[ZERO]["auc"]), f"{shown(entry['own'])}: {means[0]}", *means[1:]])
    return table(heads, rows)


def lead_table(trackers: Mapping[str, Any]) -> List[str]:
    """The default's leads with their intervals, and the share of zero latency that it keeps."""
    rows = []
    for name, entry in trackers.items():
        for time in TIMES:
            found = compared(entry, time)
            leads = [
                f"{found[other]['mean']:+.3f} [{found[other]['interval'][0]:+.3f}, {found[other]['interval'][1]:+.3f}]"
                for other in (HOLD, PVT)
            ]
            worst = "{} {:+.3f}".format(*found[HOLD]["worst"])
            rows.append([f"`{name}`", shown(time), *leads, worst, f"{100 * found['kept']:.1f} %"])
    return table(["tracker", "time", "default - hold", "default - PVT", "worst clip against hold", "kept"], rows)


def bar_lines(trackers: Mapping[str, Any]) -> List[str]:
    """A line for each tracker: whether it reaches the bar, and if not, what it misses."""
    lines = []
    for name, entry in trackers.items():
        missed = reaches(entry)
        lines.append(f"* `{name}` " + (f"misses it: {', '.join(missed)}." if missed else "reaches it."))
    return lines


def clip_table(entry: Mapping[str, Any]) -> List[str]:
    """One tracker, a row for each clip."""
    rows = []
    for clip, zero in entry[ZERO]["clips"].items():
        values = [" / ".join(three(entry["times"][time][name]["clips"][clip]) for time in TIMES) for name in PREDICTORS]
        rows.append([clip, three(zero), *values])
    return table(["clip", ZERO, *LABELS.values()], rows)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> List[str]:
    """Lines of a Markdown table."""
    return ["| " + " | ".join(each) + " |" for each in (heads, ["---"] * len(heads), *rows)]


def three(value: float) -> str:
    """Three decimals, without a leading zero."""
    return f"{value:.3f}".replace("0.", ".", 1)


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", nargs="?", help="folder with uav-mini/; left out, the page is made of the JSON alone")
    parser.add_argument("--trackers", type=comma_separated, default=tuple(TRACKERS), metavar="NAME,NAME")
    parser.add_argument("--clips", type=comma_separated, metavar="CLIP,CLIP", help="some of the clips, for a try")
    parser.add_argument("--logs", metavar="DIR", help="keep the event logs here, and read those that are there")
    parser.add_argument("--json", metavar="FILE", required=True, help="rows of trackers that are not run are kept")
    parser.add_argument("--page", metavar="FILE", help="also write the page")
    options = parser.parse_args(arguments)
    try:
        for path in (options.json, options.page):
            check_writable(path)
        unknown = [name for name in options.trackers if name not in TRACKERS]
        if unknown:
            raise InputError(f"--trackers names {unknown[0]!r}, allowed: {', '.join(TRACKERS)}")
        content = read(options.json)
        if options.root:
            dataset = load("uav-mini", os.path.join(options.root, "uav-mini"), "test")
            clips = list(dataset.select(options.clips) if options.clips else dataset)
            for name in options.trackers:
                content["trackers"][name] = measure(clips, name, TRACKERS[name], options.logs)
                write_json(options.json, content)
        if not content["trackers"]:
            raise InputError(f"{options.json}: no rows there, and no folder of data named to make some")
        if options.page:
            with whole_file(options.page, make_folder=False) as part:
                Path(part).write_text(page(content), encoding="utf-8")
    except InputError as error:
        parser.exit(2, f"{error}\n")
    return 0


def read(path: str) -> Dict[str, Any]:
    """The rows that a JSON file holds already; none where there is no file."""
    if not os.path.exists(path):
        return {"mode": "otb", "split": "test", "starts": 1, "trackers": {}}
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        return {**content, "trackers": dict(content["trackers"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a file of this study ({error})") from None


if __name__ == "__main__":
    sys.exit(main())
