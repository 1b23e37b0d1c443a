"""Intervals by resampling: sequences are drawn, since the frames of one sequence say the same thing many times."""

from __future__ import annotations

from typing import List, Optional

import numpy as np

RESAMPLES = 2000


def bootstrap_interval(values: np.ndarray, seed: int, resamples: int = RESAMPLES) -> Optional[List[float]]:
    """95 % interval of the mean of `values`, one for each sequence; None for fewer than two."""
    if len(values) < 2:
        return None
    draws = np.random.default_rng(seed).integers(len(values), size=(resamples, len(values)))
    return [float(v) for v in np.percentile(values[draws].mean(axis=1), [2.5, 97.5])]
