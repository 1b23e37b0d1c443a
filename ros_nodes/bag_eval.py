"""Scores a flight: the event logs of a bag against ground truth, by the protocol of the online benchmark.

The ground truth is a topic of Roi messages in the bag, or a data set's sequence that was played. Where the bag holds
images and no events, a tracker is run over the images on the simulated clock.

  rosrun pvtpp bag_eval flight.bag --json out.json
  rosrun pvtpp bag_eval flight.bag --image /camera/image --tracker csrt --processing 47ms

With ROS 2 it is `ros2 run` in place of `rosrun`, without ROS `python -m pvtpp_ros_nodes.bag_eval`. The bag is a file of
ROS 1, or a folder (sqlite3 or MCAP) of ROS 2.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, Dict, Iterator, List, Optional, Tuple

import numpy as np

from pvtpp import defaults, predictors
from pvtpp.boxes import as_box, xywh_to_box
from pvtpp.core.event_log import EventLog
from pvtpp.core.replay import replay
from pvtpp.errors import InputError
from pvtpp_benchmarks import processing
from pvtpp_benchmarks.datasets import load
from pvtpp_benchmarks.metrics import MODES, SIGMAS, curves
from pvtpp_benchmarks.pairing import pair
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.simulation import simulate
from pvtpp_ros_nodes import bags
from pvtpp_ros_nodes.bag_reader import Bag
from pvtpp_ros_nodes.bags import Truth
from pvtpp_trackers import registry

FOR_EVER = np.iinfo(np.int64).max
COLUMNS = ("target", "predictor", "mode", "frames", "auc", "dp20", "mauc")


def score(log: EventLog, truth: Truth, predictor: str, mode: str) -> Dict[str, Any]:
    """Score one predictor's trajectories in one log, from its first frame to the end of target or ground truth.

    Parameters
    ----------
    log
        The event log.
    truth
        Ground truth.
    predictor
        Name of a predictor in the log.
    mode
        Metric mode, one of `MODES`.

    Returns
    -------
    dict
        A row of the table.

    Raises
    ------
    InputError
        There is no ground truth in that time.
    """
    (begin_ns,) = (row[3] for row in log.of_kind("init")[:1])
    (end_ns,) = [row[1] for row in log.of_kind("reset")][:1] or [FOR_EVER]
    t_ns = truth.t_ns + _offset_ns(log)
    scored = (t_ns >= begin_ns) & (t_ns <= end_ns)
    if not np.isfinite(truth.xywh[scored][1:]).all(axis=1).any():
        raise InputError(f"no ground truth after the target was given at {begin_ns} ns; was it played at another time?")
    found = curves(pair(log, predictor, t_ns[scored], truth.fps), truth.xywh[scored], mode)
    auc, dp = (found[name].at(SIGMAS) for name in ("auc", "dp"))
    return {
        "predictor": predictor,
        "mode": mode,
        "frames": int(scored.sum()),
        "auc": float(auc[0]),
        "dp20": float(dp[0]),
        "mauc": float(auc.mean()),
        "clock": log.meta.get("clock"),
        "tracker": log.meta.get("tracker"),
    }


def evaluate(options: argparse.Namespace) -> List[Dict[str, Any]]:
    """Score a bag as the command line asks: a row for each target, predictor and mode."""
    rows = []
    with Bag(options.bag) as bag:
        for target, log, truth in _tracked(bag, options) if options.image else _flown(bag, options):
            if options.logs:
                log.write(os.path.join(options.logs, f"target{target}.jsonl"))
            for predictor in log.predictors:
                rows += [{"target": target, **score(log, truth, predictor, mode)} for mode in options.mode]
    return rows


def _flown(bag: Bag, options: argparse.Namespace) -> Iterator[Tuple[int, EventLog, Truth]]:
    """The logs that were recorded."""
    logs = bags.event_logs(bag, options.events)
    if not logs:
        raise InputError(f"{options.bag}: no target was given while it was recorded")
    truth = _played(logs[0][1], options) if options.sequence else bags.truth_of_bag(bag, options.truth)
    # A target that was given in place of another one ends that one's log.
    ends = [log.of_kind("init")[0][1] for _, log in logs[1:]] + [FOR_EVER]
    for (target, log), end_ns in zip(logs, ends):
        if options.predictors:
            log = replay(log, {name: predictors.create(name) for name in options.predictors})
        yield target, log, truth.until(end_ns)


def _played(log: EventLog, options: argparse.Namespace) -> Truth:
    """The ground truth of the sequence on whose frame `first` this log's target was given."""
    if options.root is None:
        raise InputError("--sequence needs --root, the folder where the data set lies")
    sequence = load(options.dataset, options.root, options.split)[options.sequence]
    if not 0 <= options.first < len(sequence):
        raise InputError(f"--first is {options.first}, allowed is 0 to {len(sequence) - 1} in {sequence.name}")
    stamp_ns = log.of_kind("init")[0][3] - _offset_ns(log)
    return bags.truth_of_sequence(sequence, stamp_ns - int(sequence.camera_t_ns[options.first]))


def _tracked(bag: Bag, options: argparse.Namespace) -> Iterator[Tuple[int, EventLog, Truth]]:
    """The log of a tracker that runs over the recorded images, on the simulated clock."""
    sequence = bags.BagSequence.of(bag, options.image, bags.truth_of_bag(bag, options.truth))
    log = simulate(
        sequence,
        registry.create(options.tracker, **({"weights": options.weights} if options.weights else {})),
        {name: predictors.create(name) for name in options.predictors or (defaults.PREDICTOR,)},
        processing.parse(options.processing).start(options.bag, 0),
        first_box=as_box(xywh_to_box(sequence.ground_truth_xywh[0]), f"{options.truth}, at the first image"),
        meta={"tracker": options.tracker, "clock": "simulated"},
    )
    yield 0, log, Truth(sequence.world_t_ns, sequence.ground_truth_xywh, sequence.world_fps)


def _offset_ns(log: EventLog) -> int:
    """The log's captures are true exposures, ground truth goes by stamps."""
    return round(log.meta.get("capture_offset", 0.0) * 1e9)


def _names(text: str) -> List[str]:
    return [name for name in text.split(",") if name]


def _options(arguments: Optional[List[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "bag_eval", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bag")
    parser.add_argument("--events", default="/camera/tracker/events", metavar="TOPIC", help="(default: %(default)s)")
    parser.add_argument("--truth", default="/camera/ground_truth", metavar="TOPIC", help="(default: %(default)s)")
    parser.add_argument(
        "--dataset", default="uav-mini", help="with --sequence: ground truth of a data set (default: %(default)s)"
    )
    parser.add_argument("--root", help="where the data set lies")
    parser.add_argument("--split", help="train, test .. where the data set has splits")
    parser.add_argument(
        "--sequence", help="what was played; its frame --first is the one that the first target was given on"
    )
    parser.add_argument("--first", type=int, default=0, help="(default: 0)")
    parser.add_argument("--predictors", type=_names, metavar="P,P", help="make the trajectories anew, by these")
    parser.add_argument(
        "--mode", type=_names, default=["otb"], metavar="M,M", help=f"of {', '.join(MODES)} (default: otb)"
    )
    parser.add_argument("--image", metavar="TOPIC", help="run a tracker over these images, on the simulated clock")
    parser.add_argument("--tracker", default=defaults.TRACKER, help="with --image (default: %(default)s)")
    parser.add_argument("--weights", help="of that tracker")
    parser.add_argument("--processing", default="47ms", help=f"with --image: {processing.FORMS} (default: %(default)s)")
    parser.add_argument("--logs", metavar="DIR", help="also write the event logs here, target1.jsonl ..")
    parser.add_argument(
        "--json", metavar="FILE", help="also write the rows here, with everything needed to repeat them"
    )
    return parser.parse_args(arguments)


def main(arguments: Optional[List[str]] = None) -> None:
    """Print a table; end with status 1 and one sentence where something is wrong with the input."""
    options = _options(arguments)
    try:
        check_writable(options.json)
        rows = evaluate(options)
        if options.json:
            write_json(options.json, {"protocol": facts(0), "rows": rows})
    except InputError as error:
        sys.exit(f"bag_eval: {error}")
    lines = ["  ".join(f"{name:>12}" for name in COLUMNS)]
    for row in rows:
        cells = (f"{row[name]:.3f}" if isinstance(row[name], float) else str(row[name]) for name in COLUMNS)
        lines.append("  ".join(f"{cell:>12}" for cell in cells))
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
