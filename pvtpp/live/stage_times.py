"""How long each stage takes at present: median and 95th percentile of its newest samples."""

from __future__ import annotations

import threading
from typing import Dict, List, NamedTuple

import numpy as np

from pvtpp.errors import InputError


class StageTime(NamedTuple):
    """How long a stage takes.

    Attributes
    ----------
    samples
        How many samples there were in all.
    median, p95
        Median and 95th percentile of the newest samples, seconds.
    """

    samples: int
    median: float
    p95: float


class StageTimes:
    """Keeps the newest `window` samples of every stage. Any thread may call anything; `add` takes about a microsecond.

    Raises InputError for a window of less than one sample.
    """

    def __init__(self, window: int = 256):
        if window < 1:
            raise InputError(f"StageTimes: window is {window}, allowed is any whole number from 1")
        self._window = window
        self._lock = threading.Lock()
        self._samples: Dict[str, List[float]] = {}
        self._counts: Dict[str, int] = {}

    def add(self, stage: str, seconds: float) -> None:
        """Take one more sample of a stage, in seconds; the oldest beyond the window is forgotten."""
        with self._lock:
            count = self._counts.get(stage, 0)
            samples = self._samples.setdefault(stage, [])
            if len(samples) < self._window:
                samples.append(seconds)
            else:
                samples[count % self._window] = seconds
            self._counts[stage] = count + 1

    def summary(self) -> Dict[str, StageTime]:
        """Return the times of every stage that has samples, by its name."""
        with self._lock:
            taken = {stage: (self._counts[stage], list(samples)) for stage, samples in self._samples.items()}
        return {
            stage: StageTime(count, *(float(v) for v in np.percentile(samples, [50, 95])))
            for stage, (count, samples) in taken.items()
        }
