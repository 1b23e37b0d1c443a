"""From event logs and ground truth to the scores of single runs: a pure function, nothing is run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Dict, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from pvtpp.core.event_log import EventLog
from pvtpp.errors import InputError
from pvtpp_benchmarks.coverage import Coverage, cover
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.latency import Latency, measure
from pvtpp_benchmarks.metrics import Curve, Errors, curves_of, errors_of
from pvtpp_benchmarks.outages import Outages, find_outages
from pvtpp_benchmarks.pairing import Pairs, pair, pair_offline, reported_lost
from pvtpp_benchmarks.plots import Plots, plots_of
from pvtpp_benchmarks.unpredictability import held_truth, unpredictability


class Details(NamedTuple):
    """What a run shows beyond its curves, all at permitted latency 0.

    Attributes
    ----------
    plots
        Success, precision and normalised precision, in the metric mode.
    unpredictability
        As of `pvtpp_benchmarks.unpredictability`, in the metric mode; None offline.
    latency, coverage
        The same in every mode; None offline, coverage also where nothing predicted has a sigma.
    """

    plots: Plots
    unpredictability: Optional[float] = None
    latency: Optional[Latency] = None
    coverage: Optional[Coverage] = None


@dataclass(frozen=True)
class Score:
    """One run of one sequence, scored.

    Attributes
    ----------
    sequence
        Its name.
    run
        Number of the start and of the draw.
    frames
        How many frames were scored.
    curves
        By measure (``auc``, ``dp``, ``norm_precision``): a curve over sigma; offline a single value.
    outages
        How long it missed the target, at permitted latency 0; the same in every metric mode.
    track_ms
        What the tracker took on the wall clock, median in milliseconds; None on the simulated clock.
    attributes
        Benchmark attributes of the sequence.
    details
        None where they were not asked for.
    """

    sequence: str
    run: Tuple[int, int]
    frames: int
    curves: Mapping[str, Curve]
    outages: Outages
    track_ms: Optional[float] = None
    attributes: Tuple[str, ...] = ()
    details: Optional[Details] = None


def score_online(
    log: EventLog, sequence: VideoSequence, predictor: str, mode: str = "otb", details: bool = True
) -> Score:
    """Score one predictor's trajectories in a log against every world frame from the run's start on."""
    return score_modes(log, sequence, predictor, (mode,), details)[mode]


def score_offline(log: EventLog, sequence: VideoSequence, mode: str = "otb") -> Score:
    """Score the tracker's own results at their own frames: zero latency.

    The log must be of a run that skipped no frame.
    """
    return score_modes(log, sequence, None, (mode,))[mode]


def score_modes(
    log: EventLog, sequence: VideoSequence, predictor: Optional[str], modes: Sequence[str], details: bool = True
) -> Dict[str, Score]:
    """Score a log in several metric modes, all from one pairing with the truth.

    Parameters
    ----------
    log
        The run.
    sequence
        With the truth.
    predictor
        As in `score_online`; None: as in `score_offline`.
    modes
        Of `pvtpp_benchmarks.metrics`.
    details
        Also what a run shows beyond its curves: `Details`.

    Returns
    -------
    dict of str to Score
        By mode.

    Raises
    ------
    InputError
        For a log of another sequence, and where there is no truth after the first frame.
    """
    start = _start(log, sequence)
    said: Optional[np.ndarray] = None
    if predictor is None:
        frames = np.arange(start, len(sequence))
        truth = _known(sequence, sequence.ground_truth_xywh[frames * sequence.stride])
        pairs, times, fps = pair_offline(log, frames), sequence.camera_t_ns[start:], sequence.camera_fps
    else:
        first = start * sequence.stride
        truth = _known(sequence, sequence.ground_truth_xywh[first:])
        times, fps = sequence.world_t_ns[first:], sequence.world_fps
        pairs = pair(log, predictor, times, fps, log.meta.get("schedule", "async"))
        said = reported_lost(log, times, fps)
    known = sequence.name, _run(log), len(truth)
    outages, track_ms = find_outages(pairs.overlap(truth), fps, said), _track_ms(log)
    describe = _describe(log, predictor, pairs, truth, times, fps) if details else None
    found = {}
    for mode in modes:
        errors = errors_of(pairs, truth, mode)
        more = None if describe is None else describe(errors, mode)
        found[mode] = Score(*known, curves_of(pairs, errors, mode), outages, track_ms, sequence.attributes, more)
    return found


def _describe(
    log: EventLog, predictor: Optional[str], pairs: Pairs, truth: np.ndarray, times: np.ndarray, fps: float
) -> Callable[[Errors, str], Details]:
    """Measure what is the same in every mode; return the function that adds to it what differs."""
    now = pairs.first()
    if predictor is None or pairs.trajectory is None:
        return lambda errors, mode: Details(plots_of(errors.of(now)))
    made, held = pairs.trajectory[now], held_truth(log, truth, times, fps)
    latency = measure(log, predictor, made, times, fps)
    coverage = cover(log, predictor, made, pairs.box[now], truth, times)

    def described(errors: Errors, mode: str) -> Details:
        return Details(plots_of(errors.of(now)), unpredictability(held, truth, mode), latency, coverage)

    return described


def _known(sequence: VideoSequence, truth: np.ndarray) -> np.ndarray:
    """The truth itself; InputError where it ends with the given first box, which anybody scores perfectly."""
    if len(truth) > 1 and not np.isfinite(truth[1:]).all(axis=1).any():
        raise InputError(
            f"{sequence.source or sequence.name}: no ground truth after the first frame (withheld, or the target never "
            "returns); there is nothing to score, `pvtpp run` writes logs all the same"
        )
    return truth


def _start(log: EventLog, sequence: VideoSequence) -> int:
    first = next((row for row in log.rows if row[0] == "init"), None)
    if first is None:
        raise InputError(f"{sequence.name}: the log has no init event, so nothing was tracked")
    made_on = log.meta.get("truth")
    if not 0 <= first[2] < len(sequence) or (made_on is not None and made_on != sequence.digest()):
        raise InputError(
            f"{sequence.name}: the log was made on another sequence of this name (boxes or frame rates differ)"
        )
    return first[2]


def _track_ms(log: EventLog) -> Optional[float]:
    stages = log.meta.get("wall", {}).get("stages_ms", {})
    return float(stages["track"][1]) if "track" in stages else None


def _run(log: EventLog) -> Tuple[int, int]:
    return log.meta.get("start_number", 0), log.meta.get("draw", 0)
