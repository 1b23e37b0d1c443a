"""The online benchmark over a grid: run what has not been run, score it, one row for each cell."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Callable, Dict, FrozenSet, List, Optional, Sequence, Tuple

from pvtpp.core.event_log import EventLog
from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.row import row
from pvtpp_benchmarks.runs import Job, MakeTracker, RunsLost, check_log_folder, jobs, run
from pvtpp_benchmarks.score import Score, score_modes
from pvtpp_benchmarks.spec import Grid, RunSpec

Progress = Callable[[str], None]
Scores = Dict[Optional[str], Dict[str, Score]]
"""By predictor (None: zero latency) and metric mode."""


@dataclass(frozen=True)
class ScoreLog:
    """Scores one log by each predictor (None: zero latency) in each mode. Can be sent to other processes."""

    predictors: Tuple[Optional[str], ...]
    modes: Tuple[str, ...]

    def __call__(self, job: Job, log: EventLog) -> Scores:
        """Score the log of this job."""
        return {name: score_modes(log, job.sequence, name, self.modes) for name in self.predictors}


def evaluate(
    sequences: Sequence[VideoSequence],
    grid: Grid,
    make_tracker: MakeTracker,
    log_dir: Optional[str] = None,
    executor: Optional[Executor] = None,
    progress: Optional[Progress] = None,
) -> List[Dict[str, Any]]:
    """Run and score a grid.

    Parameters
    ----------
    sequences
        What the tracker is run on.
    grid
        The runs, and what is scored of them.
    make_tracker
        Makes the tracker of a sequence.
    log_dir
        Where event logs are kept; None keeps none.
    executor
        Runs the jobs; None: this process.
    progress
        Called with a line after each job.

    Returns
    -------
    list of dict
        Rows as the result's JSON holds them: zero latency first, then one for each cell, mode and camera rate (never
        averaged).

    Raises
    ------
    InputError
        For a log folder that cannot be written, before anything is run; for a sequence or tracker that fails.
    RunsLost
        In the end, where worker processes ended in the middle of runs: a mean over the rest would not be what it says.
    """
    check_apart(grid.apart, [sequence.name for sequence in sequences])
    check_log_folder(log_dir)
    rows: List[Dict[str, Any]] = []
    lost: List[str] = []

    for spec, predictors in grid.cells():
        todo, table = jobs(sequences, spec, log_dir), ScoreTable(spec, grid.apart)
        for number, (job, scores, ran) in enumerate(
            run(todo, make_tracker, ScoreLog(predictors, grid.modes), executor, lambda _, line: lost.append(line)), 1
        ):
            table.add(job.sequence, scores)
            if progress:
                progress(f"{spec.describe()} {number}/{len(todo)} {job.sequence.name}: {'ran' if ran else 'kept'}")
        if not lost:
            rows += table.rows()
    if lost:
        raise RunsLost(lost)
    return rows


def check_apart(apart: FrozenSet[str], names: Sequence[str]) -> None:
    """Raise InputError where `apart` names a sequence that is not among `names`."""
    unknown = sorted(apart - set(names))
    if unknown:
        raise InputError(f"--apart names {', '.join(unknown)}, not among: {', '.join(names)}")


class ScoreTable:
    """Gathers the scores of one spec: a row for each group of sequences, predictor and mode."""

    def __init__(self, spec: RunSpec, apart: FrozenSet[str] = frozenset()):
        self._spec, self._apart = spec, apart
        # Groups of sequences differ in these, and each has its scores by mode and predictor.
        self._groups: Dict[tuple, Dict[tuple, List[Score]]] = {}
        self._samples: Dict[tuple, VideoSequence] = {}

    def add(self, sequence: VideoSequence, scores: Scores) -> None:
        """Add the scores of one run of this sequence."""
        key = (sequence.name in self._apart, -sequence.camera_fps, sequence.world_fps)
        self._samples.setdefault(key, sequence)
        cells = self._groups.setdefault(key, {})
        for name, by_mode in scores.items():
            for mode, score in by_mode.items():
                cells.setdefault((mode, name), []).append(score)

    def rows(self) -> List[Dict[str, Any]]:
        """Return the rows, by mode and predictor within each group."""
        made = []
        for key in sorted(self._groups):
            cells = self._groups[key]
            for wanted in dict.fromkeys(mode for mode, _ in cells):
                for (mode, name), scores in cells.items():
                    if mode == wanted:
                        made.append({**row(scores, self._spec, self._samples[key], name, mode), "apart": key[0]})
        return made
