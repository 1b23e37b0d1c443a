"""The truth at a time, and whether an answer was there in time, where times are rounded."""

from __future__ import annotations

import numpy as np

NEAR_NS = 2_000_000
"""Frame times are rounded: a truth this near to a time, nanoseconds, is the truth at that time."""
ROUNDED_NS = 16
"""A time may be this late by rounding alone, nanoseconds: an answer that is, was there in time, as in the benchmark."""


def first_asked(truth_t_ns: np.ndarray, available_ns: np.ndarray) -> np.ndarray:
    """Row of the first truth, ``truth_t_ns`` being its times, that an answer available at each time is in time for."""
    return np.searchsorted(truth_t_ns, np.asarray(available_ns) - ROUNDED_NS)


def truth_at(truth_t_ns: np.ndarray, truth: np.ndarray, t_ns: np.ndarray) -> np.ndarray:
    """The truth nearest to each time, NaN where none is within `NEAR_NS`.

    Parameters
    ----------
    truth_t_ns, truth
        Times ``(m,)``, nanoseconds, and true boxes ``(m, 4)``.
    t_ns
        Nanoseconds, ``(n,)``.

    Returns
    -------
    ndarray
        ``(n, 4)``.
    """
    at = np.clip(np.searchsorted(truth_t_ns, np.asarray(t_ns) - NEAR_NS), 0, len(truth) - 1)
    near = np.abs(truth_t_ns[at] - t_ns) <= NEAR_NS
    return np.where(near[:, None], truth[at], np.nan)
