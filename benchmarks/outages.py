"""How long a run misses its target, how soon it finds it again, and what presence says of that.

All is at permitted latency 0, over the world frames of one run. A stretch is a row of successive frames; it lasts their
number divided by the frame rate.

off target
    The target is absent (hidden, or out of the image: the truth is NaN), or the answer overlaps it by less than 0.1.
outage
    A stretch off target in which the target is present: as long as the frames of it that show the target. Frames
    without the target neither count nor end it.
failure
    An outage of at least 0.5 s. It begins with the first missed frame. NT2F, the normalised time to failure, is the
    time from the start of the run to its first failure, as a share of the run; 1 where there is none.
lost in truth
    A frame without the target, and every frame, from the first on, of a stretch off target that lasts at least 0.5 s.
loss
    A stretch of at least 0.2 s that is lost in truth. It is noticed with its first frame at which presence says LOST.
return
    The first frame with the target after an absence of at least 0.2 s. The target is found with the first overlap of at
    least 0.5 before the next such absence.
in time
    For 0.5 s from each change of the truth between lost and not lost, whatever presence says counts as right.

NT2F is named after MATA (arXiv 2603.03904); this definition of a failure is our own.
"""

from __future__ import annotations

import math
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

MISSED, FOUND = 0.1, 0.5
FAILURE_S = 0.5
ABSENCE_S = 0.2
GRACE_S = 0.5
SOON_S = 1.0


class Counts(NamedTuple):
    """World frames of one run, counted for precision and recall of LOST.

    Attributes
    ----------
    frames
        All that count.
    lost
        Lost in truth.
    said
        Presence said LOST.
    right
        Both.
    """

    frames: int
    lost: int
    said: int
    right: int


class Losses(NamedTuple):
    """What presence said of the losses of one run.

    Attributes
    ----------
    strict
        Every frame.
    in_time
        The same with the grace after each change of the truth.
    noticed_s
        Seconds from the beginning of each loss to LOST; None where it ended without.
    """

    strict: Counts
    in_time: Counts
    noticed_s: Tuple[Optional[float], ...]


class Outages(NamedTuple):
    """How long one run missed its target.

    Attributes
    ----------
    nt2f
        Normalised time to failure, 0 to 1.
    longest_s
        The longest outage in seconds, 0 where there is none.
    found_s
        Seconds from each return of the target until it was found; None where it was not.
    losses
        None for a run that does not assess presence.
    """

    nt2f: float
    longest_s: float
    found_s: Tuple[Optional[float], ...]
    losses: Optional[Losses]


def find_outages(
    overlap: np.ndarray,
    fps: float,
    said: Optional[np.ndarray] = None,
) -> Outages:
    """Find the outages, returns and losses of one run.

    Parameters
    ----------
    overlap
        IoU of the answer with the truth at each world frame, shape ``(n,)`` with n >= 1; NaN where the target is
        absent.
    fps
        World frames per second.
    said
        Whether presence says LOST, shape ``(n,)``, bool; None for a run that does not assess presence.
    """
    absent, missed = np.isnan(overlap), overlap < MISSED
    begins, ends = stretches(absent | missed)
    before = np.concatenate([[0], np.cumsum(missed)])
    lengths = before[ends] - before[begins]
    failed = begins[lengths >= _frames(FAILURE_S, fps)]
    first = failed[0] + int(np.argmax(missed[failed[0] :])) if len(failed) else len(overlap)
    return Outages(
        float(first / len(overlap)),
        float(lengths.max(initial=0) / fps),
        _found(overlap, absent, fps),
        None if said is None else _losses(lost_in_truth(overlap, fps), said, fps),
    )


def lost_in_truth(overlap: np.ndarray, fps: float) -> np.ndarray:
    """Say for each world frame whether the target is lost in truth, shape ``(n,)``, bool; as of `find_outages`."""
    lost = np.isnan(overlap)
    for begin, end in _lasting(lost | (overlap < MISSED), FAILURE_S, fps):
        lost[begin:end] = True
    return lost


def in_time(lost: np.ndarray, said: np.ndarray, fps: float, grace_s: float = GRACE_S) -> np.ndarray:
    """Return what presence said, shape ``(n,)``; for `grace_s` seconds from each change of the truth on, the truth."""
    forgiven = said.copy()
    for change in np.flatnonzero(lost[1:] != lost[:-1]) + 1:
        late = slice(change, change + _frames(grace_s, fps))
        forgiven[late] = lost[late]
    return forgiven


def stretches(mask: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Return the first frame of each stretch where `mask` holds, and the frame after its last; both of shape (k,)."""
    changes = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return changes[::2], changes[1::2]


def outage_figures(runs: Sequence[Outages]) -> Dict[str, Any]:
    """Return the figures of at least one run as a result row holds them.

    Returns
    -------
    dict
        ``nt2f`` (mean over runs), ``outage_s`` (median and maximum over runs of the longest outage), the number of
        ``returns``, how many were ``found`` and the share ``found_in_1_s`` of them all, and ``seconds_to_find`` (median
        and 95th percentile of those found). None where there is nothing to take it of.
    """
    returns = [each for run in runs for each in run.found_s]
    found = [each for each in returns if each is not None]
    longest = [run.longest_s for run in runs]
    return {
        "nt2f": round(float(np.mean([run.nt2f for run in runs])), 6),
        "outage_s": [round(float(np.median(longest)), 6), round(max(longest), 6)],
        "returns": len(returns),
        "found": len(found),
        "found_in_1_s": _share(sum(each <= SOON_S for each in found), len(returns)),
        "seconds_to_find": _seconds(found),
    }


def loss_figures(runs: Sequence[Outages]) -> Optional[Dict[str, Any]]:
    """Return what presence said in these runs, as a result row holds it; None where none assesses presence.

    Returns
    -------
    dict
        Over the frames of all runs: ``frames``, ``lost``, ``said`` (LOST), ``right`` (both), ``precision`` and
        ``recall`` of LOST, the last four also ``_in_time``; the number of ``losses``, how many were ``noticed``, and
        ``seconds_to_notice`` (median and 95th percentile of those). None where there is nothing to take it of.
    """
    known = [run.losses for run in runs if run.losses is not None]
    if not known:
        return None
    strict, late = (Counts(*map(sum, zip(*counts))) for counts in zip(*((each.strict, each.in_time) for each in known)))
    losses = [each for run in known for each in run.noticed_s]
    noticed = [each for each in losses if each is not None]
    return {
        "frames": strict.frames,
        "lost": strict.lost,
        "said": strict.said,
        "right": strict.right,
        "said_in_time": late.said,
        "right_in_time": late.right,
        "precision": _share(strict.right, strict.said),
        "recall": _share(strict.right, strict.lost),
        "precision_in_time": _share(late.right, late.said),
        "recall_in_time": _share(late.right, late.lost),
        "losses": len(losses),
        "noticed": len(noticed),
        "seconds_to_notice": _seconds(noticed),
    }


def _losses(lost: np.ndarray, said: np.ndarray, fps: float) -> Losses:
    noticed = (_first(said[begin:end], fps) for begin, end in _lasting(lost, ABSENCE_S, fps))
    return Losses(_counts(lost, said), _counts(lost, in_time(lost, said, fps)), tuple(noticed))


def _counts(lost: np.ndarray, said: np.ndarray) -> Counts:
    return Counts(len(lost), *(int(np.count_nonzero(each)) for each in (lost, said, lost & said)))


def _found(overlap: np.ndarray, absent: np.ndarray, fps: float) -> Tuple[Optional[float], ...]:
    absences = _lasting(absent, ABSENCE_S, fps)
    leaves = [begin for begin, _ in absences[1:]] + [len(overlap)]
    hit = overlap >= FOUND
    return tuple(_first(hit[end:leave], fps) for (_, end), leave in zip(absences, leaves) if end < len(overlap))


def _lasting(mask: np.ndarray, seconds: float, fps: float) -> List[Tuple[int, int]]:
    """The stretches of `mask` that last at least so long."""
    begins, ends = stretches(mask)
    least = _frames(seconds, fps)
    return [(begin, end) for begin, end in zip(begins.tolist(), ends.tolist()) if end - begin >= least]


def _frames(seconds: float, fps: float) -> int:
    """The fewest frames that last at least so long; a rate such as 29.97 is not exact."""
    return max(math.ceil(seconds * fps - 1e-6), 0)


def _first(mask: np.ndarray, fps: float) -> Optional[float]:
    """Seconds to the first frame where `mask` holds."""
    return float(np.argmax(mask) / fps) if mask.any() else None


def _share(part: int, whole: int) -> Optional[float]:
    return round(part / whole, 6) if whole else None


def _seconds(values: Sequence[float]) -> Optional[List[float]]:
    return [round(float(each), 6) for each in np.percentile(values, [50, 95])] if values else None
