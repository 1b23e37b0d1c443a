"""Compares what the code computes with what it computed at an earlier commit, to the last digit.

    git worktree add ../before 850e677
    python -m pvtpp_benchmarks.studies.against_commit --old ../before --root $PVTPP_DATA/uav-mini

Evaluates the same grid with this code and with the checkout given by `--old`: six clips, with and without propagation,
presence monitor and predicted search region, a fast and a slow tracker, with a predictor and without. Compares the AUC
of every clip (all digits) and the AUC curves over permitted latency (nine digits, as results hold them), zero latency
included. No difference is expected; exits with 1 where there is one.

The old checkout runs in a process of its own; at that commit the packages were called `trackers` and `benchmarks`, and
presence was called status. `--old-json OFF ON` reads the JSON files of an earlier run of it (`--status off` and
`--status on`) instead. Both codes must run on the same machine with the same libraries: inference on another processor
differs in the last digits.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from pvtpp import defaults
from pvtpp.errors import InputError
from pvtpp.progress import progress
from pvtpp_benchmarks.datasets import load
from pvtpp_benchmarks.evaluate import evaluate
from pvtpp_benchmarks.grid import make_grid
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.report.table import table
from pvtpp_benchmarks.workers import workers
from pvtpp_trackers.factory import MakeTracker

CLIPS = ("S1301", "S1001", "MountainBike6", "Surfing06", "wakeboard4", "person11")
PROCESSING = ("20ms", "165ms")
PREDICTORS = ("ensemble", "hold")
SEARCH_REGION = ("last", "predicted")
PROPAGATION = ("none", "optical_flow")
PRESENCE = ("off", "on")
OF_A_RUN = ("predictor", "search_region", "propagation", "processing", "mode", "camera_fps", "world_fps")

Row = Mapping[str, Any]
Key = Tuple[Any, ...]


class Difference(NamedTuple):
    """One number that is not the same.

    Attributes
    ----------
    run
        Presence and `OF_A_RUN`, as text.
    what
        The name of a clip (its AUC), or ``curve``.
    old, new
        The two values; for a curve its first points that differ, ``(sigma, AUC)``. None where one side has no value.
    """

    run: str
    what: str
    old: Any
    new: Any


def main(arguments: Optional[List[str]] = None) -> int:
    """Compare, print the table of differences, write the JSON. Returns 1 where there are differences."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    old = parser.add_mutually_exclusive_group(required=True)
    old.add_argument("--old", metavar="DIR", help="a checkout of the earlier commit")
    old.add_argument("--old-json", nargs=2, metavar="FILE", help="its results with presence off and on")
    parser.add_argument("--root", required=True, metavar="DIR", help="where uav-mini lies")
    parser.add_argument("--tracker", default=defaults.TRACKER, metavar="NAME", help="(default %(default)s)")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes of this code (default 1)")
    parser.add_argument("--json", metavar="FILE", help="write what was compared, and the differences")
    options = parser.parse_args(arguments)
    check_writable(options.json)
    if options.old_json:
        before = dict(zip(PRESENCE, map(read, options.old_json)))
    else:
        before = dict(zip(PRESENCE, run_old(options.old, options.root, options.tracker)))
    after = dict(zip(PRESENCE, run_new(options.root, options.tracker, options.workers)))
    found = [each for name in PRESENCE for each in differences(before[name]["rows"], after[name], name)]
    count = {what: sum(counted(rows)[what] for rows in after.values()) for what in ("runs", "aucs", "curve_points")}
    print(report(found, count))
    if options.json:
        content = {
            "protocol": facts(0),
            "old": {name: before[PRESENCE[0]]["protocol"].get(name) for name in ("commit", "versions", "hardware")},
            "clips": CLIPS,
            "compared": count,
            "differences": [each._asdict() for each in found],
            "rows": [_short(row, name) for name, rows in after.items() for row in rows],
        }
        write_json(options.json, content)
    return 1 if found else 0


def run_new(root: str, tracker: str, processes: int = 1) -> Iterator[List[Dict[str, Any]]]:
    """Evaluate with this code. Yields the rows for presence off and on."""
    sequences = list(load("uav-mini", root, "test").select(CLIPS))
    make_tracker = MakeTracker(tracker)
    for presence in PRESENCE:
        grid = make_grid(
            "uav-mini",
            tracker,
            processing=PROCESSING,
            predictors=PREDICTORS,
            search_region=SEARCH_REGION,
            propagation=PROPAGATION,
            presence=presence,
        )
        with workers(processes) as executor:
            yield evaluate(sequences, grid, make_tracker, None, executor, progress())


def run_old(checkout: str, root: str, tracker: str) -> Iterator[Dict[str, Any]]:
    """Evaluate with the code in `checkout`. Yields its results for presence off and on."""
    if not os.path.isfile(os.path.join(checkout, "pvtpp", "cli", "main.py")):
        raise InputError(f"--old {checkout}: no checkout of this project")
    with tempfile.TemporaryDirectory() as folder:
        for presence in PRESENCE:
            path = os.path.join(folder, f"{presence}.json")
            command = [sys.executable, "-m", "pvtpp.cli.main", "eval", "--dataset", "uav-mini", "--split", "test"]
            command += ["--root", os.path.abspath(root), "--sequences", ",".join(CLIPS), "--tracker", tracker]
            command += ["--processing", ",".join(PROCESSING), "--predictors", ",".join(PREDICTORS)]
            command += ["--search-region", ",".join(SEARCH_REGION), "--propagation", ",".join(PROPAGATION)]
            command += ["--status", presence, "--logs", os.path.join(folder, "logs"), "--json", path]
            environment = {**os.environ, "PYTHONPATH": os.path.abspath(checkout)}
            done = subprocess.run(command, cwd=checkout, env=environment, stdout=subprocess.DEVNULL, check=False)
            if done.returncode:
                raise InputError(f"--old {checkout}: its `pvtpp eval` ended with status {done.returncode}")
            yield read(path)


def read(path: str) -> Dict[str, Any]:
    """Read a result's JSON, of either code."""
    try:
        with open(path, encoding="utf-8") as file:
            content: Dict[str, Any] = json.load(file)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot read ({error})") from None
    if not isinstance(content, dict) or not {"protocol", "rows"} <= set(content):
        raise InputError(f"{path}: not the JSON of a result, which has 'protocol' and 'rows'")
    return content


def differences(old: Sequence[Row], new: Sequence[Row], presence: str) -> List[Difference]:
    """Compare the rows of two results, run by run.

    Returns
    -------
    list of Difference
        Every AUC and curve that is not exactly the same, and what only one of both has.
    """
    before, after = ({_key(row): row for row in rows} for rows in (old, new))
    found = []
    for key in {**before, **after}:
        run = _named(key, presence)
        row, other = before.get(key, {}), after.get(key, {})
        aucs, others = row.get("per_sequence", {}), other.get("per_sequence", {})
        for clip in {**aucs, **others}:
            if aucs.get(clip) != others.get(clip):
                found.append(Difference(run, clip, aucs.get(clip), others.get(clip)))
        points, other_points = _points(row), _points(other)
        if points != other_points:
            found.append(Difference(run, "curve", *_first_apart(points, other_points)))
    return found


def counted(rows: Sequence[Row]) -> Dict[str, int]:
    """Return how many runs, AUCs of clips and curve points the rows hold."""
    return {
        "runs": len(rows),
        "aucs": sum(len(row["per_sequence"]) for row in rows),
        "curve_points": sum(len(_points(row)) for row in rows),
    }


def report(found: Sequence[Difference], count: Mapping[str, int]) -> str:
    """Return a line on what was compared, and a table of what differs."""
    said = f"{count['runs']} rows, {count['aucs']} AUCs of clips, {count['curve_points']} points of curves compared: "
    if not found:
        return said + "all the same to the last digit"
    columns = [
        ("run", lambda each: each.run),
        ("what", lambda each: each.what),
        ("old", lambda each: repr(each.old)),
        ("new", lambda each: repr(each.new)),
    ]
    return f"{said}{len(found)} differ\n{table(columns, found)}"


def _key(row: Row) -> Key:
    return tuple(row[name] for name in OF_A_RUN)


def _named(key: Key, presence: str) -> str:
    return f"presence {presence}, " + ", ".join(f"{name} {value}" for name, value in zip(OF_A_RUN, key))


def _points(row: Row) -> List[Tuple[float, float]]:
    curve = row.get("exact_curve")
    return list(zip(curve["sigma"], curve["auc"])) if curve else []


def _first_apart(points: Sequence[Any], others: Sequence[Any]) -> Tuple[Any, Any]:
    number = next((i for i, (point, other) in enumerate(zip(points, others)) if point != other), None)
    number = min(len(points), len(others)) if number is None else number
    return tuple(each[number] if number < len(each) else None for each in (points, others))  # type: ignore[return-value]


def _short(row: Row, presence: str) -> Dict[str, Any]:
    return {"presence": presence, **dict(zip(OF_A_RUN, _key(row))), "per_sequence": row["per_sequence"]}


if __name__ == "__main__":
    sys.exit(main())
