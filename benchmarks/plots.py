"""The three plots of a one-pass evaluation: shares of frames over a threshold, all at permitted latency 0.

success
    Share of frames whose overlap is above 0, 0.05 .. 1.
precision
    Share of frames whose centre error is at most 0, 1 .. 50 px.
norm_precision
    Share of frames whose centre error, in units of the target's width and height, is at most 0, 0.01 .. 0.5.

Which frames count, and for what, is as in the metric mode. In the modes `elae` and `otb` the mean of the success plot
is AUC and that of normalised precision is NormP; DP@20 is the precision at 20 px in every mode.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Sequence

import numpy as np

from pvtpp_benchmarks.metrics import NORMALISED, OVERLAPS, Errors

THRESHOLDS: Dict[str, np.ndarray] = {
    "success": OVERLAPS,
    "precision": np.arange(51.0),
    "norm_precision": NORMALISED,
}
Plots = Mapping[str, np.ndarray]
"""Share of frames at each of `THRESHOLDS`, by the name of the plot."""


def plots_of(errors: Errors) -> Plots:
    """The plots of one run.

    Parameters
    ----------
    errors
        Of one answer for each frame: those at permitted latency 0.
    """
    counts = errors.counts
    overlap = np.sort(errors.overlap[counts])
    above = len(overlap) - np.searchsorted(overlap, OVERLAPS, side="right")
    hits = {"success": above}
    for name, error in (("precision", errors.pixels), ("norm_precision", errors.normalised)):
        hits[name] = np.searchsorted(np.sort(error[counts]), THRESHOLDS[name], side="right")
    return {name: hit / errors.frames for name, hit in hits.items()}


def plot_figures(by_sequence: Sequence[Sequence[Plots]]) -> Dict[str, Dict[str, Any]]:
    """Return the plots as a result row holds them: mean over the runs of each sequence, then over sequences."""
    return {
        name: {
            "threshold": np.round(thresholds, 6).tolist(),
            "value": _mean([np.mean([plots[name] for plots in runs], axis=0) for runs in by_sequence]),
        }
        for name, thresholds in THRESHOLDS.items()
    }


def _mean(values: Sequence[np.ndarray]) -> Any:
    return np.round(np.mean(values, axis=0), 6).tolist()
