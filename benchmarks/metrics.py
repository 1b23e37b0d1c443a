"""Success, precision and normalised precision in three named modes, as exact functions of the permitted latency.

`elae`    the published e-LAE toolkit to the last bit: 21 overlap thresholds, strict >, every frame counted. A target that is
          absent or touches the left or top border is a miss for AUC, and an absent one a hit for DP: its own behaviour, kept
          so that its numbers can be compared.
`otb`     21 thresholds, strict >, absent frames left out: what most result tables print. A perfect tracker has 20/21.
`strict`  mean overlap over the frames with a target after the first, which was given: perfect is 1, a miss is 0.

AUC is the area under the success curve, DP the share of centre errors of at most 20 px, normalised precision the area under
the share of centre errors below 0 to 0.5 of the target's size (LaSOT).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Dict, Tuple

import numpy as np

from pvtpp.boxes import box_to_xywh
from pvtpp.errors import InputError
from pvtpp_benchmarks.pairing import Pairs

SIGMAS = np.arange(51) / 50
"""The permitted latencies of e-LAE; mAUC and mDP are plain means over these."""
OVERLAPS = np.arange(0, 1.05, 0.05)
PIXELS = 20.0
NORMALISED = np.arange(51) / 100
MEASURES = ("auc", "dp", "norm_precision")


@dataclass(frozen=True)
class Curve:
    """One measure as a piecewise constant function of sigma: `value[i]` from ``sigma[i]`` on; ``sigma[0]`` is 0."""

    sigma: np.ndarray
    value: np.ndarray

    def at(self, sigma: np.ndarray) -> np.ndarray:
        return self.value[np.searchsorted(self.sigma, sigma, side="right") - 1]


def curves(pairs: Pairs, ground_truth_xywh: np.ndarray, mode: str = "otb") -> Dict[str, Curve]:
    """The three measures of one run. `ground_truth_xywh`: the scored world frames, shape ``(n, 4)``, NaN where absent."""
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
    """Sum each column over frames, for every sigma at which some frame's answer changes."""
    new_frame = np.diff(pairs.frame, prepend=-1) > 0
    change = np.flatnonzero(~new_frame)
    order = change[np.argsort(pairs.sigma[change], kind="stable")]
    steps = np.concatenate([values[new_frame].sum(axis=0)[None], values[order] - values[order - 1]])
    sigma = np.concatenate([[0.0], pairs.sigma[order]])
    keep = np.append(np.diff(sigma) > 0, True)
    return sigma[keep], np.cumsum(steps, axis=0)[keep]


# A mode turns P answers into columns to be summed over frames and divided by the number of frames that count:
# (answers xywh, truths xywh, frame numbers) -> (columns of AUC, of DP, of normalised precision), frames counted.
Measure = Callable[[np.ndarray, np.ndarray, np.ndarray], Tuple[Tuple[np.ndarray, ...], Callable[[np.ndarray], int]]]


def _elae(box: np.ndarray, truth: np.ndarray, frame: np.ndarray) -> tuple:
    with np.errstate(invalid="ignore"):
        overlap = np.where((truth > 0).sum(axis=1) == 4, _overlap(truth, box), -1.0)
        centre = _toolkit_centre(truth)
        error = np.where((centre > 0).sum(axis=1) == 2, _distance(centre - _toolkit_centre(box)), -1.0)
        size = truth[:, 2:] + 1e-16
        normalised = centre / size - _toolkit_centre(box) / size
        normalised = np.where((centre / size > 0).sum(axis=1) == 2, _distance(normalised), -1.0)
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
    # How many thresholds an error keeps is a matter of sorting; only AUC needs them one by one, to agree to the last bit.
    kept = len(NORMALISED) - np.searchsorted(NORMALISED, normalised)
    return overlap[:, None] > OVERLAPS, (error <= PIXELS)[:, None], (kept / len(NORMALISED))[:, None]


def _errors(box: np.ndarray, truth: np.ndarray) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    difference = (box[:, :2] + box[:, 2:] / 2) - (truth[:, :2] + truth[:, 2:] / 2)
    return _overlap(truth, box), _distance(difference), _distance(difference / truth[:, 2:])


def _overlap(truth: np.ndarray, box: np.ndarray) -> np.ndarray:
    # In the toolkits' own order of operations: a tie at a threshold is decided by the last bit.
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
