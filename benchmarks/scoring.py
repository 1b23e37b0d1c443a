"""Scoring event logs that there are: which logs belong together, and what their rows are. Nothing is run."""

from __future__ import annotations

import json
import os
from dataclasses import fields, replace
from typing import Any, Dict, FrozenSet, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple, Union

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
    as running again. Each is served by the runs from which that can be done: not by one in which another predictor
    decided where the tracker looked.

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

    Raises
    ------
    InputError
        For logs of other sequences, two logs of one run, and a predictor that no run serves.
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
    refused: Dict[str, str] = {}
    served: Set[Optional[str]] = set()
    for logged in sorted(groups.values(), key=_order):
        made, because = _score_group(_each_once(logged), named, names(modes), frozenset(names(apart)), anew)
        rows += made
        served.update(row["predictor"] for row in made)
        refused = {**because, **refused}
    for name in named or ():
        if name not in served:
            raise InputError(f"no run serves the predictor {name}; {refused[name]}")
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
    apart: FrozenSet[str],
    anew: bool,
) -> Tuple[List[Dict[str, Any]], Dict[str, str]]:
    """Score the logs of one setting; return its rows, and for each predictor that it cannot serve the reason."""
    spec: Optional[RunSpec] = None
    scored: List[Tuple[VideoSequence, Scores]] = []
    refused: Dict[str, str] = {}
    for sequence, path, meta in logged:
        if spec is None:
            draws = len({each.meta.get("draw") for each in logged})
            spec = _spec(meta, tuple(predictors or _recorded(path)), draws)
        try:
            scored.append((sequence, _score_log(path, sequence, spec, modes, predictors is not None, anew, refused)))
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
    if spec is None:
        return [], refused
    table = ScoreTable(spec, apart)
    for sequence, scores in scored:
        table.add(sequence, {name: each for name, each in scores.items() if name not in refused})
    return table.rows(), refused


def _recorded(path: str) -> List[str]:
    return EventLog.read(path).predictors


def _score_log(
    path: str,
    sequence: VideoSequence,
    spec: RunSpec,
    modes: Sequence[str],
    asked: bool,
    anew: bool,
    refused: Dict[str, str],
) -> Scores:
    """Score one log by the predictors of `spec`; `refused` gets those that it cannot serve, and why."""
    scores: Scores = {}
    for chosen, made in _made(EventLog.read(path), spec, asked, anew):
        if isinstance(made, InputError):
            refused.update({name: f"{path}: {made}" for name in chosen if name not in refused})
        else:
            scores.update({name: score_modes(made, sequence, name, modes) for name in chosen})
    return scores


def _made(
    log: EventLog, spec: RunSpec, asked: bool, anew: bool
) -> Iterator[Tuple[Tuple[str, ...], Union[EventLog, InputError]]]:
    """Iterate over the predictors of `spec` and the log with their trajectories, or why that cannot be had.

    Where they were `asked` for and one steers the tracker, each is taken by itself, as if it had been the one.
    """
    if not asked:
        yield spec.predictors, with_predictors(log, spec, anew)
        return
    together = [each.predictors for each in spec.split()]
    for chosen in together:
        try:
            yield chosen, with_predictors(log, replace(spec, predictors=chosen), anew)
            continue
        except InputError as error:
            if len(chosen) == 1:
                yield chosen, error
                continue
        for name in chosen:
            try:
                yield (name,), with_predictors(log, replace(spec, predictors=(name,)), anew)
            except InputError as error:
                yield (name,), error


def _each_once(logged: List[_Logged]) -> List[_Logged]:
    """Leave out second copies of a log; InputError for two different logs of one run, such as of copies of the data."""
    runs: Dict[Tuple[Any, ...], _Logged] = {}
    for each in logged:
        run = (each.sequence.name, each.meta.get("start_number"), each.meta.get("draw"))
        first = runs.setdefault(run, each)
        if first.meta != each.meta:
            raise InputError(
                f"{first.path} and {each.path}: two logs of one run, of data in two places or of two states; "
                "name the folder of one of them"
            )
    return list(runs.values())


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
