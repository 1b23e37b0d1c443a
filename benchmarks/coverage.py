"""How much of the truth lies within the bounds that the published sigma promises.

Errors of ``cx, cy, w, h`` are to be distributed as Student's t with three degrees of freedom (`pvtpp.trajectory`): 50 %
within .534 sigma, 90 % within 1.645, hence 95 % within 2.225. Each coordinate counts by itself, centre and size are
reported apart. Every world frame counts that shows the target and was answered by a trajectory, at permitted latency 0.
"""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional, Sequence

import numpy as np

from pvtpp.boxes import xywh_to_box
from pvtpp.core.event_log import EventLog
from pvtpp.predictors.motion import WITHIN

T_90, T_95 = 2.353363, 3.182446
"""Two-sided 90 and 95 % bounds of Student's t with three degrees of freedom and scale 1."""
BOUNDS: Dict[str, float] = {f"{share:.0%}"[:-1]: bound for share, bound in WITHIN}
BOUNDS["95"] = round(BOUNDS["90"] / T_90 * T_95, 3)
"""By the percentage that is promised: the bound in sigmas."""
GROUPS = {"centre": slice(0, 2), "size": slice(2, 4)}


class Coverage(NamedTuple):
    """Of one run.

    Attributes
    ----------
    frames
        How many frames count, at least one.
    centre, size
        Share of the coordinates within each of `BOUNDS`.
    """

    frames: int
    centre: np.ndarray
    size: np.ndarray


def cover(
    log: EventLog, predictor: str, made: np.ndarray, boxes: np.ndarray, truth_xywh: np.ndarray, t_ns: np.ndarray
) -> Optional[Coverage]:
    """Compare the answers of one run with the truth.

    Parameters
    ----------
    log, predictor
        The run, and whose trajectories the answers are of.
    made
        Number of the trajectory that answers for each of n world frames at permitted latency 0, -1 where none does;
        shape ``(n,)``.
    boxes
        Its answers ``[cx, cy, w, h]`` in pixels, shape ``(n, 4)``.
    truth_xywh
        Boxes ``[left, top, width, height]`` of these frames in pixels, shape ``(n, 4)``, NaN where absent.
    t_ns
        Their times in nanoseconds, shape ``(n,)``.

    Returns
    -------
    Coverage or None
        None where no frame counts: no trajectory answered, or none has a sigma above 0.
    """
    shown = (made >= 0) & np.isfinite(truth_xywh).all(axis=1)
    made, times, boxes = made[shown], t_ns[shown], boxes[shown]
    _, table = log.trajectories(predictor)
    sigma = table.sigmas(made, times)
    if not sigma.any():
        return None
    turned = np.flatnonzero(table.stabilised[made])
    if len(turned):
        # In the image of its own time a box may be larger than in the stabilised frame, and sigma with it.
        sigma[turned] *= (boxes[turned, 2] / table.boxes(made[turned], times[turned])[:, 2])[:, None]
    error = np.abs(boxes - xywh_to_box(truth_xywh[shown]))
    within = np.stack([error <= bound * sigma for bound in BOUNDS.values()])
    return Coverage(len(made), *(within[:, :, part].mean(axis=(1, 2)) for part in GROUPS.values()))


def coverage_figures(by_sequence: Sequence[Sequence[Optional[Coverage]]]) -> Optional[Dict[str, Any]]:
    """Return the coverage as a result row holds it: mean over runs, then sequences; None where no frame counts."""
    sequences = [[run for run in runs if run is not None] for runs in by_sequence]
    sequences = [runs for runs in sequences if runs]
    if not sequences:
        return None
    figures: Dict[str, Any] = {"frames": sum(run.frames for runs in sequences for run in runs)}
    for name in GROUPS:
        share = np.mean([np.mean([getattr(run, name) for run in runs], axis=0) for runs in sequences], axis=0)
        figures[name] = {key: round(float(value), 6) for key, value in zip(BOUNDS, share)}
    return figures
