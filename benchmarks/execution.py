"""Carries out runs that do not depend on one another: in this process, in worker processes, or on a cluster."""

from __future__ import annotations

import glob
import os
import platform
import tempfile
import time
import zlib
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from pvtpp.core.event_log import EventLog
from pvtpp.errors import InputError
from pvtpp.files import whole_file
from pvtpp_benchmarks.runs import Job, MakeTracker, obtain
from pvtpp_benchmarks.workers import WorkerEnded
from pvtpp_trackers.factory import MakeTracker as MakeByName

AHEAD = 1024
"""Most runs that are given to an executor at a time: more than it has processes, fewer than fill the memory."""


class RunsLost(RuntimeError):
    """Worker processes ended in the middle of runs; all other runs are done, and their logs kept.

    Attributes
    ----------
    lines
        For each lost run a line that names its sequence.
    """

    def __init__(self, lines: Sequence[str]):
        self.lines = tuple(lines)
        kept = "finished runs are kept, the same command goes on from there"
        super().__init__("\n".join([*self.lines, f"{_count(len(lines))} lost; {kept}"]))

    def __reduce__(self) -> Tuple[type, Tuple[Any, ...]]:
        return type(self), (self.lines,)


def _count(number: int) -> str:
    return f"{number} run{'s' * (number != 1)}"


@dataclass(frozen=True)
class Task:
    """A run, who makes its tracker, and what becomes of its log.

    Attributes
    ----------
    job
        The run.
    make_tracker
        Makes the tracker of a sequence.
    use
        Called with the job and its log, in the process that has it: of all logs no more than one is in memory there.
    """

    job: Job
    make_tracker: MakeTracker
    use: Callable[[Job, EventLog], Any]


class Done(NamedTuple):
    """A task that is done.

    Attributes
    ----------
    number
        Of the task in the list of all.
    job
        Its run.
    used
        What its `use` returned.
    ran
        Whether the tracker had to run: a complete log of the same facts is read instead.
    seconds
        What it took where it was done.
    """

    number: int
    job: Job
    used: Any
    ran: bool
    seconds: float


class _Answer(NamedTuple):
    """What comes back from where a task is done: `log` is a compressed file, of an executor elsewhere."""

    used: Any
    ran: bool
    seconds: float
    log: Optional[bytes] = None


def run(
    tasks: Sequence[Task],
    executor: Optional[Executor] = None,
    lost: Optional[Callable[[Job, str], None]] = None,
) -> Iterator[Done]:
    """Carry out every task. Runs are deterministic, so any executor may do them in any order.

    Parameters
    ----------
    tasks
        What to do.
    executor
        Does it; None: this process. Runs on the wall clock take none: InputError. One whose attribute `shares_files` is
        False has processes that may be on other machines: a kept log is sent there, a new one comes back and is written
        by this process.
    lost
        Called with each job whose worker process ended, and one line that says so; the other jobs go on. None raises
        `RunsLost` at the first.

    Yields
    ------
    Done
        As soon as it is done; without an executor in the order of `tasks`. Interrupting loses the runs under way and
        nothing else.
    """
    if executor is not None and any(task.job.spec.clock == "wall" for task in tasks):
        raise InputError("runs on the wall clock share the machine with nobody: they take no executor")
    if executor is None:
        for number, task in enumerate(tasks):
            answer = _here(task)
            yield Done(number, task.job, answer.used, answer.ran, answer.seconds)
        return
    waiting = iter(enumerate(tasks))
    running: Dict[Future, int] = {}
    try:
        while True:
            for number, task in waiting:
                running[_submit(executor, task)] = number
                if len(running) >= AHEAD:
                    break
            if not running:
                return
            for future in _finished(running):
                number = running.pop(future)
                job = tasks[number].job
                try:
                    answer = future.result()
                except WorkerEnded as error:
                    _remove_parts(job)
                    line = f"{job.sequence.name} ({job.spec.describe()}): {error}"
                    if lost is None:
                        raise RunsLost([line]) from None
                    lost(job, line)
                    continue
                if answer.log is not None and job.path is not None:
                    with whole_file(job.path) as part, open(part, "wb") as file:
                        file.write(zlib.decompress(answer.log))
                yield Done(number, job, answer.used, answer.ran, answer.seconds)
    finally:
        for future in running:
            future.cancel()


def _finished(running: Dict[Future, int]) -> List[Future]:
    """Wait for one or more of these; they come in the order of their tasks."""
    return sorted(wait(running, return_when=FIRST_COMPLETED).done, key=running.__getitem__)


def _submit(executor: Executor, task: Task) -> Future:
    if getattr(executor, "shares_files", True):
        return executor.submit(_here, task)
    return executor.submit(_elsewhere, task, _compressed(task.job.path))


def _here(task: Task) -> _Answer:
    """Carry out a task where its log lies."""
    begin = time.perf_counter()
    log, ran = obtain(task.job, task.make_tracker)
    return _Answer(task.use(task.job, log), ran, time.perf_counter() - begin)


def _elsewhere(task: Task, kept: Optional[bytes]) -> _Answer:
    """Carry out a task on a machine that may not have its log: `kept` is the log of an earlier run, if there is one."""
    job = task.job
    _check_same_tracker(task)
    if job.path is None:
        return _here(task)
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="pvtpp-") as folder:
        path = os.path.join(folder, os.path.basename(job.path))
        if kept is not None:
            with open(path, "wb") as file:
                file.write(zlib.decompress(kept))
        log, ran = obtain(replace(job, path=path), task.make_tracker)
        used = task.use(job, log)
        return _Answer(used, ran, time.perf_counter() - begin, _compressed(path) if ran else None)


def _check_same_tracker(task: Task) -> None:
    """Raise InputError where this machine has other source files or weights of a tracker than the log is known by."""
    expected, make = task.job.spec.tracker_digest, task.make_tracker
    if expected and isinstance(make, MakeByName) and make.digest() != expected:
        raise InputError(
            f"tracker {make.name} on {platform.node()}: other source files or weights than where the runs were asked "
            "for, allowed are the same everywhere"
        )


def _compressed(path: Optional[str]) -> Optional[bytes]:
    """The content of a file, compressed; None where there is none."""
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            return zlib.compress(file.read(), 1)
    except FileNotFoundError:
        return None


def _remove_parts(job: Job) -> None:
    """Remove what a process that was killed has left of this job's log."""
    if job.path is None:
        return
    folder, name = os.path.split(job.path)
    for part in glob.glob(os.path.join(glob.escape(folder), f".{glob.escape(name)}.*.part")):
        with suppress(OSError):
            os.remove(part)


def check_tracker(
    make_tracker: Callable[[], Any], executor: Optional[Executor] = None, look: Callable[[Any], Any] = bool
) -> Any:
    """Make a tracker once where the runs will make it, so that one that cannot be made is found before the work.

    Parameters
    ----------
    make_tracker
        Makes it.
    executor
        Its process makes the tracker, none is made in this one; None: this process.
    look
        Called with the tracker there; what it returns is returned here.

    Raises
    ------
    InputError
        As `make_tracker` does, and where the process ends in it.
    """
    if executor is None:
        return look(make_tracker())
    try:
        return executor.submit(_make_and_look, make_tracker, look).result()
    except WorkerEnded as error:
        raise InputError(f"the tracker cannot be made: {error}") from None


def _make_and_look(make_tracker: Callable[[], Any], look: Callable[[Any], Any]) -> Any:
    return look(make_tracker())
