"""What a closed loop is measured by: pointing error, loss of the target, and how roughly the camera turns."""

from __future__ import annotations

from typing import NamedTuple, Optional

import numpy as np

from pvtpp_benchmarks.closed_loop.axes import STEP_NS
from pvtpp_benchmarks.closed_loop.loop import Recording

SETTLED_S = 1.5
"""The camera starts at rest before a target at full speed: the mean error counts from here on."""
LOST_S = 0.5
"""A target out of the image for so long is lost."""


class Figures(NamedTuple):
    """The figures of one run.

    Attributes
    ----------
    mse_mrad2
        Mean squared pointing error from `SETTLED_S` on, square milliradians. A target out of the image counts as in its
        corner: a loop that has lost it is not the worse the farther the camera runs away.
    lost_s
        When the target left the image for at least `LOST_S`, seconds from the start; None where it did not.
    jerk
        Root mean square of both axes' jerk while the target was held, radians per second cubed.
    seconds
        Length of the run.
    """

    mse_mrad2: float
    lost_s: Optional[float]
    jerk: float
    seconds: float


def figures(recording: Recording, widest: float) -> Figures:
    """Measure a run; `widest` is the largest angle of the camera's view, `World.widest`, radians."""
    step_s = STEP_NS * 1e-9
    length = len(recording.error)
    error = np.minimum(np.where(recording.inside, recording.error, widest), widest)[round(SETTLED_S / step_s) :]
    lost = lost_at(recording.inside, round(LOST_S / step_s))
    held = recording.axes.jerk[: length if lost is None else max(lost, 1)]
    return Figures(
        float(np.mean(error**2)) * 1e6,
        None if lost is None else lost * step_s,
        float(np.sqrt(np.mean(held**2))),
        (length - 1) * step_s,
    )


def lost_at(inside: np.ndarray, least: int) -> Optional[int]:
    """Return the index at which the first `least` samples in a row begin in which the target is outside; or None."""
    outside = np.concatenate([[0], np.cumsum(~inside)])
    full = np.flatnonzero(outside[least:] - outside[:-least] == least)
    return int(full[0]) if len(full) else None
