"""The matching rule of latency-aware evaluation: which answer counts for which world frame, for every sigma.

For world frame f at permitted latency sigma (a fraction of a world frame) the newest answer that is available at
``t_f + sigma / kappa`` is evaluated at ``t_f`` (PVT++, the function phi_e of extended latency-aware evaluation). As
sigma grows from 0 to 1, a frame's answer changes only when another becomes available. So each frame has a short list
of answers, each with the sigma from which it counts, and the result is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple

import numpy as np

from pvtpp.boxes import iou, xywh_to_box
from pvtpp.camera_motion import Gyro
from pvtpp.core.event_log import EventLog
from pvtpp.core.presence import Presence
from pvtpp.errors import InputError
from pvtpp.stabilised import warp_boxes
from pvtpp.trajectory import TrajectoryTable

SIGMA_DECIMALS = 6
"""Decimals of sigma. Frame times are rounded to nanoseconds; a smaller difference of sigma counts as none."""


@dataclass(frozen=True)
class Pairs:
    """P answers to n world frames, ordered by frame and then by sigma.

    Attributes
    ----------
    frame
        Index into the scored world frames, shape ``(P,)``.
    box
        The answers ``[cx, cy, w, h]`` in pixels, shape ``(P, 4)``.
    sigma
        The permitted latency in world frames, 0 to 1, from which each answer counts, shape ``(P,)``. The first answer
        of each frame has 0.
    trajectory
        Number of the trajectory that gave each answer, shape ``(P,)``, -1 for a tracker result; None offline.
    """

    frame: np.ndarray
    box: np.ndarray
    sigma: np.ndarray
    trajectory: Optional[np.ndarray] = None

    def first(self) -> np.ndarray:
        """Say which answers are those at permitted latency 0, one for each frame; shape ``(P,)``, bool."""
        return np.diff(self.frame, prepend=-1) > 0

    def overlap(self, ground_truth_xywh: np.ndarray) -> np.ndarray:
        """IoU of the answers at permitted latency 0 with the truth, shape ``(n,)``; NaN where the target is absent.

        Parameters
        ----------
        ground_truth_xywh
            Boxes ``[left, top, width, height]`` of the n world frames in pixels, shape ``(n, 4)``, NaN where absent.
        """
        return iou(self.box[self.first()], xywh_to_box(ground_truth_xywh))


def pair(log: EventLog, predictor: str, world_t_ns: np.ndarray, kappa: float, schedule: str = "async") -> Pairs:
    """Pair the trajectories of one predictor with world frames.

    Parameters
    ----------
    log
        The event log of a run.
    predictor
        Name of the predictor in the log.
    world_t_ns
        Times of the world frames in nanoseconds, shape ``(n,)``, int64, increasing.
    kappa
        World frames per second.
    schedule
        ``async``: beyond the time that it was made for, a trajectory is extrapolated. ``paper``: a trajectory answers
        up to its `valid_until_ns`; for later frames the newest tracker result counts, as in the published evaluation.

    Raises
    ------
    InputError
        If the log has no such predictor, or for the schedule ``paper`` with a run that used a gyro.
    """
    available, table = log.trajectories(predictor)
    if schedule == "async":
        frame, answer, sigma = _candidates(available, world_t_ns, kappa)
        boxes = table.boxes(answer, world_t_ns[frame])
        if table.stabilised.any():
            _turn(boxes, log, table, answer, world_t_ns[frame])
        return Pairs(frame, boxes, sigma, answer)
    if table.stabilised.any():
        raise InputError("schedule 'paper' cannot score stabilised trajectories; score a run with a gyro by 'async'")
    results = log.of_kind("init", "result")
    result_ns = np.array([row[1] for row in results], dtype=np.int64)
    moments = np.unique(np.concatenate([available, result_ns]))
    frame, moment, sigma = _candidates(moments, world_t_ns, kappa)
    made = np.searchsorted(available, moments[moment], side="right") - 1
    newest_result = np.searchsorted(result_ns, moments[moment], side="right") - 1
    boxes = np.array([row[4] for row in results], dtype=np.float64)[newest_result]
    reaches = world_t_ns[frame] <= table.valid_until_ns[made]
    boxes[reaches] = table.boxes(made[reaches], world_t_ns[frame[reaches]])
    return Pairs(frame, boxes, sigma, np.where(reaches, made, -1))


def _turn(boxes: np.ndarray, log: EventLog, table: TrajectoryTable, answer: np.ndarray, t_ns: np.ndarray) -> None:
    """Map the boxes of stabilised trajectories, in place, into the images at `t_ns` with the gyro samples up to then.

    `t_ns` must not decrease. With sigma above 0 an answer may come later and could use more samples; they are not used.
    """
    gyro, samples = Gyro.from_dict(log.meta["gyro"]), iter(log.of_kind("gyro"))
    sample = next(samples, None)
    for i, moment in enumerate(t_ns.tolist()):
        while sample is not None and sample[1] <= moment:
            gyro.add(sample[2], sample[3])
            sample = next(samples, None)
        if table.stabilised[answer[i]]:
            seen = gyro.homography(int(table.evidence_ns[answer[i]]), moment)
            box = boxes[i] if seen is None else warp_boxes(boxes[i], seen)
            if np.isfinite(box).all():
                boxes[i] = box


def pair_offline(log: EventLog, camera_frames: np.ndarray) -> Pairs:
    """Pair every camera frame with the tracker's own result for it: the zero-latency (offline) evaluation.

    Parameters
    ----------
    log
        The event log of a run in which the tracker processed every frame.
    camera_frames
        Indices of the camera frames to score, shape ``(n,)``.

    Raises
    ------
    InputError
        If the run skipped one of the frames.
    """
    results = {row[2]: row[4] for row in log.of_kind("init", "result")}
    missing = [int(frame) for frame in camera_frames if int(frame) not in results]
    if missing:
        raise InputError(
            f"{len(missing)} of {len(camera_frames)} camera frames have no tracker result (first: {missing[0]}); "
            "offline evaluation needs a run with processing time 0ms"
        )
    boxes = np.array([results[int(frame)] for frame in camera_frames], dtype=np.float64)
    return Pairs(np.arange(len(boxes)), boxes, np.zeros(len(boxes)))


def reported_lost(log: EventLog, world_t_ns: np.ndarray, kappa: float) -> Optional[np.ndarray]:
    """Say for each world frame whether presence is LOST at permitted latency 0.

    Parameters
    ----------
    log
        The event log of a run.
    world_t_ns
        Times of the world frames in nanoseconds, shape ``(n,)``, int64, increasing.
    kappa
        World frames per second.

    Returns
    -------
    ndarray or None
        Shape ``(n,)``, bool; None for a run that does not assess presence.
    """
    rows = log.of_kind("presence")
    if not rows:
        return None
    lost = np.array([False, *(row[2] == Presence.LOST.value for row in rows)])
    since = np.array([row[1] for row in rows], dtype=np.int64)
    return lost[np.searchsorted(since, world_t_ns + same_time_ns(kappa), side="right")]


def same_time_ns(kappa: float) -> int:
    """Nanoseconds: what is available this much later is available at the same time, at kappa world frames a second."""
    return int(0.5 * 10**-SIGMA_DECIMALS * 1e9 / kappa)


def _candidates(
    available: np.ndarray, world_t_ns: np.ndarray, kappa: float
) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each frame every answer that is the newest at some sigma from 0 to 1, as (frame, answer, sigma).

    `available` are the times from which the answers are available, in nanoseconds, not decreasing.
    """
    t_ns = world_t_ns + same_time_ns(kappa)
    first = np.maximum(np.searchsorted(available, t_ns, side="right") - 1, 0)
    last = np.maximum(np.searchsorted(available, t_ns + round(1e9 / kappa), side="right") - 1, 0)
    counts = last - first + 1
    frame = np.repeat(np.arange(len(t_ns)), counts)
    answer = np.repeat(first, counts) + np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    sigma = np.round((available[answer] - world_t_ns[frame]) * (kappa / 1e9), SIGMA_DECIMALS)
    sigma[np.cumsum(counts) - counts] = 0.0
    return frame, answer, sigma
