"""Intervals by resampling: sequences are drawn, since the frames of one sequence say the same thing many times."""

from __future__ import annotations

from typing import List, Optional, Sequence

import numpy as np

RESAMPLES = 2000


def bootstrap_interval(values: np.ndarray, seed: int, resamples: int = RESAMPLES) -> Optional[List[float]]:
    """95 % interval of the mean of `values`, one for each sequence; None for fewer than two."""
    if len(values) < 2:
        return None
    draws = np.random.default_rng(seed).integers(len(values), size=(resamples, len(values)))
    return [float(v) for v in np.percentile(values[draws].mean(axis=1), [2.5, 97.5])]


def ratio_interval(values: Sequence[float], of: Sequence[float], seed: int, resamples: int = RESAMPLES) -> List[float]:
    """95 % interval of the mean of `values` divided by the mean of `of`; both have one for each sequence, in order."""
    pairs = np.array([values, of])
    draws = np.random.default_rng(seed).integers(pairs.shape[1], size=(resamples, pairs.shape[1]))
    above, below = pairs[:, draws].mean(axis=2)
    return [float(v) for v in np.percentile(above / below, [2.5, 97.5])]
