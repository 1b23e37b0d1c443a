"""Fit the presence monitor's logistic models: what score and similarity say about whether a result is right.

    python -m pvtpp_benchmarks.studies.presence_fit $PVTPP_DATA
    python -m pvtpp_benchmarks.studies.presence_fit $PVTPP_DATA --pixels --times 85ms
    python -m pvtpp_benchmarks.studies.presence_fit $PVTPP_DATA --presence on --times 47ms 165ms --seeds 1

A tracker follows each clip on the simulated clock in the default configuration, but every result is believed; with
`--presence on` the results of searches elsewhere are among them. Clips: `uav-mini/train`, `uav-more/train` and
`uav-more/val`, each as it is (seed 0) and with drawn occluders of the seeds 1 and 2
(`pvtpp_benchmarks.synthetic.occluders`). A result is *right* where its IoU with a visible target is above 0.3. Prints
for each model the constants of `pvtpp.core.presence.WEIGHTS`, and how well it tells (area under the ROC curve, with
each clip by a model of the other clips). The printed constant has the usual log-odds already taken off. Nothing
is written.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from pvtpp import defaults
from pvtpp.appearance import AppearanceTracker
from pvtpp.boxes import iou, xywh_to_box
from pvtpp.core.presence import LEAST_LEVEL, PRESENCES, log_odds
from pvtpp.errors import InputError
from pvtpp.tracker import Frame, Tracker, TrackerOutput
from pvtpp_benchmarks.datasets.registry import load
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.default_run import default_run
from pvtpp_benchmarks.processing import parse
from pvtpp_benchmarks.synthetic.occluders import occluded
from pvtpp_trackers.registry import create

RIGHT = 0.3
SETS = (("uav-mini", "train"), ("uav-more", "train"), ("uav-more", "val"))
SEEDS = (0, 1, 2)
"""Of the occluders; 0 is the clip as it is."""
RIDGE, ROUNDS = 1e-3, 40
LEVEL_RATE, LIKE = 0.1, 0.9


class Results(NamedTuple):
    """The results of one clip: scores in log-odds, relative scores and similarities ``(n,)``, and which are right."""

    clip: str
    score: np.ndarray
    relative: np.ndarray
    similarity: np.ndarray
    right: np.ndarray


class _Undescribed:
    """A tracker that does not say what its network sees."""

    def __init__(self, tracker: Tracker):
        self._tracker = tracker

    def init(self, frame: Frame, box: np.ndarray) -> None:
        self._tracker.init(frame, box)

    def track(self, frame: Frame, search_box: Optional[np.ndarray] = None) -> TrackerOutput:
        return self._tracker.track(frame, search_box)


def clips(root: str, seeds: Sequence[int] = SEEDS, names: Sequence[str] = ()) -> Iterator[VideoSequence]:
    """Every clip, or those of these names, once for each seed."""
    for name, split in SETS:
        for clip in load("uav-mini", os.path.join(root, name), split):
            if not names or clip.name in names:
                for seed in seeds:
                    yield occluded(clip, seed) if seed else clip


def record(clip: VideoSequence, tracker: Tracker, processing: str, presence: str = "off") -> Results:
    """Run the tracker over a clip and compare each result with the truth."""
    assessed = defaults.presence(presence)
    given = tracker if assessed is not None else AppearanceTracker(tracker)
    log = default_run(clip, given, parse(processing).start(clip.name), presence=assessed)
    rows = log.of_kind("result")
    score = np.array([log_odds(row[5]) for row in rows])
    similarity = np.array([row[6] for row in rows])
    truth = xywh_to_box(clip.ground_truth_xywh)[[row[2] * clip.stride for row in rows]]
    overlap = iou(np.array([row[4] for row in rows]), truth)
    return Results(clip.name, score, relative_scores(score, similarity), similarity, overlap > RIGHT)


def relative_scores(score: np.ndarray, similarity: np.ndarray) -> np.ndarray:
    """Distance of each score from the level of those before that looked like the target, as a share of it."""
    made, level = np.zeros(len(score)), float(score[0]) if len(score) else 0.0
    for index, (one, like) in enumerate(zip(score.tolist(), similarity.tolist())):
        made[index] = min(max((one - level) / max(level, LEAST_LEVEL), -2.0), 0.5)
        if like > LIKE:
            level += LEVEL_RATE * (one - level)
    return made


def fit(values: np.ndarray, right: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Logistic regression by Newton's method with a small ridge; returns the constant and one weight a column."""
    middle, spread = values.mean(axis=0), values.std(axis=0) + 1e-9
    given = np.column_stack([np.ones(len(values)), (values - middle) / spread])
    penalty = RIDGE * weights.sum() * np.diag([0.0, *np.ones(values.shape[1])])
    found = np.zeros(given.shape[1])
    for _ in range(ROUNDS):
        p = 1 / (1 + np.exp(-given @ found))
        curve = (given * (weights * p * (1 - p) + 1e-9)[:, None]).T @ given + penalty
        found = found + np.linalg.solve(curve, given.T @ (weights * (right - p)) - penalty @ found)
    slopes = found[1:] / spread
    return np.concatenate([[found[0] - slopes @ middle], slopes])


def area(values: np.ndarray, right: np.ndarray) -> float:
    """Area under the ROC curve: how often a right result has the larger value than a wrong one."""
    rank = np.empty(len(values))
    rank[values.argsort()] = np.arange(len(values))
    good = int(right.sum())
    return float((rank[right].sum() - good * (good - 1) / 2) / max(good * (len(right) - good), 1))


def model(found: List[Results], columns: Tuple[str, ...]) -> Dict[str, Any]:
    """Fit one model, each clip of equal weight, and say how well it tells."""

    def stacked(some: List[Results]) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
        values = np.concatenate([np.column_stack([getattr(each, name) for name in columns]) for each in some])
        weights = np.concatenate([np.full(len(each.right), 1 / len(each.right)) for each in some])
        return values, np.concatenate([each.right for each in some]), weights

    values, right, weights = stacked(found)
    made = fit(values, right, weights)
    values_apart, known = [], []
    for name in sorted({each.clip.partition("+")[0] for each in found}):
        others = [each for each in found if each.clip.partition("+")[0] != name]
        own = stacked([each for each in found if each.clip.partition("+")[0] == name])
        if others:
            weighed = fit(*stacked(others))
            values_apart.append(weighed[0] + own[0] @ weighed[1:])
            known.append(own[1])
    share = float(np.average(right, weights=weights))
    usual = np.log(share / (1 - share))
    return {
        "columns": columns,
        "constant": round(float(made[0] - usual), 2),
        "weights": [round(float(each), 2) for each in made[1:]],
        "area": round(area(np.concatenate(values_apart), np.concatenate(known)), 4) if known else None,
        "results": len(right),
        "right": round(float(right.mean()), 3),
    }


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", help="folder with uav-mini/ and uav-more/")
    parser.add_argument("--tracker", default=defaults.TRACKER, help="default: %(default)s")
    parser.add_argument("--times", nargs="+", default=["85ms"], metavar="T", help="processing times (default: 85ms)")
    parser.add_argument("--pixels", action="store_true", help="compare pixels, not features")
    parser.add_argument("--presence", choices=PRESENCES, default="off", help="in the runs (default: %(default)s)")
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=SEEDS, help="of the occluders; 0: the clip as it is (default: 0 1 2)"
    )
    parser.add_argument("--clips", nargs="+", default=(), metavar="CLIP", help="these only")
    options = parser.parse_args(arguments)
    found: List[Results] = []
    try:
        tracker = create(options.tracker)
        seen = _Undescribed(tracker) if options.pixels else tracker
        for clip in clips(options.root, options.seeds, options.clips):
            for time in options.times:
                made = record(clip, seen, time, options.presence)
                if len(made.right):
                    found.append(made)
                    print(f"{clip.name} {time}: {made.right.mean():.2f} of {len(made.right)} right", flush=True)
    except InputError as error:
        parser.exit(2, f"{error}\n")
    for columns in (("score", "similarity"), ("relative", "similarity"), ("similarity",)):
        print(model(found, columns))
    return 0


if __name__ == "__main__":
    sys.exit(main())
