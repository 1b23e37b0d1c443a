"""How tracker results differ from the truth, as training imitates it: kinds of error, drawn anew for every window.

Units: the centre errs in shares of width and height, the size in log.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pvtpp.training.rules import SIZES
from pvtpp.validation import above, between, check, holds

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
        shares = holds(
            f"{len(KINDS)} numbers from 0 that add up to 1",
            lambda values: len(values) == len(KINDS) and min(values) >= 0 and abs(sum(values) - 1) <= 1e-6,
        )
        pairs = holds("pairs of numbers above 0", lambda values: all(map(SIZES.holds, values)))
        sizes = dict.fromkeys(("white", "slow", "fast"), SIZES)
        check(self, {"shares": shares, "given": above(0), **sizes, "memory_s": pairs})

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
            np.exp(rng.normal(np.log(np.repeat(median, 2)), 0.4, (count, 4))) * ease
            for median in (self.slow, self.fast)
        )
        memory = np.concatenate([np.repeat(log_uniform(rng, m, (count, 1)), 2, 1) for m in self.memory_s], 1)
        fresh = rng.normal(size=(count, results, 4)) * slow[:, None]
        error = np.empty_like(fresh)
        error[:, 0] = fresh[:, 0]
        for k in range(1, results):
            kept = np.exp(-interval[:, k - 1 : k] / memory)
            error[:, k] = kept * error[:, k - 1] + np.sqrt(1 - kept * kept) * fresh[:, k]
        return error + rng.normal(size=error.shape) * fast[:, None]


@dataclass(frozen=True)
class FlowError:
    """How far the propagation's optical flow is from the target's way, drawn anew for every window and step.

    `quality`: what a window's flow says of itself, uniform, and how much that varies from step to step. `sure`, `unsure`:
    standard deviations for centre and size at quality 1 and 0; `spread` of that between windows, as a logarithm. `bias`: the
    share that stays the same throughout a window. `missing`: steps of which nothing is said. `propagated`: how much less a
    propagated box slips with a frame.

    Measured on the eight training clips of `uav-mini`, results of NanoTrack V3 from two starts, 9,600 ways of 33 to 330 ms:
    the medians are .007, .018, .030 for the centre and .003, .009, .018 for the size at qualities .95, .55, .2, and hardly
    grow with time.
    """

    quality: tuple[float, float] = (0.1, 1.0)
    scatter: float = 0.1
    certain: tuple[float, float] = (0.007, 0.003)
    uncertain: tuple[float, float] = (0.05, 0.03)
    spread: float = 0.4
    bias: float = 0.25
    missing: float = 0.06
    propagated: float = 0.5

    def __post_init__(self) -> None:
        pair = holds("two numbers above 0", lambda sizes: len(sizes) == 2 and SIZES.holds(sizes))
        quality = holds("two numbers above 0 and up to 1, in order", lambda pair: 0 < pair[0] <= pair[1] <= 1)
        shares = dict.fromkeys(("bias", "missing", "propagated"), between(0, 1))
        check(self, {"quality": quality, "certain": pair, "uncertain": pair, **shares})

    def draw(self, rng: np.random.Generator, propagated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Quality ``(B, n)``, 0 where nothing is said, and error ``(B, n, 4)`` of B windows with n steps, `propagated` or not."""
        windows, steps = propagated.shape
        level = rng.uniform(*self.quality, (windows, 1))
        quality = np.clip(level + self.scatter * rng.normal(size=(windows, steps)), 0.03, 1.0)
        doubt = (1 - quality)[..., None]
        certain, uncertain = np.repeat(self.certain, 2), np.repeat(self.uncertain, 2)
        size = certain + doubt * np.subtract(uncertain, certain)
        size = size * np.exp(self.spread * rng.normal(size=(windows, 1, 4)))
        white, same = rng.normal(size=(windows, steps, 4)), rng.normal(size=(windows, 1, 4))
        error = size * (np.sqrt(1 - self.bias**2) * white + self.bias * same)
        error[propagated] *= self.propagated
        said = propagated | (rng.random((windows, steps)) >= self.missing)
        return quality * said, error
