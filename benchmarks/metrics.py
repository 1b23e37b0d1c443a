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
from typing import Callable, Dict, Tuple

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
    hits, total = _measure(mode)(box_to_xywh(pairs.box), ground_truth_xywh[pairs.frame], pairs.frame)
    frames = total(ground_truth_xywh)
    if frames == 0:
        raise InputError(
            f"no frame to score in mode {mode!r}: the target is absent in all {len(ground_truth_xywh)} frames"
        )
    sigma, counts = _accumulate(pairs, np.concatenate(hits, axis=1).astype(np.float64))
    share = counts / frames
    bounds = np.cumsum([0] + [part.shape[1] for part in hits])
    return {
        name: Curve(sigma, share[:, low:high].mean(axis=1)) for name, low, high in zip(MEASURES, bounds, bounds[1:])
    }


def _accumulate(pairs: Pairs, values: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Sums of each column over the frames, at every sigma at which the answer of some frame changes."""
    new_frame = np.diff(pairs.frame, prepend=-1) > 0
    change = np.flatnonzero(~new_frame)
    order = change[np.argsort(pairs.sigma[change], kind="stable")]
    steps = np.concatenate([values[new_frame].sum(axis=0)[None], values[order] - values[order - 1]])
    sigma = np.concatenate([[0.0], pairs.sigma[order]])
    keep = np.append(np.diff(sigma) > 0, True)
    return sigma[keep], np.cumsum(steps, axis=0)[keep]


# A mode is a function of P answers (xywh), the truth of each (xywh) and its frame number. It returns the columns of
# AUC, of DP and of normalised precision, to be summed over frames, and a function that counts the frames to divide by.
Measure = Callable[[np.ndarray, np.ndarray, np.ndarray], Tuple[Tuple[np.ndarray, ...], Callable[[np.ndarray], int]]]


def _elae(box: np.ndarray, truth: np.ndarray, frame: np.ndarray) -> tuple:
    with np.errstate(invalid="ignore"):
        overlap = np.where(_above_0(truth), _overlap(truth, box), -1.0)
        centre, answer = _toolkit_centre(truth), _toolkit_centre(box)
        error = np.where(_above_0(centre), _distance(centre - answer), -1.0)
        size = truth[:, 2:] + 1e-16
        centre = centre / size
        normalised = np.where(_above_0(centre), _distance(centre - answer / size), -1.0)
        return _thresholds(overlap, error, normalised), len


def _otb(box: np.ndarray, truth: np.ndarray, frame: np.ndarray) -> tuple:
    present = _present(truth)
    overlap, error, normalised = _errors(box, truth)
    hits = tuple(part * present[:, None] for part in _thresholds(overlap, error, normalised))
    return hits, lambda all_truth: int(_present(all_truth).sum())


def _strict(box: np.ndarray, truth: np.ndarray, frame: np.ndarray) -> tuple:
    counts = (_present(truth) & (frame > 0))[:, None]
    overlap, error, normalised = _errors(box, truth)
    # The area under a curve of ever finer thresholds is the mean of what it thresholds.
    columns = (overlap[:, None], (error <= PIXELS)[:, None], np.clip(1 - normalised / 0.5, 0, 1)[:, None])
    return (
        tuple(np.where(counts, part, 0.0) for part in columns),
        lambda all_truth: int(_present(all_truth)[1:].sum()),
    )


MODES: Dict[str, Measure] = {"elae": _elae, "otb": _otb, "strict": _strict}


def _measure(mode: str) -> Measure:
    if mode not in MODES:
        raise InputError(f"unknown metric mode {mode!r}, expected one of: {', '.join(MODES)}")
    return MODES[mode]


def _thresholds(overlap: np.ndarray, error: np.ndarray, normalised: np.ndarray) -> Tuple[np.ndarray, ...]:
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
    squares = np.power(difference, 2)
    return np.sqrt(squares[:, 0] + squares[:, 1])


def _above_0(numbers: np.ndarray) -> np.ndarray:
    # A column at a time: short rows are what reductions are slowest at.
    return np.logical_and.reduce([column > 0 for column in numbers.T])


def _present(xywh: np.ndarray) -> np.ndarray:
    return np.isfinite(xywh).all(axis=1)
