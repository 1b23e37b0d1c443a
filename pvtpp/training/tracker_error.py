"""How tracker results differ from the truth, as training imitates it: kinds of error, drawn anew for every window.

Units: the centre errs in shares of width and height, the size in log.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pvtpp.errors import InputError

KINDS = ("none", "given", "white", "drifting")


def log_uniform(rng: np.random.Generator, bounds: tuple[float, float], size: int | tuple[int, ...]) -> np.ndarray:
    """Numbers between two bounds whose logarithms are uniform."""
    low, high = (float(np.log(bound)) for bound in bounds)
    return np.exp(rng.uniform(low, high, size))


@dataclass(frozen=True)
class ErrorModel:
    """`shares` of windows by kind. `none`: the truth. `given`: independent Gaussian errors of size `given`. `white`: the same
    of a size drawn log-uniformly from `white`. `drifting`: what trackers do, a slow error with a memory plus a white one.

    The figures of `drifting` are medians of log-normal sizes, for centre and size. They describe NanoTrack V3 on the eight
    training clips of `uav-mini` from four starts: over frames where the target was not lost, the error of the centre has
    standard deviation .08 and correlation .7, .5, .3 after 1, 3, 6 frames, that of the log size .2 and .93, .83, .65; a
    frame adds .02 and .012 (medians).
    """

    shares: tuple[float, float, float, float] = (0.33, 0.33, 0.12, 0.22)
    given: float = 0.02
    white: tuple[float, float] = (0.004, 0.05)
    slow: tuple[float, float] = (0.04, 0.09)
    fast: tuple[float, float] = (0.016, 0.013)
    memory_s: tuple[tuple[float, float], tuple[float, float]] = ((0.08, 0.4), (0.2, 1.0))

    def __post_init__(self) -> None:
        if len(self.shares) != len(KINDS) or min(self.shares) < 0 or abs(sum(self.shares) - 1) > 1e-6:
            raise InputError(f"ErrorModel.shares is {self.shares}, expected {len(KINDS)} numbers from 0 that add up to 1")
        sizes = (self.given, *self.white, *self.slow, *self.fast, *self.memory_s[0], *self.memory_s[1])
        if not all(0 < size < float("inf") for size in sizes):
            raise InputError(f"ErrorModel: every size and time must be above 0, got {sizes}")

    def draw(self, rng: np.random.Generator, interval: np.ndarray, results: int) -> np.ndarray:
        """Errors of B windows with `interval` seconds, shape ``(B, results - 1)``, between results: ``(B, results, 4)``."""
        windows = len(interval)
        kind = rng.choice(len(KINDS), size=windows, p=self.shares)
        drawn = log_uniform(rng, self.white, windows)
        size = np.select([kind == 1, kind == 2], [self.given, drawn], 0.0)
        error = rng.normal(size=(windows, results, 4)) * size[:, None, None]
        drifting = np.flatnonzero(kind == 3)
        if len(drifting):
            error[drifting] = self._drifting(rng, interval[drifting], results)
        return error

    def _drifting(self, rng: np.random.Generator, interval: np.ndarray, results: int) -> np.ndarray:
        count = len(interval)
        ease = np.exp(rng.normal(0, 0.6, (count, 1)))
        slow, fast = (
            np.exp(rng.normal(np.log(np.repeat(median, 2)), 0.4, (count, 4))) * ease for median in (self.slow, self.fast)
        )
        memory = np.concatenate([np.repeat(log_uniform(rng, m, (count, 1)), 2, 1) for m in self.memory_s], 1)
        fresh = rng.normal(size=(count, results, 4)) * slow[:, None]
        error = np.empty_like(fresh)
        error[:, 0] = fresh[:, 0]
        for k in range(1, results):
            kept = np.exp(-interval[:, k - 1 : k] / memory)
            error[:, k] = kept * error[:, k - 1] + np.sqrt(1 - kept * kept) * fresh[:, k]
        return error + rng.normal(size=error.shape) * fast[:, None]
