"""How long the rest of many runs will take, by those that are done."""

from __future__ import annotations

import time
from typing import Callable, Dict, Iterable, Optional

from pvtpp_benchmarks.execution import Done
from pvtpp_benchmarks.runs import Job


def tracked_frames(job: Job) -> float:
    """About how many frames the tracker of a run is shown: fewer than there are where it is slower than the camera."""
    sequence, spec = job.sequence, job.spec
    shown = len(sequence) * (1 - job.start_number / spec.starts)
    return shown / max(1.0, spec.processing_ms * sequence.camera_fps / 1e3)


class TimeLeft:
    """Estimates the time left from how long each tracker took for a frame, and how many runs go on at a time.

    A tracker that has not run yet is taken for one like those that have. Runs whose logs are kept say nothing.

    Parameters
    ----------
    jobs
        All runs.
    clock
        Seconds, for tests.
    """

    def __init__(self, jobs: Iterable[Job], clock: Callable[[], float] = time.monotonic):
        self._clock, self._count, self._all = clock, 0, 0
        self._begin, self._busy = clock(), 0.0
        self._left: Dict[str, float] = {}
        for job in jobs:
            self._all += 1
            self._left[job.spec.tracker] = self._left.get(job.spec.tracker, 0.0) + tracked_frames(job)
        self._frames: Dict[str, float] = {}
        self._seconds: Dict[str, float] = {}

    def after(self, done: Done) -> str:
        """Count a run that is done; return a line that says which, how many there are and how long the rest takes."""
        spec, frames = done.job.spec, tracked_frames(done.job)
        name = spec.tracker
        self._count += 1
        self._left[name] -= frames
        self._busy += done.seconds
        if done.ran:
            self._frames[name] = self._frames.get(name, 0.0) + frames
            self._seconds[name] = self._seconds.get(name, 0.0) + done.seconds
        seconds = self.seconds()
        left = "" if seconds is None or self._count == self._all else f" (about {_duration(seconds)} left)"
        how = "ran" if done.ran else "kept"
        return f"{self._count}/{self._all}{left} {spec.describe()} {done.job.sequence.name}: {how}"

    def seconds(self) -> Optional[float]:
        """Return the estimate in seconds; None before the first run."""
        ran, elapsed = sum(self._seconds.values()), self._clock() - self._begin
        if ran <= 0 or elapsed <= 0:
            return None
        mean = ran / sum(self._frames.values())
        needed = 0.0
        for name, frames in self._left.items():
            known = self._frames.get(name)
            needed += frames * (self._seconds[name] / known if known else mean)
        # Seconds of runs for each second that passed: as many as go on at a time.
        return max(0.0, needed * elapsed / self._busy)


def _duration(seconds: float) -> str:
    """Two figures are enough: ``40 s``, ``3 min``, ``2 h 10 min``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
