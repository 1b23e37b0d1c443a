"""The online benchmark over a grid: run what has not been run, score it, one row for each cell."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Callable, Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple

from pvtpp.core.event_log import EventLog
from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.metrics import MODES
from pvtpp_benchmarks.runs import MakeTracker, jobs, run
from pvtpp_benchmarks.score import Score, row, score_modes
from pvtpp_benchmarks.spec import RunSpec, single_predictor_specs

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
    propagations: Tuple[str, ...] = ("none",)
    modes: Tuple[str, ...] = ("otb",)
    predictor_ns: Mapping[str, int] = ()  # type: ignore[assignment]
    apart: FrozenSet[str] = frozenset()
    offline: bool = True

    def __post_init__(self) -> None:
        for name in ("processing", "predictors", "search_regions", "schedules", "propagations", "modes"):
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
        costs = dict.fromkeys(self.predictor_ns.get(name, 0) for name in self.predictors)
        cells = product(self.processing, self.search_regions, self.schedules, self.propagations, costs)
        for processing, region, schedule, propagation, cost in cells:
            spec = replace(
                self.base,
                processing=processing,
                search_region=region,
                schedule=schedule,
                propagation=propagation,
                predictors=tuple(name for name in self.predictors if self.predictor_ns.get(name, 0) == cost),
                predictor_ns=cost,
            )
            found += single_predictor_specs(spec)
        return found

    def offline_spec(self) -> RunSpec:
        served = tuple(name for name in self.predictors if not self.predictor_ns.get(name, 0)) or ("hold",)
        return replace(
            self.base,
            clock="simulated",
            processing="0ms",
            predictors=served,
            search_region="last",
            schedule="async",
            propagation="none",
            predictor_ns=0,
            status="off",
            ego_motion="none",
        )


def evaluate(
    sequences: Sequence[VideoSequence],
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


class Tally:
    """Scores as logs come, so that no more than one log is held: a row for each group of clips, predictor and mode."""

    def __init__(
        self, spec: RunSpec, predictors: Tuple[Optional[str], ...], modes: Sequence[str], apart: FrozenSet[str]
    ):
        self._spec, self._predictors, self._modes, self._apart = spec, predictors, modes, apart
        self._groups: Dict[tuple, Dict[tuple, List[Score]]] = {}
        self._samples: Dict[tuple, VideoSequence] = {}

    def add(self, sequence: VideoSequence, log: EventLog) -> None:
        """Score one log by every predictor (None: offline) in every mode."""
        key = (sequence.name in self._apart, -sequence.camera_fps, sequence.world_fps)
        self._samples.setdefault(key, sequence)
        cells = self._groups.setdefault(key, {})
        scores = {name: score_modes(log, sequence, name, self._modes) for name in self._predictors}
        for mode in self._modes:
            for name, by_mode in scores.items():
                cells.setdefault((mode, name), []).append(by_mode[mode])

    def rows(self) -> List[Dict[str, Any]]:
        return [
            {**row(scores, self._spec, self._samples[key], name, mode), "apart": key[0]}
            for key in sorted(self._groups)
            for (mode, name), scores in self._groups[key].items()
        ]


def _evaluate_spec(
    sequences: Sequence[VideoSequence],
    grid: Grid,
    spec: RunSpec,
    predictors: Tuple[Optional[str], ...],
    make_tracker: MakeTracker,
    log_dir: Optional[str],
    executor: Optional[Executor],
    progress: Optional[Progress],
) -> List[Dict[str, Any]]:
    todo = jobs(sequences, spec, log_dir)
    tally = Tally(spec, predictors, grid.modes, grid.apart)
    for number, (job, log, ran) in enumerate(run(todo, make_tracker, executor), 1):
        tally.add(job.sequence, log)
        if progress:
            how = "ran" if ran else "kept"
            progress(
                f"{spec.tracker} {spec.processing} {spec.search_region} {number}/{len(todo)} {job.sequence.name}: {how}"
            )
    return tally.rows()
