"""Moments of held-out runs: what a predictor knew, when it was asked, and the truth then.

A moment is a training window before it becomes the input of a network. So predictors of every kind, filters among them,
are compared on the same windows, by the answers that they give in flight.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from pvtpp.boxes import iou
from pvtpp.predictors import Predictor
from pvtpp.track import HISTORY, Displacement, PropagatedBox, Track
from pvtpp.tracker import TrackerOutput
from pvtpp.training.recorded_windows import RecordingPool
from pvtpp.training.windows import Windows

ORIGIN_NS = 1_000_000_000_000
"""Capture time of the newest evidence of a window, nanoseconds: windows know times relative to it alone."""


@dataclass(frozen=True)
class Moment:
    """One window.

    Attributes
    ----------
    results
        Capture time in nanoseconds and output of each result, oldest first.
    displacements
        What leads to each of the results; None where the images say nothing.
    propagated
        The newest result on later frames.
    asked_ns
        Times asked, nanoseconds, ``(m,)``.
    truth
        The true boxes then, ``[cx, cy, w, h]`` in pixels, ``(m, 4)``.
    """

    results: tuple[tuple[int, TrackerOutput], ...]
    displacements: tuple[Displacement | None, ...]
    propagated: tuple[PropagatedBox, ...]
    asked_ns: np.ndarray
    truth: np.ndarray

    def track(self, predictor: Predictor) -> Track:
        """The track as this predictor would have had it."""
        made = Track()
        for (t_ns, output), displacement in zip(self.results, self.displacements, strict=True):
            made = made.with_result(t_ns, output.box, output.score, predictor.encode(output))
            if displacement is not None:
                made = made.with_propagated((), displacement)
        return made.with_propagated(self.propagated)


def overlaps(predictor: Predictor, moments: Sequence[Moment]) -> np.ndarray:
    """The mean IoU of a predictor's answers in each moment, ``(n,)``, in [0, 1]."""
    found = []
    for moment in moments:
        trajectory = predictor.predict(moment.track(predictor))
        answers = np.stack([trajectory.at(int(t_ns)).box for t_ns in moment.asked_ns])
        found.append(float(iou(answers, moment.truth).mean()))
    return np.array(found)


def from_windows(windows: Windows) -> Iterator[Moment]:
    """The moments of windows that were drawn from boxes; those without any truth are left out."""
    t_ns = ORIGIN_NS + np.rint(windows.t * 1e9).astype(np.int64)
    asked_ns = ORIGIN_NS + np.rint(windows.horizon * 1e9).astype(np.int64)
    for b in range(len(t_ns)):
        known, rows = windows.weight[b] > 0, np.flatnonzero(windows.there[b])
        own = [row for row in rows.tolist() if not windows.propagated[b, row]]
        if not known.any() or not own:
            continue
        results = tuple((int(t_ns[b, row]), _output(windows, b, row)) for row in own)
        moved = [None, *(_displacement(windows, b, row, t_ns[b]) for row in own[1:])]
        later = [row for row in rows.tolist() if row > own[-1]]
        boxes = ((int(t_ns[b, row]), windows.boxes[b, row], float(windows.score[b, row])) for row in later)
        propagated = tuple(PropagatedBox(*each) for each in boxes)
        yield Moment(results, tuple(moved), propagated, asked_ns[b, known], windows.truth[b, known])


def _output(windows: Windows, b: int, row: int) -> TrackerOutput:
    return TrackerOutput(windows.boxes[b, row], float(windows.score[b, row]))


def _displacement(windows: Windows, b: int, row: int, t_ns: np.ndarray) -> Displacement | None:
    """What leads to this result from the one before, in pixels; None where nothing was measured."""
    if windows.quality is None or windows.displacement is None or not windows.quality[b, row - 1] > 0:
        return None
    moved = windows.displacement[b, row - 1].copy()
    moved[2:] = windows.boxes[b, row - 1, 2:] * np.expm1(moved[2:])
    return Displacement(int(t_ns[row - 1]), moved, float(windows.quality[b, row - 1]))


def from_recordings(pool: RecordingPool, most: int) -> Iterator[Moment]:
    """The moments of recorded runs, with features: results on their target, at every frame that they answer for.

    Parameters
    ----------
    pool
        The recordings; the features are the tracker's own.
    most
        Take about this many, evenly spread.
    """
    for index, row in pool.usable[:: max(1, len(pool.usable) // most)].tolist():
        recording = pool.recordings[index]
        asked = np.arange(*pool.newest(index, row))
        asked = asked[np.isfinite(recording.truth[asked]).all(axis=1)]
        if not len(asked):
            continue
        results = []
        for at in range(max(0, row + 1 - HISTORY), row + 1):
            features = SimpleNamespace(
                template=recording.template[None].astype(np.float32),
                search=recording.search[at][None].astype(np.float32),
            )
            seen = features if recording.seen[at] else None
            results.append(
                (int(recording.t_ns[at]), TrackerOutput(recording.boxes[at], float(recording.scores[at]), seen))
            )
        nothing = (None,) * len(results)
        yield Moment(tuple(results), nothing, (), recording.truth_t_ns[asked], recording.truth[asked])
