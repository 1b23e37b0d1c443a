"""Paired differences between all methods of a panel at once."""

from __future__ import annotations

from typing import List, Optional

import numpy as np

from pvtpp_benchmarks.comparison import RESAMPLES, TIE


def all_pairs(values: np.ndarray, seed: int = 0) -> List[List[Optional[float]]]:
    """Compare every two methods over the same sequences, as `pvtpp_benchmarks.comparison.paired` does.

    Parameters
    ----------
    values
        Shape ``(methods, sequences)``.
    seed
        Of the bootstrap.

    Returns
    -------
    list of list
        For each two methods ``i < j`` in order: mean of j minus i, the ends of its 95 % interval (None for fewer than
        two sequences), and the numbers of sequences on which j is better, worse and equal.
    """
    methods, count = values.shape
    resampled: Optional[np.ndarray] = None
    if count > 1:
        draws = np.random.default_rng(seed).integers(count, size=(RESAMPLES, count))
        # How often each sequence was drawn: the mean of a difference is the difference of two means.
        drawn = np.zeros((RESAMPLES, count))
        np.add.at(drawn, (np.arange(RESAMPLES)[:, None], draws), 1.0 / count)
        resampled = values @ drawn.T
    found: List[List[Optional[float]]] = []
    for first in range(methods - 1):
        apart = values[first + 1 :] - values[first]
        wins, losses = (apart > TIE).sum(axis=1), (apart < -TIE).sum(axis=1)
        low: List[Optional[float]] = [None] * len(apart)
        high = list(low)
        if resampled is not None:
            low, high = np.percentile(resampled[first + 1 :] - resampled[first], [2.5, 97.5], axis=1).tolist()
        for number, mean in enumerate(apart.mean(axis=1).tolist()):
            won, lost = int(wins[number]), int(losses[number])
            found.append([mean, low[number], high[number], won, lost, count - won - lost])
    return found


def pick(pairs: List[List[Optional[float]]], methods: int, first: int, second: int) -> List[Optional[float]]:
    """Pick one difference out of those of `all_pairs`: the second method minus the first, whichever comes before."""
    low, high = min(first, second), max(first, second)
    found = pairs[low * (2 * methods - low - 1) // 2 + high - low - 1]
    if first < second:
        return found
    mean, least, most, wins, losses, ties = found
    negated = [None if value is None else -value for value in (mean, most, least)]
    return [*negated, losses, wins, ties]
