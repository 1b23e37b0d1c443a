"""Presence on against off, on clips as they are and behind drawn occluders: what it costs, and what it is worth.

    python -m pvtpp_benchmarks.studies.presence_table $PVTPP_DATA --json benchmarks/studies/presence_table.json
    python -m pvtpp_benchmarks.studies.presence_table $PVTPP_DATA --split train --starts 2

`uav-mini` (12 test clips), four starts, simulated clock, as if the tracker took 20, 47, 85 and 165 ms, metric mode
`otb`; with occluders each clip once for each seed, from its first frame. Compared are `hold`, PVT as it was published,
the default with presence off, and the default. The interval of a difference is a paired bootstrap over clips. LOST,
outages and returns are defined in `docs/protocol.md`. Drawing is decided by the seed
(`pvtpp_benchmarks.synthetic.occluders`).
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from pvtpp import defaults
from pvtpp.errors import InputError
from pvtpp.progress import progress
from pvtpp_benchmarks.bootstrap import bootstrap_interval
from pvtpp_benchmarks.datasets.registry import load
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.evaluate import evaluate
from pvtpp_benchmarks.grid import make_grid
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.synthetic.occluders import occluded
from pvtpp_benchmarks.workers import workers
from pvtpp_trackers.factory import MakeTracker

TIMES = ("20ms", "47ms", "85ms", "165ms")
KINDS: Dict[str, Dict[str, Any]] = {
    "hold": {"predictors": "hold", "presence": "off"},
    "pvt": {"predictors": "kalman:pvt", "presence": "off"},
    "off": {"predictors": defaults.PREDICTOR, "presence": "off"},
    "on": {"predictors": defaults.PREDICTOR, "presence": "on"},
}
"""No prediction; predictive visual tracking as it was published; the default with presence off; the default."""


def cells(
    clips: Sequence[VideoSequence], tracker: str, times: Sequence[str], starts: int, logs: Optional[str], count: int
) -> Dict[str, Any]:
    """Run all kinds on some clips; returns the rows by time and kind, zero latency apart."""
    make = MakeTracker(tracker)
    found: Dict[str, List[Dict[str, Any]]] = {}
    with workers(count) as executor:
        for kind, settings in KINDS.items():
            grid = make_grid(
                "presence-table",
                tracker,
                tracker_digest=make.digest(),
                processing=times,
                starts=starts,
                offline=kind == "hold",
                **settings,
            )
            for row in evaluate(clips, grid, make, logs, executor, progress()):
                name = "zero latency" if row["predictor"] is None else f"{row['processing_ms']:g} ms {kind}"
                found.setdefault(name, []).append(row)
    return {name: summary(rows) for name, rows in found.items()}


def summary(rows: Sequence[Dict[str, Any]]) -> Dict[str, Any]:
    """Put the rows of one setting, one for each camera rate, into one.

    Returns
    -------
    dict
        AUC as the mean over clips (`auc`) and by clip (`clips`), at 51 permitted latencies (`curve`; None offline), the
        outages of each row, and what presence said (`losses`, only with presence on).
    """
    clips = {clip: value for row in rows for clip, value in row["per_sequence"].items()}
    made: Dict[str, Any] = {"auc": round(float(np.mean(list(clips.values()))), 4), "clips": clips, "curve": None}
    if all(row.get("curve") for row in rows):
        shares = [len(row["per_sequence"]) / len(clips) for row in rows]
        curve = sum(share * np.array(row["curve"]["auc"]) for share, row in zip(shares, rows))
        made["curve"] = np.round(curve, 4).tolist()
    made["outages"] = [row["outages"] for row in rows]
    if all(row.get("losses") for row in rows):
        made["losses"] = pooled([row["losses"] for row in rows])
    return made


def pooled(losses: Sequence[Dict[str, Any]]) -> Dict[str, Any]:
    """Precision and recall of LOST over all frames, whatever the camera rate."""
    counts = ("frames", "lost", "said", "right", "said_in_time", "right_in_time")
    made: Dict[str, Any] = {name: sum(each[name] for each in losses) for name in counts}
    for after in ("", "_in_time"):
        for name, whole in (("precision", made[f"said{after}"]), ("recall", made["lost"])):
            made[name + after] = round(made[f"right{after}"] / whole, 3) if whole else None
    return made


def difference(one: Dict[str, float], other: Dict[str, float], seed: int = 0) -> Dict[str, Any]:
    """The mean difference of two kinds over clips, its 95 % interval, and the clips at both ends."""
    apart = {clip: one[clip] - other[clip] for clip in one}
    values = np.array(list(apart.values()))
    low, high = bootstrap_interval(values, seed) or (float("nan"), float("nan"))
    ends = sorted(apart, key=lambda clip: apart[clip])
    return {
        "mean": round(float(values.mean()), 4),
        "interval": [round(float(low), 4), round(float(high), 4)],
        "worst": [ends[0], round(apart[ends[0]], 4)],
        "best": [ends[-1], round(apart[ends[-1]], 4)],
    }


def compared(found: Dict[str, Any], times: Sequence[str]) -> Dict[str, Any]:
    """The default against presence off, against `hold` and PVT, and the share of zero latency that it keeps."""
    made: Dict[str, Any] = {}
    for time in times:
        on, *others = (found[f"{float(time[:-2]):g} ms {kind}"] for kind in ("on", "off", "hold", "pvt"))
        differences = [difference(on["clips"], other["clips"]) for other in others]
        made[time] = {
            **dict(zip(("on - off", "on - hold", "on - pvt"), differences)),
            "kept": round(on["auc"] / found["zero latency"]["auc"], 4),
        }
    return made


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", help="folder with uav-mini/")
    parser.add_argument("--split", default="test", help="default: %(default)s")
    parser.add_argument("--tracker", default=defaults.TRACKER, help="default: %(default)s")
    parser.add_argument("--times", nargs="+", default=list(TIMES), metavar="T", help="default: 20ms 47ms 85ms 165ms")
    parser.add_argument("--starts", type=int, default=4, help="of clips without occluders (default: %(default)s)")
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2], help="of the occluders (default: 1 2)")
    parser.add_argument("--logs", metavar="DIR", help="keep the event logs here, and read those that are there")
    parser.add_argument("--workers", type=int, default=1, help="processes (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="also write the figures here")
    options = parser.parse_args(arguments)
    try:
        check_writable(options.json)
        plain = list(load("uav-mini", os.path.join(options.root, "uav-mini"), options.split))
        drawn = [occluded(clip, seed) for clip in plain for seed in options.seeds]
        sets: Dict[str, Tuple[Sequence[VideoSequence], int]] = {}
        sets.update({"as they are": (plain, options.starts), "occluders": (drawn, 1)})
        made: Dict[str, Any] = {}
        for name, (clips, starts) in sets.items():
            if clips:
                runs = cells(clips, options.tracker, options.times, starts, options.logs, options.workers)
                made[name] = {"compared": compared(runs, options.times), "runs": runs}
                show(name, made[name])
    except InputError as error:
        parser.exit(2, f"{error}\n")
    if options.json:
        settings = {key: value for key, value in vars(options).items() if key not in ("json", "root", "logs")}
        write_json(options.json, {"protocol": facts(0), "settings": settings, **made})
    return 0


def show(name: str, made: Dict[str, Any]) -> None:
    """Print one set of clips."""
    print(f"{name}: zero latency {made['runs']['zero latency']['auc']:.3f}")
    for time, each in made["compared"].items():
        runs = [made["runs"][f"{float(time[:-2]):g} ms {kind}"] for kind in KINDS]
        said = runs[-1].get("losses", {})
        apart = each["on - off"]
        print(
            f"  {time:>6}  " + "  ".join(f"{kind} {run['auc']:.3f}" for kind, run in zip(KINDS, runs)),
            f" on - off {apart['mean']:+.3f} [{apart['interval'][0]:+.3f}, {apart['interval'][1]:+.3f}]",
            f"worst {apart['worst'][0]} {apart['worst'][1]:+.3f}, kept {100 * each['kept']:.1f} %,",
            f"LOST precision {said.get('precision')} recall {said.get('recall')},",
            f"in time {said.get('precision_in_time')} {said.get('recall_in_time')}",
        )


if __name__ == "__main__":
    sys.exit(main())
