"""The online benchmark over a grid: run what has not been run, score it, one row for each cell."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, FrozenSet, List, Mapping, Optional, Tuple
from typing import Sequence as Listing

from benchmarks.datasets.sequence import Sequence
from benchmarks.metrics import MODES
from benchmarks.runs import MakeTracker, RunSpec, jobs, run, single_predictor_specs
from benchmarks.score import Score, row, score_offline, score_online
from pvtpp.errors import InputError

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Grid:
    """What to evaluate: every combination of the tuples. `predictor_ns`: the cost of each predictor, 0 where not named.
    `apart`: sequences that are tabled in rows of their own. `offline`: also the zero-latency rows."""

    base: RunSpec
    processing: Tuple[str, ...]
    predictors: Tuple[str, ...]
    search_regions: Tuple[str, ...] = ("last",)
    schedules: Tuple[str, ...] = ("async",)
    modes: Tuple[str, ...] = ("otb",)
    predictor_ns: Mapping[str, int] = ()  # type: ignore[assignment]
    apart: FrozenSet[str] = frozenset()
    offline: bool = True

    def __post_init__(self) -> None:
        for name in ("processing", "predictors", "search_regions", "schedules", "modes"):
            if not getattr(self, name):
                raise InputError(f"the grid has no {name.replace('_', ' ')}: name at least one")
        for mode in self.modes:
            if mode not in MODES:
                raise InputError(f"unknown metric mode {mode!r}, expected one of: {', '.join(MODES)}")
        object.__setattr__(self, "predictor_ns", dict(self.predictor_ns))
        self.specs()

    def specs(self) -> List[RunSpec]:
        """The runs of the grid, each with the predictors it serves: as few as the search region and the costs allow."""
        found = []
        for processing in self.processing:
            for region in self.search_regions:
                for schedule in self.schedules:
                    for cost in dict.fromkeys(self.predictor_ns.get(name, 0) for name in self.predictors):
                        served = tuple(name for name in self.predictors if self.predictor_ns.get(name, 0) == cost)
                        spec = replace(
                            self.base,
                            processing=processing,
                            search_region=region,
                            schedule=schedule,
                            predictors=served,
                            predictor_ns=cost,
                        )
                        found += single_predictor_specs(spec)
        return found

    def offline_spec(self) -> RunSpec:
        served = tuple(name for name in self.predictors if not self.predictor_ns.get(name, 0)) or ("hold",)
        return replace(self.base, processing="0ms", predictors=served, search_region="last", schedule="async", predictor_ns=0)


def evaluate(
    sequences: Listing[Sequence],
    grid: Grid,
    make_tracker: MakeTracker,
    log_dir: Optional[str],
    executor: Optional[Executor] = None,
    progress: Optional[Progress] = None,
) -> List[Dict[str, Any]]:
    """Rows as the result JSON holds them: zero latency first, then one per cell, mode and camera rate (never averaged)."""
    unknown = sorted(grid.apart - {sequence.name for sequence in sequences})
    if unknown:
        raise InputError(f"--apart names {', '.join(unknown)}, not among: {', '.join(s.name for s in sequences)}")
    rows: List[Dict[str, Any]] = []
    if grid.offline:
        rows += _evaluate_spec(sequences, grid, grid.offline_spec(), (None,), make_tracker, log_dir, executor, progress)
    for spec in grid.specs():
        rows += _evaluate_spec(sequences, grid, spec, spec.predictors, make_tracker, log_dir, executor, progress)
    return rows


def score_groups(
    logged: Listing[Tuple[Sequence, Any]],
    spec: RunSpec,
    predictors: Tuple[Optional[str], ...],
    modes: Listing[str],
    apart: FrozenSet[str] = frozenset(),
) -> List[Dict[str, Any]]:
    """Score (sequence, log) pairs of one spec: a row for each camera rate, apart or not, predictor (None: offline) and mode."""
    rows = []
    groups: Dict[tuple, List[Tuple[Sequence, Any]]] = {}
    for sequence, log in logged:
        key = (sequence.name in apart, -sequence.camera_fps, sequence.world_fps)
        groups.setdefault(key, []).append((sequence, log))
    for key in sorted(groups):
        for mode in modes:
            for name in predictors:
                scores: List[Score] = [
                    score_offline(log, sequence, mode) if name is None else score_online(log, sequence, name, mode)
                    for sequence, log in groups[key]
                ]
                rows.append({**row(scores, spec, groups[key][0][0], name, mode), "apart": key[0]})
    return rows


def _evaluate_spec(
    sequences: Listing[Sequence],
    grid: Grid,
    spec: RunSpec,
    predictors: Tuple[Optional[str], ...],
    make_tracker: MakeTracker,
    log_dir: Optional[str],
    executor: Optional[Executor],
    progress: Optional[Progress],
) -> List[Dict[str, Any]]:
    todo = jobs(sequences, spec, log_dir)
    logged = []
    for number, (job, log, ran) in enumerate(run(todo, make_tracker, executor), 1):
        logged.append((job.sequence, log))
        if progress:
            how = "ran" if ran else "kept"
            progress(f"{spec.tracker} {spec.processing} {spec.search_region} {number}/{len(todo)} {job.sequence.name}: {how}")
    return score_groups(logged, spec, predictors, grid.modes, grid.apart)
