"""How tracker results and optical flow differ from the truth: error models, drawn anew for every training window.

Errors of the centre are in target sizes (width and height), errors of the size are of its logarithm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pvtpp.training.rules import SIZES
from pvtpp.validation import above, between, check, holds

KINDS = ("none", "given", "white", "drifting")
"""Kinds of error, in the order of `ErrorModel.shares`."""


def log_uniform(rng: np.random.Generator, bounds: tuple[float, float], size: int | tuple[int, ...]) -> np.ndarray:
    """Random numbers between two bounds above 0 whose logarithms are uniform."""
    low, high = (float(np.log(bound)) for bound in bounds)
    return np.exp(rng.uniform(low, high, size))


@dataclass(frozen=True)
class ErrorModel:
    """Errors of tracker results.

    The defaults of `slow`, `fast` and `memory_s` describe NanoTrack V3 on the eight training clips of `uav-mini` from
    four starts. Over frames where the target was not lost, the error of the centre has standard deviation 0.08 and
    correlation 0.7, 0.5, 0.3 after 1, 3, 6 frames, that of the log size 0.2 and 0.93, 0.83, 0.65; one frame adds 0.02
    and 0.012 (medians).

    Attributes
    ----------
    shares
        Shares of windows by kind, they add up to 1: ``none`` (the truth), ``given`` (independent Gaussian errors of
        size `given`), ``white`` (independent, of a size drawn per window) and ``drifting`` (as trackers err: a slow
        error with a memory plus an independent one).
    given
        Standard deviation of the errors of kind ``given``.
    white
        Bounds of the standard deviation of kind ``white``, log-uniform.
    slow, fast
        Kind ``drifting``: medians of the standard deviations of the slow and of the independent error, for centre and
        size.
    memory_s
        Kind ``drifting``: bounds of the time constant of the slow error, seconds, for centre and size.

    Raises
    ------
    InputError
        For a value out of range.
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
        """Draw errors for B windows.

        Parameters
        ----------
        rng
            The random generator.
        interval
            Seconds between consecutive results, shape ``(B, results - 1)``.
        results
            Results in each window.

        Returns
        -------
        np.ndarray
            Errors ``[dx/w, dy/h, dlog w, dlog h]``, shape ``(B, results, 4)``.
        """
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
    """Errors of the displacement that optical flow measures, drawn anew for every window and step.

    Measured on the eight training clips of `uav-mini` with results of NanoTrack V3 from two starts, 9,600 displacements
    over 33 to 330 ms: the medians are 0.007, 0.018, 0.030 for the centre and 0.003, 0.009, 0.018 for the size at
    qualities 0.95, 0.55, 0.2, and hardly grow with time.

    Attributes
    ----------
    quality
        Bounds of a window's mean flow quality, uniform.
    scatter
        Standard deviation of the quality within a window.
    certain, uncertain
        Standard deviations of the error for centre and size, at quality 1 and at quality 0.
    spread
        Standard deviation between windows of the logarithm of the error's size.
    bias
        Share of the error that is the same throughout a window.
    missing
        Share of steps that the flow does not measure.
    propagated
        Factor on the error of propagated boxes, whose steps are single frames.

    Raises
    ------
    InputError
        For a value out of range.
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
        """Draw quality and error for B windows of n steps.

        Parameters
        ----------
        rng
            The random generator.
        propagated
            Which steps lead to a propagated box, bool, shape ``(B, n)``.

        Returns
        -------
        tuple of np.ndarray
            Quality ``(B, n)``, 0 where the flow measures nothing, and error ``(B, n, 4)``.
        """
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
