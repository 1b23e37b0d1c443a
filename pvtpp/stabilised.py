"""The stabilised frame: the image plane that the camera had at the newest evidence.

In it a track holds the target's own motion, without the camera's rotation. A predictor then does not have to predict
hand, wind and gimbal. The prediction is mapped into the image at the asked time as the last step, with gyro samples
that are newer than any frame.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import List, Optional

import numpy as np

from pvtpp.boxes import ArrayLike
from pvtpp.camera_motion import CameraMotion
from pvtpp.track import Displacement, PropagatedBox, Track
from pvtpp.trajectory import Prediction, Trajectory

LEAST_DEPTH = 0.3
"""Least depth of a point along the new optical axis (it was 1 before): below it the point is outside every image."""


def warp_boxes(boxes: ArrayLike, homography: np.ndarray) -> np.ndarray:
    """Map boxes into the image of a camera that has turned.

    The centre is mapped by the homography. The sides scale as the image does at the centre; their directions stay, even
    where the camera rolls.

    Parameters
    ----------
    boxes
        Shape ``(..., 4)``, pixels.
    homography
        Shape ``(3, 3)``, determinant 1: the homography of a rotation.

    Returns
    -------
    numpy.ndarray
        Shape ``(..., 4)``, pixels; NaN for boxes that the camera has turned away from.
    """
    boxes = np.asarray(boxes, dtype=np.float64)
    made = np.concatenate([boxes[..., :2], np.ones(boxes.shape[:-1] + (1,))], axis=-1) @ homography.T
    depth = np.where(made[..., 2:] > LEAST_DEPTH, made[..., 2:], np.nan)
    # An area changes by the determinant of the map's derivative, which for a rotation is depth^-3.
    return np.concatenate([made[..., :2] / depth, boxes[..., 2:] * depth**-1.5], axis=-1)


def stabilised(track: Track, motion: CameraMotion) -> Optional[Track]:
    """Map a track into the stabilised frame.

    Parameters
    ----------
    track
        A track that is not empty.
    motion
        What is known of the camera's rotation.

    Returns
    -------
    Track or None
        The track as seen by a camera that did not turn, without the results since which the rotation is not known; None
        where the rotation since the newest evidence is unknown.
    """
    track.require_result()
    reference = track.evidence_ns
    maps = [motion.homography(t_ns, reference) for t_ns in track.t_ns]
    if maps[-1] is None or motion.homography(reference, reference) is None:
        return None
    boxes = [None if each is None else warp_boxes(box, each) for box, each in zip(track.boxes, maps)]
    lost = [i for i, box in enumerate(boxes) if box is None or not np.isfinite(box).all()]
    first = lost[-1] + 1 if lost else 0
    if first == len(boxes):
        return None
    kept = np.array(boxes[first:])
    propagated = []
    for each in track.propagated:
        seen = motion.homography(each.t_ns, reference)
        box = None if seen is None else warp_boxes(each.box, seen)
        if box is None or not np.isfinite(box).all():
            return None
        propagated.append(PropagatedBox(each.t_ns, box, each.quality))
    displacements: List[Optional[Displacement]] = [None] * len(kept)
    for index in range(first + 1, len(track)):
        displacement, to = track.displacement(index), maps[index]
        if displacement is not None and to is not None:
            reached = track.boxes[index - 1] + displacement.moved
            if reached[2:].min() > 0:
                moved = warp_boxes(reached, to) - kept[index - 1 - first]
                displacements[index - first] = displacement._replace(moved=moved) if np.isfinite(moved).all() else None
    kept.flags.writeable = False
    return replace(
        track,
        t_ns=track.t_ns[first:],
        boxes=kept,
        scores=track.scores[first:],
        encodings=track.encodings[first:],
        propagated=tuple(propagated),
        displacements=tuple(displacements),
    )


def answer(trajectory: Trajectory, t_ns: int, motion: CameraMotion) -> Prediction:
    """Evaluate a trajectory in the image at `t_ns`, whether it is stabilised or not.

    The velocity is the one in that image: the target's own motion plus the flow of the camera's rotation. Where the
    camera has turned away from the target, or its rotation is unknown, the prediction stays in the stabilised frame.
    """
    found = trajectory.at(t_ns)
    if not trajectory.stabilised:
        return found
    seen = motion.homography(trajectory.evidence_ns, t_ns)
    if seen is None:
        return found
    box = warp_boxes(found.box, seen)
    if not math.isfinite(box[0]):
        return found
    scale = box[2] / found.box[2]
    depth = scale ** (-2 / 3)
    jacobian = (seen[:2, :2] - np.outer(box[:2], seen[2, :2])) / depth
    velocity = np.concatenate([jacobian @ found.velocity[:2], found.velocity[2:] * scale])
    velocity[:2] += motion.flow(box[:2], t_ns)
    return found._replace(box=box, velocity=velocity, sigma=found.sigma * scale)
