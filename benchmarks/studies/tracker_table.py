"""Every tracker in the default configuration against `hold` and PVT, on all test clips.

    python -m pvtpp_benchmarks.studies.tracker_table $PVTPP_DATA --json benchmarks/studies/tracker_table.json

`--trackers` runs some trackers and keeps the other rows of the JSON file. `python -m pvtpp_benchmarks.results_pages`
writes the page of results from it.

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
        missed += [f"{LABELS[name]} at {time[:-2]} ms" for name in (HOLD, PVT) if found[name]["mean"] <= 0]
    kept = compared(entry, TIMES[0])["kept"]
    return [*missed, *([f"{100 * kept:.1f} % kept at {TIMES[0][:-2]} ms"] if kept < KEPT else [])]


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", help="folder with uav-mini/")
    parser.add_argument("--trackers", type=comma_separated, default=tuple(TRACKERS), metavar="NAME,NAME")
    parser.add_argument("--clips", type=comma_separated, metavar="CLIP,CLIP", help="some of the clips, for a try")
    parser.add_argument("--logs", metavar="DIR", help="keep the event logs here, and read those that are there")
    parser.add_argument("--json", metavar="FILE", required=True, help="rows of trackers that are not run are kept")
    options = parser.parse_args(arguments)
    try:
        check_writable(options.json)
        unknown = [name for name in options.trackers if name not in TRACKERS]
        if unknown:
            raise InputError(f"--trackers names {unknown[0]!r}, allowed: {', '.join(TRACKERS)}")
        content = read(options.json)
        dataset = load("uav-mini", os.path.join(options.root, "uav-mini"), "test")
        clips = list(dataset.select(options.clips) if options.clips else dataset)
        for name in options.trackers:
            content["trackers"][name] = measure(clips, name, TRACKERS[name], options.logs)
            write_json(options.json, content)
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
