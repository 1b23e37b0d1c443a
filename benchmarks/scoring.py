"""Scoring event logs that there are: which logs belong together, and what their rows are. Nothing is run."""

from __future__ import annotations

import json
import os
from dataclasses import fields
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from pvtpp.core.event_log import EventLog, read_meta
from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.evaluate import Scores, ScoreTable, check_apart
from pvtpp_benchmarks.grid import Names, names
from pvtpp_benchmarks.runs import with_predictors
from pvtpp_benchmarks.score import score_modes
from pvtpp_benchmarks.spec import RunSpec


class _Logged(NamedTuple):
    sequence: VideoSequence
    path: str
    meta: Dict[str, Any]


def score_logs(
    places: Sequence[str],
    sequences: Iterable[VideoSequence],
    predictors: Optional[Names] = None,
    modes: Names = ("otb",),
    apart: Names = (),
    anew: bool = False,
    strict: bool = True,
) -> List[Dict[str, Any]]:
    """Score logs against the truth of the sequences that they were made on; of all logs one is in memory at a time.

    Predictors that were not in a run are evaluated by driving the state machine with its log, where that is the same
    as running again.

    Parameters
    ----------
    places
        Event logs, or folders of them.
    sequences
        With the truth.
    predictors
        Their names; None: those of each run.
    modes
        Of `pvtpp_benchmarks.metrics`.
    apart
        Sequences that are tabled in rows of their own.
    anew
        Make the trajectories anew, even where the log has them.
    strict
        A log of another sequence is an InputError, else it is left out.

    Returns
    -------
    list of dict
        Rows, as `pvtpp_benchmarks.evaluate.evaluate` gives them, for each group of logs with the same settings.
    """
    by_name = {sequence.name: sequence for sequence in sequences}
    check_apart(frozenset(names(apart)), list(by_name))
    named = None if predictors is None else names(predictors)
    groups: Dict[str, List[_Logged]] = {}
    for path in find_logs(places):
        meta = read_meta(path)
        missing = [name for name in ("sequence", "processing", "tracker", "dataset") if name not in meta]
        if missing:
            raise InputError(
                f"{path}: the log does not say its {', '.join(missing)}; only logs of `pvtpp run` can be scored here"
            )
        name = meta["sequence"]
        if name in by_name:
            key = json.dumps({each: meta.get(each) for each in _grouping()}, sort_keys=True)
            groups.setdefault(key, []).append(_Logged(by_name[name], path, meta))
        elif strict:
            raise InputError(f"{path}: made on sequence {name!r}, which is not among: {', '.join(by_name)}")
    if not groups:
        raise InputError(f"{', '.join(places)}: no event log of the sequences {', '.join(by_name)}")
    rows: List[Dict[str, Any]] = []
    for logged in sorted(groups.values(), key=_order):
        rows += _score_group(logged, named, names(modes), frozenset(names(apart)), anew)
    return rows


def find_logs(places: Sequence[str]) -> List[str]:
    """List every ``.jsonl`` file among or under the places."""
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


def _score_group(
    logged: List[_Logged],
    predictors: Optional[Sequence[str]],
    modes: Sequence[str],
    apart: frozenset,
    anew: bool,
) -> List[Dict[str, Any]]:
    spec: Optional[RunSpec] = None
    table: Optional[ScoreTable] = None
    for sequence, path, meta in logged:
        if spec is None or table is None:
            spec = _spec(meta, tuple(predictors or _recorded(path)), len({each.meta.get("draw") for each in logged}))
            table = ScoreTable(spec, apart)
        try:
            table.add(sequence, _scores(path, sequence, spec, modes, anew))
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
    return [] if table is None else table.rows()


def _recorded(path: str) -> List[str]:
    return EventLog.read(path).predictors


def _scores(path: str, sequence: VideoSequence, spec: RunSpec, modes: Sequence[str], anew: bool) -> Scores:
    log = with_predictors(EventLog.read(path), spec, anew)
    return {name: score_modes(log, sequence, name, modes) for name in spec.predictors}


def _order(logged: List[_Logged]) -> Tuple[float, str]:
    meta = logged[0].meta
    return _spec(meta, ("hold",), 1).processing_ms, json.dumps(meta, sort_keys=True)


def _grouping() -> List[str]:
    return [each.name for each in fields(RunSpec) if each.name not in ("starts", "draws")] + ["start_of"]


def _spec(meta: Dict[str, Any], predictors: Tuple[str, ...], draws: int) -> RunSpec:
    settings = {each.name: meta[each.name] for each in fields(RunSpec) if meta.get(each.name) is not None}
    # What the log calls its predictors is the one that steered, and its digest.
    settings.update(predictors=predictors, starts=meta.get("start_of", 1), draws=draws)
    return RunSpec(**settings, recorded_ms=meta.get("processing_ms"))
