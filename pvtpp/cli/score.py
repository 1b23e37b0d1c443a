"""Score event logs against the ground truth of the data set they were made on. Nothing is run.

Predictors that did not listen to a run are evaluated by driving the pipeline with its log, where that is the same as running
again; where it is not (search region at another predictor's box), an error says so.

  pvtpp score runs --dataset uav-mini --root data/uav-mini --split test --predictors hold,kalman:pvt
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import fields
from typing import Any, Dict, List, Optional, Tuple

from pvtpp.arguments import comma_separated
from pvtpp.cli import common, output
from pvtpp.core.event_log import EventLog
from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.evaluate import Tally
from pvtpp_benchmarks.report.files import check_writable
from pvtpp_benchmarks.runs import with_predictors
from pvtpp_benchmarks.spec import RunSpec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("logs", nargs="+", metavar="LOG", help="event logs, or folders of them")
    common.add_dataset(parser)
    output.add_output(parser)
    parser.add_argument(
        "--predictors", type=comma_separated, metavar="P,P", help="(default: those that listened to the runs)"
    )
    parser.add_argument("--anew", action="store_true", help="make the trajectories anew, even where the log has them")


def run(options: argparse.Namespace) -> None:
    for path in (options.json, options.plot):
        check_writable(path)
    _, sequences = common.load_sequences(options, images=False)
    by_name = {sequence.name: sequence for sequence in sequences}
    groups: Dict[str, List[Tuple[VideoSequence, EventLog, str]]] = {}
    for path in find_logs(options.logs):
        log = EventLog.read(path)
        missing = [field for field in ("sequence", "processing", "tracker", "dataset") if field not in log.meta]
        if missing:
            raise InputError(
                f"{path}: the log does not say its {', '.join(missing)}; only logs of `pvtpp run` can be scored here"
            )
        name = log.meta["sequence"]
        if name in by_name:
            key = json.dumps({field: log.meta.get(field) for field in _grouping()}, sort_keys=True)
            groups.setdefault(key, []).append((by_name[name], log, path))
        elif not options.sequences:
            raise InputError(f"{path}: made on sequence {name!r}, which is not in {options.dataset} at {options.root}")
    if not groups:
        raise InputError(f"{', '.join(options.logs)}: no event log of the sequences {', '.join(by_name)}")
    unknown = sorted(set(options.apart) - set(by_name))
    if unknown:
        raise InputError(f"--apart names {', '.join(unknown)}, not among: {', '.join(by_name)}")
    rows: List[Dict[str, Any]] = []
    for logged in sorted(groups.values(), key=_order):
        spec = _spec(logged[0][1], options.predictors, len({log.meta.get("draw") for _, log, _ in logged}))
        tally = Tally(spec, spec.predictors, options.mode, frozenset(options.apart))
        for sequence, log, path in logged:
            try:
                listened = with_predictors(log, spec, options.anew)
            except InputError as error:
                raise InputError(f"{path}: {error}") from None
            tally.add(sequence, listened)
        rows += tally.rows()
    output.finish(options, rows, spec.seed)


def find_logs(places: List[str]) -> List[str]:
    """Every ``.jsonl`` file among or under the places."""
    found: List[str] = []
    for place in places:
        if not os.path.exists(place):
            raise InputError(f"{place}: no such file or folder of event logs")
        if not os.path.isdir(place):
            found.append(place)
        for folder, _, files in sorted(os.walk(place)):
            found += [os.path.join(folder, name) for name in sorted(files) if name.endswith(".jsonl")]
    if not found:
        raise InputError(f"{', '.join(places)}: no event logs (.jsonl) there")
    return found


def _order(logged: List[Tuple[VideoSequence, EventLog, str]]) -> Tuple[float, str]:
    log = logged[0][1]
    return _spec(log, None, 1).processing_ms, json.dumps(log.meta, sort_keys=True)


def _grouping() -> List[str]:
    return [field.name for field in fields(RunSpec) if field.name not in ("starts", "draws")] + ["start_of"]


def _spec(log: EventLog, predictors: Optional[Tuple[str, ...]], draws: int) -> RunSpec:
    facts = {field.name: log.meta[field.name] for field in fields(RunSpec) if log.meta.get(field.name) is not None}
    # What the log calls its predictors is the one that steered, and its digest.
    listened = predictors or tuple(log.predictors)
    # Older logs do not tell it; then what `processing` names is read.
    recorded = log.meta.get("processing_ms")
    starts = log.meta.get("start_of", 1)
    return RunSpec(**{**facts, "predictors": listened, "starts": starts, "draws": draws, "recorded_ms": recorded})
