"""Where a trained predictor stands on held-out data: beside no prediction, a filter, and the predictor we ship."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

import numpy as np

from pvtpp.predictors import create
from pvtpp_benchmarks.bootstrap import bootstrap_interval
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.evaluate import Progress, evaluate
from pvtpp_benchmarks.grid import make_grid
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.report.table import Column, table
from pvtpp_benchmarks.runs import MakeTracker

TIMES = ("20ms", "47ms", "85ms", "165ms")
OVERLAP = "overlap"
"""Name of the column of mean IoU over windows; the others are online AUC by processing time."""
NOISE = 0.02
"""Error of the tracker where there are boxes alone, in target sizes."""
MOST = 30
"""Held-out sequences that are run online, at most."""
NOISY_TRUTH = f"the truth with {NOISE:.0%} noise"


@dataclass(frozen=True)
class HeldOut:
    """Scores of several predictors on the same held-out windows and sequences. Printed it is a table.

    Attributes
    ----------
    trained
        Name of the predictor that the others are compared with.
    tracker
        What was tracked with, in words.
    scores
        By predictor, then by column: `OVERLAP` has a mean IoU for each window, a processing time an AUC for each
        sequence.
    seed
        Of the bootstrap.
    """

    trained: str
    tracker: str
    scores: Mapping[str, Mapping[str, np.ndarray]]
    seed: int = 0

    def entry(self) -> Dict[str, Any]:
        """What the card of the trained predictor says: means, and paired differences with 95 % intervals."""
        own = self.scores[self.trained]
        return {
            "tracker": self.tracker,
            "windows": len(own.get(OVERLAP, ())),
            "sequences": max((len(values) for name, values in own.items() if name != OVERLAP), default=0),
            "mean": {
                name: {column: round(float(values.mean()), 4) for column, values in columns.items()}
                for name, columns in self.scores.items()
            },
            "trained_minus": {
                name: {column: self._difference(own[column] - columns[column]) for column in columns}
                for name, columns in self.scores.items()
                if name != self.trained
            },
        }

    def _difference(self, values: np.ndarray) -> Dict[str, Any]:
        interval = bootstrap_interval(values, self.seed)
        return {
            "mean": round(float(values.mean()), 4),
            "ci95": interval and [round(bound, 4) for bound in interval],
            "n": len(values),
        }

    def __str__(self) -> str:
        entry = self.entry()
        means, differences = entry["mean"], entry["trained_minus"]
        columns = list(self.scores[self.trained])
        shown: List[Column] = [("predictor", lambda name: name)]
        shown += [(column, partial(_mean, means, column)) for column in columns]
        less: List[Column] = [("trained minus", lambda name: name)]
        less += [(column, partial(_minus, differences, column)) for column in columns]
        said = (
            f"Held out: {entry['windows']} windows (mean IoU), and online AUC by processing time over "
            f"{entry['sequences']} sequence{'s' * (entry['sequences'] != 1)} ({self.tracker});\n"
            "differences have paired 95 % intervals, over windows and over sequences."
        )
        return "\n".join([said, table(shown, list(means)), "", table(less, list(differences))])


def _mean(means: Mapping[str, Any], column: str, name: str) -> str:
    return f"{means[name][column]:.3f}"


def _minus(differences: Mapping[str, Any], column: str, name: str) -> str:
    found = differences[name][column]
    bounds = "" if found["ci95"] is None else " [{:+.3f}, {:+.3f}]".format(*found["ci95"])
    return f"{found['mean']:+.3f}{bounds}"


def compare_held_out(
    predictors: Sequence[str],
    overlap: Callable[[Any], np.ndarray],
    sequences: Sequence[VideoSequence],
    make_tracker: Optional[MakeTracker] = None,
    tracker: str = NOISY_TRUTH,
    seed: int = 0,
    progress: Optional[Progress] = None,
) -> HeldOut:
    """Compare predictors on held-out data, all of them on the same windows and the same runs.

    Runs are on the simulated clock, without propagation and presence, with the search region at the last result.

    Parameters
    ----------
    predictors
        Their names, the trained one first.
    overlap
        Called with each predictor; returns its mean IoU on each held-out window.
    sequences
        Held-out sequences; of more than `MOST` evenly spread ones are run.
    make_tracker, tracker
        Makes the tracker of a sequence, and its name. None: the truth with noise, where there are no images.
    seed
        Of the noise and of the bootstrap.
    progress
        Called with a line after each run.
    """
    scores: Dict[str, Dict[str, np.ndarray]] = {}
    for name in predictors:
        overlaps = overlap(create(name))
        # A tracker that was never on its target leaves no window.
        scores[name] = {OVERLAP: overlaps} if len(overlaps) else {}
    some = sequences[:: -(-len(sequences) // MOST)]
    grid = make_grid(
        "held out",
        tracker,
        processing=TIMES,
        predictors=predictors,
        search_region="last",
        propagation="none",
        presence="off",
        offline=False,
        seed=seed,
    )
    found: Dict[str, Dict[str, Dict[str, float]]] = {}
    for row in evaluate(some, grid, make_tracker or partial(_noisy, seed), None, None, progress):
        found.setdefault(row["predictor"], {}).setdefault(row["processing"], {}).update(row["per_sequence"])
    for name in predictors:
        for time in TIMES:
            by_sequence = found[name][time]
            scores[name][time] = np.array([by_sequence[each.name] for each in some])
    return HeldOut(predictors[0], tracker, scores, seed)


def _noisy(seed: int, sequence: VideoSequence) -> Oracle:
    return Oracle(sequence, NOISE, seed)
