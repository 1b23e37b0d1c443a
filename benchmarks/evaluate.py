"""The online benchmark over grids: run what has not been run, score it, one row for each cell."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Callable, Dict, FrozenSet, List, NamedTuple, Optional, Sequence, Tuple

from pvtpp.core.event_log import EventLog
from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.execution import RunsLost, Task, run
from pvtpp_benchmarks.row import row
from pvtpp_benchmarks.runs import Job, MakeTracker, check_log_folder, jobs
from pvtpp_benchmarks.score import Score, score_modes
from pvtpp_benchmarks.spec import Grid, RunSpec
from pvtpp_benchmarks.time_left import TimeLeft

Progress = Callable[[str], None]
Scores = Dict[Optional[str], Dict[str, Score]]
"""By predictor (None: zero latency) and metric mode."""


class Entry(NamedTuple):
    """A tracker of an evaluation.

    Attributes
    ----------
    grid
        Its runs, and what is scored of them.
    make_tracker
        Makes the tracker of a sequence.
    """

    grid: Grid
    make_tracker: MakeTracker


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
    """Run and score the grid of one tracker; see `evaluate_all`."""
    return evaluate_all(sequences, [Entry(grid, make_tracker)], log_dir, executor, progress)


def evaluate_all(
    sequences: Sequence[VideoSequence],
    entries: Sequence[Entry],
    log_dir: Optional[str] = None,
    executor: Optional[Executor] = None,
    progress: Optional[Progress] = None,
) -> List[Dict[str, Any]]:
    """Run and score the grids of several trackers: every run of every cell is a job of its own, all in one pool.

    Parameters
    ----------
    sequences
        What the trackers are run on.
    entries
        The trackers.
    log_dir
        Where event logs are kept; None keeps none.
    executor
        Runs the jobs, see `pvtpp_benchmarks.execution.run`; None: this process.
    progress
        Called with a line after each job.

    Returns
    -------
    list of dict
        Rows as the result's JSON holds them, tracker by tracker: zero latency first, then one for each cell, mode and
        camera rate (never averaged).

    Raises
    ------
    InputError
        Before anything is run, for a log folder that cannot be written, and for two trackers of one name; for a
        sequence or tracker that fails.
    RunsLost
        In the end, where worker processes ended in the middle of runs: a mean over the rest would not be what it says.
    """
    check_entries(entries)
    for entry in entries:
        check_apart(entry.grid.apart, [sequence.name for sequence in sequences])
    check_log_folder(log_dir)
    tasks: List[Task] = []
    cells: List[_Cell] = []
    cells_of: List[List[_Cell]] = []
    for entry in entries:
        # Cells of one spec share its runs: zero latency is that of `hold` at 0 ms, where nothing else costs time.
        sharing: Dict[RunSpec, List[_Cell]] = {}
        for spec, predictors in entry.grid.cells():
            cells.append(_Cell(ScoreTable(spec, entry.grid.apart), predictors))
            sharing.setdefault(spec, []).append(cells[-1])
        for spec, shared in sharing.items():
            names = tuple(dict.fromkeys(name for cell in shared for name in cell.predictors))
            use = ScoreLog(names, entry.grid.modes)
            made = [Task(job, entry.make_tracker, use) for job in jobs(sequences, spec, log_dir)]
            for cell in shared:
                cell.waiting = dict.fromkeys(range(len(tasks), len(tasks) + len(made)))
            tasks += made
            cells_of += [shared] * len(made)
    lost: List[str] = []
    left = TimeLeft(task.job for task in tasks)
    for done in run(tasks, executor, lambda _, line: lost.append(line)):
        for cell in cells_of[done.number]:
            cell.add(done.number, tasks, done.used)
        line = left.after(done)
        if progress:
            progress(line)
    if lost:
        raise RunsLost(lost)
    return [made for cell in cells for made in cell.rows]


def check_entries(entries: Sequence[Entry]) -> None:
    """Raise InputError where there is no tracker, or two have one name: rows and places of logs would not say which."""
    if not entries:
        raise InputError("no tracker is named, name at least one")
    names = [entry.grid.base.tracker for entry in entries]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"trackers {', '.join(names)}: {twice[0]} is there twice, allowed is each name once")


class _Cell:
    """One cell of a grid, its scores until all are there, then its rows."""

    def __init__(self, table: ScoreTable, predictors: Tuple[Optional[str], ...]):
        self.predictors = predictors
        self.rows: List[Dict[str, Any]] = []
        self.waiting: Dict[int, Optional[Scores]] = {}
        self._table, self._came = table, 0

    def add(self, number: int, tasks: Sequence[Task], scores: Scores) -> None:
        """Take the scores of a task; they come in any order, and are added in that of the tasks."""
        self.waiting[number] = {name: scores[name] for name in self.predictors}
        self._came += 1
        if self._came == len(self.waiting):
            for each, kept in self.waiting.items():
                self._table.add(tasks[each].job.sequence, kept or {})
            self.rows = self._table.rows()
            self.waiting = {}


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
