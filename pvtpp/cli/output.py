"""How a result leaves the program: a table, the rows as JSON, e-LAE curves as a picture."""

from __future__ import annotations

import argparse
import sys
from typing import Any, Dict, List

from pvtpp.arguments import comma_separated
from pvtpp.errors import InputError
from pvtpp_benchmarks.metrics import MODES
from pvtpp_benchmarks.provenance import facts, hardware
from pvtpp_benchmarks.report.files import write_json
from pvtpp_benchmarks.report.table import result_table


def add_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument(
        "--mode", type=comma_separated, default=("otb",), metavar="M,M", help=f"metric modes, of {', '.join(MODES)}"
    )
    group.add_argument("--json", metavar="FILE", help="write the rows, with everything needed to repeat them")
    group.add_argument("--plot", metavar="PNG", help="draw the e-LAE curves (AUC over sigma)")


def finish(options: argparse.Namespace, rows: List[Dict[str, Any]], seed: int = 0) -> None:
    """Print the table, write the JSON and the plot where they are asked for."""
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(result_table(rows))
    if options.json:
        write_json(options.json, {"protocol": facts(seed), "rows": rows})
    if options.plot:
        plot(options.plot, rows)


def plot(path: str, rows: List[Dict[str, Any]]) -> None:
    """The e-LAE curves of the online rows, each mode and camera rate named."""
    from pvtpp_benchmarks.report.curves import plot_elae

    drawn = [row for row in rows if not row["apart"]]
    online = [row for row in drawn if row["curve"]]
    if not online:
        raise InputError("--plot: there is no online row to draw")
    varying = [
        name
        for name in ("search_region", "schedule", "propagation", "status", "ego_motion", "mode", "camera_fps")
        if len({r[name] for r in online}) > 1
    ]
    curves = {}
    for row in drawn:
        name = f"{row['predictor']}, {row['processing_ms']:g} ms" if row["curve"] else "zero latency"
        details = {**{field: str(row[field]) for field in varying}, "camera_fps": f"{row['camera_fps']:g} fps"}
        details["status"] = "judged" if row["status"] == "on" else ""
        details["ego_motion"] = "gyro" if row["ego_motion"] == "gyro" else ""
        details["propagation"] = "propagation" if row["propagation"] not in (None, "none") else ""
        told = [details[field] for field in varying if row["curve"] or field == "camera_fps"]
        exact = row["exact_curve"] or {"sigma": [0.0], "auc": [row["auc"]]}
        curves[", ".join([name, *filter(None, told)])] = (exact["sigma"], exact["auc"])
    first = online[0]
    clocks = "/".join(dict.fromkeys(row["clock"] for row in online))
    modes = "/".join(dict.fromkeys(row["mode"] for row in online))
    plot_elae(
        path,
        curves,
        title=f"{first['tracker']} on {first['dataset']}",
        subtitle=f"AUC ({modes}), {first['sequences']} clips, {clocks} clock; {hardware()['machine']}",
    )
