"""Success, precision and normalised precision in three named modes, as exact functions of the permitted latency.

`elae`
    Equal to the published e-LAE toolkit to the last bit: 21 overlap thresholds, strict >, every frame counts. For AUC a
    target that is absent or touches the left or top border is a miss. For DP an absent target is a hit. Both are the
    toolkit's own behaviour, kept so that numbers can be compared.
`otb`
    21 overlap thresholds, strict >, frames without a target left out, as in most published tables. A perfect tracker
    has 20/21.
`strict`
    Mean overlap over the frames with a target, without the first frame, whose box was given. A perfect tracker has 1, a
    miss is 0.

AUC is the area under the success curve. DP is the share of frames whose centre error is at most 20 px. Normalised
precision is the area under the share of centre errors up to 0 to 0.5 of the target's size, as LaSOT defines it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Dict, NamedTuple, Tuple, Union

import numpy as np

from pvtpp.boxes import box_to_xywh
from pvtpp.errors import InputError
from pvtpp_benchmarks.pairing import Pairs

SIGMAS = np.arange(51) / 50
"""The 51 permitted latencies of e-LAE, 0 to 1 world frame; mAUC and mDP are plain means over these."""
OVERLAPS = np.arange(0, 1.05, 0.05)
PIXELS = 20.0
NORMALISED = np.arange(51) / 100
MEASURES = ("auc", "dp", "norm_precision")


@dataclass(frozen=True)
class Curve:
    """One measure as a step function of the permitted latency.

    Attributes
    ----------
    sigma
        Permitted latencies in world frames at which the measure changes, shape ``(n,)``, rising from 0.
    value
        The measure from each of them on, shape ``(n,)``.
    """

    sigma: np.ndarray
    value: np.ndarray

    def at(self, sigma: np.ndarray) -> np.ndarray:
        """The measure at these permitted latencies, which are 0 or more; the result has their shape."""
        return self.value[np.searchsorted(self.sigma, sigma, side="right") - 1]


@dataclass(frozen=True)
class Errors:
    """How far P answers are off, as one metric mode sees them: what all of its measures are thresholds of.

    Attributes
    ----------
    overlap
        IoU, shape ``(P,)``; in ``elae`` -1 for a miss whatever the answer.
    pixels
        Distance of the centres, shape ``(P,)``; in ``elae`` -1 for a hit whatever the answer.
    normalised
        The same in units of the target's width and height, shape ``(P,)``.
    counts
        Whether the answer's frame counts in this mode, shape ``(P,)``, bool; the others may be NaN.
    frames
        How many frames count.
    """

    overlap: np.ndarray
    pixels: np.ndarray
    normalised: np.ndarray
    counts: np.ndarray
    frames: int

    def of(self, answers: Union[np.ndarray, slice]) -> Errors:
        """The errors of these answers alone, by mask, number or slice."""
        return Errors(
            self.overlap[answers], self.pixels[answers], self.normalised[answers], self.counts[answers], self.frames
        )


def errors_of(pairs: Pairs, ground_truth_xywh: np.ndarray, mode: str = "otb") -> Errors:
    """Errors of the answers in one metric mode; arguments and errors are those of `curves`."""
    found = _mode(mode).errors(box_to_xywh(pairs.box), ground_truth_xywh, pairs.frame)
    if found.frames == 0:
        raise InputError(
            f"no frame to score in mode {mode!r}: the target is absent in all {len(ground_truth_xywh)} frames"
        )
    return found


def curves(pairs: Pairs, ground_truth_xywh: np.ndarray, mode: str = "otb") -> Dict[str, Curve]:
    """The three measures of one run.

    Parameters
    ----------
    pairs
        The answers that count for each world frame.
    ground_truth_xywh
        Boxes ``[left, top, width, height]`` of the scored world frames in pixels, shape ``(n, 4)``, NaN where absent.
    mode
        A name in `MODES`.

    Returns
    -------
    dict
        A curve for each name in `MEASURES`.

    Raises
    ------
    InputError
        For an unknown mode, and where no frame counts.
    """
    return curves_of(pairs, errors_of(pairs, ground_truth_xywh, mode), mode)


def curves_of(pairs: Pairs, errors: Errors, mode: str) -> Dict[str, Curve]:
    """The three measures as of `curves`, from the errors of the answers in this mode."""
    hits = _mode(mode).columns(errors)
    sigma, counts = _accumulate(pairs, np.concatenate(hits, axis=1).astype(np.float64))
    share = counts / errors.frames
    bounds = np.cumsum([0] + [part.shape[1] for part in hits])
    return {
        name: Curve(sigma, share[:, low:high].mean(axis=1)) for name, low, high in zip(MEASURES, bounds, bounds[1:])
    }


def auc_of(errors: Errors, mode: str) -> float:
    """AUC of one answer for each frame, from the errors of the answers in this mode."""
    success = _mode(mode).columns(errors)[0]
    return float((success.sum(axis=0) / errors.frames).mean())


def _accumulate(pairs: Pairs, values: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Sums of each column over the frames, at every sigma at which the answer of some frame changes."""
    new_frame = np.diff(pairs.frame, prepend=-1) > 0
    change = np.flatnonzero(~new_frame)
    order = change[np.argsort(pairs.sigma[change], kind="stable")]
    steps = np.concatenate([values[new_frame].sum(axis=0)[None], values[order] - values[order - 1]])
    sigma = np.concatenate([[0.0], pairs.sigma[order]])
    keep = np.append(np.diff(sigma) > 0, True)
    return sigma[keep], np.cumsum(steps, axis=0)[keep]


Hits = Tuple[np.ndarray, ...]


class Mode(NamedTuple):
    """A metric mode.

    Attributes
    ----------
    errors
        Function of P answers (xywh), the truth of all frames (xywh) and the frame number of each answer.
    columns
        Function of the errors that gives the columns of AUC, of DP and of normalised precision, each of shape
        ``(P, columns)``: their sums over frames, divided by the frames that count, are averaged over columns.
    """

    errors: Callable[[np.ndarray, np.ndarray, np.ndarray], Errors]
    columns: Callable[[Errors], Hits]


def _elae(box: np.ndarray, all_truth: np.ndarray, frame: np.ndarray) -> Errors:
    truth = all_truth[frame]
    with np.errstate(invalid="ignore"):
        overlap = np.where((truth > 0).sum(axis=1) == 4, _overlap(truth, box), -1.0)
        centre = _toolkit_centre(truth)
        error = np.where((centre > 0).sum(axis=1) == 2, _distance(centre - _toolkit_centre(box)), -1.0)
        size = truth[:, 2:] + 1e-16
        normalised = centre / size - _toolkit_centre(box) / size
        normalised = np.where((centre / size > 0).sum(axis=1) == 2, _distance(normalised), -1.0)
    return Errors(overlap, error, normalised, np.ones(len(box), dtype=bool), len(all_truth))


def _otb(box: np.ndarray, all_truth: np.ndarray, frame: np.ndarray) -> Errors:
    present = _present(all_truth)
    return Errors(*_errors(box, all_truth[frame]), present[frame], int(present.sum()))


def _strict(box: np.ndarray, all_truth: np.ndarray, frame: np.ndarray) -> Errors:
    present = _present(all_truth)
    return Errors(*_errors(box, all_truth[frame]), present[frame] & (frame > 0), int(present[1:].sum()))


def _thresholded(errors: Errors) -> Hits:
    hits = _thresholds(errors.overlap, errors.pixels, errors.normalised)
    return hits if errors.counts.all() else tuple(part * errors.counts[:, None] for part in hits)


def _mean_of(errors: Errors) -> Hits:
    # The area under a curve of ever finer thresholds is the mean of what it thresholds.
    columns = (errors.overlap, errors.pixels <= PIXELS, np.clip(1 - errors.normalised / 0.5, 0, 1))
    return tuple(np.where(errors.counts, part, 0.0)[:, None] for part in columns)


MODES: Dict[str, Mode] = {
    "elae": Mode(_elae, _thresholded),
    "otb": Mode(_otb, _thresholded),
    "strict": Mode(_strict, _mean_of),
}


def _mode(name: str) -> Mode:
    if name not in MODES:
        raise InputError(f"unknown metric mode {name!r}, expected one of: {', '.join(MODES)}")
    return MODES[name]


def _thresholds(overlap: np.ndarray, error: np.ndarray, normalised: np.ndarray) -> Hits:
    # Sorting tells how many thresholds an error keeps. Only AUC compares them one by one, to agree to the last bit.
    kept = len(NORMALISED) - np.searchsorted(NORMALISED, normalised)
    return overlap[:, None] > OVERLAPS, (error <= PIXELS)[:, None], (kept / len(NORMALISED))[:, None]


def _errors(box: np.ndarray, truth: np.ndarray) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    difference = (box[:, :2] + box[:, 2:] / 2) - (truth[:, :2] + truth[:, 2:] / 2)
    return _overlap(truth, box), _distance(difference), _distance(difference / truth[:, 2:])


def _overlap(truth: np.ndarray, box: np.ndarray) -> np.ndarray:
    # In the order of operations of the published toolkits: the last bit decides a tie at a threshold.
    low = np.maximum(truth[:, :2], box[:, :2])
    high = np.minimum(truth[:, :2] + truth[:, 2:], box[:, :2] + box[:, 2:])
    side = np.maximum(high - low, 0)
    shared = side[:, 0] * side[:, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.clip(shared / (truth[:, 2] * truth[:, 3] + box[:, 2] * box[:, 3] - shared), 0, 1)


def _toolkit_centre(xywh: np.ndarray) -> np.ndarray:
    return xywh[:, :2] + (xywh[:, 2:] - 1) / 2


def _distance(difference: np.ndarray) -> np.ndarray:
    return np.sqrt(np.sum(np.power(difference, 2), axis=1))


def _present(xywh: np.ndarray) -> np.ndarray:
    return np.isfinite(xywh).all(axis=1)
