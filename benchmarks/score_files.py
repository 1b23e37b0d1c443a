"""Scoring result files without running anything: boxes replayed as if their tracker took some time, without prediction.

The same figures as a simulated run of the replayed boxes under the predictor `hold` gives, with no event in between:
which frames a tracker of known times would have seen, and when each answer was there, follows from the times alone.
Boxes that are matched with the world's frames already (e-LAE folders) are scored as they are.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any, Callable, Dict, FrozenSet, Iterable, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from pvtpp.boxes import xywh_to_box
from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.evaluate import ScoreTable, check_apart
from pvtpp_benchmarks.formats import SequenceBoxes
from pvtpp_benchmarks.metrics import curves_of, errors_of
from pvtpp_benchmarks.outages import find_outages
from pvtpp_benchmarks.pairing import Pairs, candidates
from pvtpp_benchmarks.plots import plots_of
from pvtpp_benchmarks.processing import ProcessingTime, parse
from pvtpp_benchmarks.score import Details, Score, known_truth
from pvtpp_benchmarks.spec import RunSpec

PREDICTOR = "hold"
MATCHED = "matched"
"""What rows say in place of predictor and processing time of boxes that are matched already: files do not say which."""


def seen_frames(camera_t_ns: np.ndarray, processing: Callable[[int], int]) -> Tuple[np.ndarray, np.ndarray]:
    """Say which frames a tracker sees that takes the newest one whenever it is free, and when it is done with each.

    Parameters
    ----------
    camera_t_ns
        Capture times in nanoseconds, shape ``(n,)``, int64, rising.
    processing
        Nanoseconds by the number of the frame; 0 is the initialisation, in the first frame.

    Returns
    -------
    frame
        Numbers of the frames, shape ``(m,)``, the first one 0.
    available
        When the answer for each is there, nanoseconds, shape ``(m,)``; for the first, whose box was given, its capture.
    """
    captures = camera_t_ns.tolist()
    seen, done = [0], [captures[0]]
    frame, free, last = 0, captures[0] + processing(0), len(captures) - 1
    while frame < last:
        frame += 1
        if captures[frame] <= free:
            # The newest that is there; one that arrives as the tracker gets free is.
            frame = bisect_right(captures, free, frame) - 1
            free += processing(frame)
        else:
            free = captures[frame] + processing(frame)
        seen.append(frame)
        done.append(free)
    return np.array(seen, dtype=np.int64), np.array(done, dtype=np.int64)


def replay_pairs(boxes: SequenceBoxes, sequence: VideoSequence, processing: Callable[[int], int]) -> Pairs:
    """Pair recorded boxes with the world's frames, as if the tracker had taken these times.

    Of repetitions the first is taken. A frame in which the target was not found has the last box before it, and before
    any other that which was given.

    Raises
    ------
    InputError
        Where there is not one row for each camera frame.
    """
    rows = boxes.xywh[0]
    if len(rows) != len(sequence):
        raise InputError(f"{boxes.source}: {len(rows)} rows for the {len(sequence)} frames of {sequence.name}")
    seen, available = seen_frames(sequence.camera_t_ns, processing)
    answers = xywh_to_box(_held(rows[seen], sequence.ground_truth_xywh[0]))
    frame, answer, sigma = candidates(available, sequence.world_t_ns, sequence.world_fps)
    return Pairs(frame, answers[answer], sigma)


def _held(rows: np.ndarray, given: np.ndarray) -> np.ndarray:
    """The rows with the given box in the first place, and the last box before it in place of each that is none."""
    rows = np.concatenate([given[None], rows[1:]])
    found = np.isfinite(rows).all(axis=1) & (rows[:, 2:] > 0).all(axis=1)
    if found.all():
        return rows
    return rows[np.maximum.accumulate(np.where(found, np.arange(len(rows)), 0))]


def matched_pairs(boxes: SequenceBoxes, sequence: VideoSequence) -> Pairs:
    """Pair boxes that are matched already: an answer for each frame and permitted latency at which it changes.

    Raises
    ------
    InputError
        Where there is not one row for each world frame, and where permitted latency 0 is missing.
    """
    sigmas = np.asarray(boxes.sigmas if boxes.sigmas is not None else ())
    if not len(sigmas) or sigmas[0] != 0 or (np.diff(sigmas) <= 0).any():
        raise InputError(f"{boxes.source}: permitted latencies {sigmas.tolist()}, expected rising from 0")
    frames = len(sequence.ground_truth_xywh)
    if boxes.frames != frames:
        raise InputError(f"{boxes.source}: {boxes.frames} rows for the {frames} frames of {sequence.name}")
    same = boxes.xywh[1:] == boxes.xywh[:-1]
    changed = ~(same | np.isnan(boxes.xywh[1:]) & np.isnan(boxes.xywh[:-1])).all(axis=2)
    frame, number = np.nonzero(np.concatenate([np.ones((1, frames), dtype=bool), changed]).T)
    return Pairs(frame, xywh_to_box(boxes.xywh[number, frame]), sigmas[number])


def score_boxes(
    boxes: SequenceBoxes, sequence: VideoSequence, processing: Optional[ProcessingTime], modes: Sequence[str] = ("otb",)
) -> Dict[str, Score]:
    """Score the boxes of one sequence.

    Parameters
    ----------
    boxes, sequence
        What is scored, and its truth.
    processing
        The time per frame; None for boxes that are matched already.
    modes
        Of `pvtpp_benchmarks.metrics`.

    Returns
    -------
    dict of str to Score
        By mode.
    """
    truth = known_truth(sequence, sequence.ground_truth_xywh)
    if processing is None:
        pairs = matched_pairs(boxes, sequence)
    else:
        pairs = replay_pairs(boxes, sequence, processing.start(sequence.name, 0))
    outages = find_outages(pairs.overlap(truth), sequence.world_fps)
    found, now = {}, pairs.first()
    for mode in modes:
        errors = errors_of(pairs, truth, mode)
        known = sequence.name, (0, 0), len(truth), curves_of(pairs, errors, mode), outages, None, sequence.attributes
        found[mode] = Score(*known, Details(plots_of(errors.of(now))))
    return found


def score_files(
    tracker: str,
    results: Mapping[str, SequenceBoxes],
    sequences: Iterable[VideoSequence],
    dataset: str,
    processing: Optional[str] = None,
    modes: Sequence[str] = ("otb",),
    apart: FrozenSet[str] = frozenset(),
) -> List[Dict[str, Any]]:
    """Score one tracker's result files on all sequences.

    Parameters
    ----------
    tracker, dataset
        What the rows call them.
    results
        By sequence, as `pvtpp_benchmarks.formats.read_results` gives them.
    sequences
        With the truth.
    processing
        The time per frame as text, see `pvtpp_benchmarks.processing`; None for boxes that are matched already.
    modes
        Of `pvtpp_benchmarks.metrics`.
    apart
        Sequences that are tabled in rows of their own.

    Returns
    -------
    list of dict
        Rows, as `pvtpp_benchmarks.evaluate.evaluate` gives them, of the predictor `hold`; of `matched` for boxes that
        are matched already.
    """
    model = None if processing is None else parse(processing)
    if model is None:
        spec = RunSpec(dataset, tracker, MATCHED, recorded_ms=_mean_ms(results))
    else:
        spec = RunSpec(dataset, tracker, str(processing))
    check_apart(apart, list(results))
    table = ScoreTable(spec, apart)
    for sequence in sequences:
        name = MATCHED if model is None else PREDICTOR
        table.add(sequence, {name: score_boxes(results[sequence.name], sequence, model, modes)})
    return table.rows()


def _mean_ms(results: Mapping[str, SequenceBoxes]) -> float:
    """Milliseconds a frame, the mean over sequences; 0 where the files do not say."""
    known = [float(np.nanmean(each.seconds)) for each in results.values() if each.seconds is not None]
    return float(np.mean(known)) * 1e3 if known else 0.0
