"""From event logs and ground truth to the rows of a result table: a pure function, nothing is run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from pvtpp.core.event_log import EventLog
from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.metrics import SIGMAS, Curve, curves
from pvtpp_benchmarks.outages import Outages, find_outages, loss_figures, outage_figures
from pvtpp_benchmarks.pairing import pair, pair_offline, reported_lost
from pvtpp_benchmarks.spec import RunSpec

RESAMPLES = 2000


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
    """

    sequence: str
    run: Tuple[int, int]
    frames: int
    curves: Mapping[str, Curve]
    outages: Outages
    track_ms: Optional[float] = None


def score_online(log: EventLog, sequence: VideoSequence, predictor: str, mode: str = "otb") -> Score:
    """Score one predictor's trajectories in a log against every world frame from the run's start on."""
    return score_modes(log, sequence, predictor, (mode,))[mode]


def score_offline(log: EventLog, sequence: VideoSequence, mode: str = "otb") -> Score:
    """Score the tracker's own results at their own frames: zero latency.

    The log must be of a run that skipped no frame.
    """
    return score_modes(log, sequence, None, (mode,))[mode]


def score_modes(
    log: EventLog, sequence: VideoSequence, predictor: Optional[str], modes: Sequence[str]
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
        truth = known_truth(sequence, sequence.ground_truth_xywh[frames * sequence.stride])
        pairs, fps = pair_offline(log, frames), sequence.camera_fps
    else:
        first = start * sequence.stride
        truth = known_truth(sequence, sequence.ground_truth_xywh[first:])
        times, fps = sequence.world_t_ns[first:], sequence.world_fps
        pairs = pair(log, predictor, times, fps, log.meta.get("schedule", "async"))
        said = reported_lost(log, times, fps)
    known = sequence.name, _run(log), len(truth)
    outages = find_outages(pairs.overlap(truth), fps, said)
    return {mode: Score(*known, curves(pairs, truth, mode), outages, _track_ms(log)) for mode in modes}


def row(
    scores: Sequence[Score], spec: RunSpec, sequence: VideoSequence, predictor: Optional[str], mode: str
) -> Dict[str, Any]:
    """Make one row of the result: the mean over runs, then over sequences, with spread and a bootstrap interval.

    Parameters
    ----------
    scores
        Of every run of every sequence, in one metric mode.
    spec
        What was run.
    sequence
        Any of those scored, for its frame rates.
    predictor
        None for the zero-latency evaluation.
    mode
        The metric mode.

    Returns
    -------
    dict
        `runs` counts what was run: fewer than sequences x starts x draws where a target did not come back after a
        start. `auc_std` is the standard deviation, over the runs (starts and draws), of the mean over sequences;
        `auc_ci95` the bootstrap interval over sequences; both None where there is only one. `curve` holds each measure
        at 51 values of sigma, `exact_curve` every step of the AUC. `outages` and `losses` are as of
        `pvtpp_benchmarks.outages`, over all runs; `losses` is None where presence is not assessed.
    """
    by_sequence: Dict[str, List[Score]] = {}
    for score in scores:
        by_sequence.setdefault(score.sequence, []).append(score)
    sampled = {name: _sampled(each) for name, each in by_sequence.items()}
    mean = {measure: np.mean([each[measure] for each in sampled.values()], axis=0) for measure in scores[0].curves}
    aucs = np.array([each["auc"][0] for each in sampled.values()])
    online = predictor is not None
    return {
        "dataset": spec.dataset,
        "tracker": spec.tracker,
        "predictor": predictor,
        "propagation": spec.propagation if online else None,
        "schedule": spec.schedule if online else None,
        "search_region": spec.search_region,
        "presence": spec.presence if online else None,
        "ego_motion": spec.ego_motion if online else None,
        "clock": spec.clock,
        "version": spec.version,
        "evaluation": "online" if online else "offline",
        "mode": mode,
        "processing": spec.processing if online else None,
        "processing_ms": _processing_ms(scores, spec) if online else 0.0,
        "predictor_ms": spec.predictor_ns / 1e6 if online else 0.0,
        "camera_fps": sequence.camera_fps,
        "world_fps": sequence.world_fps if online else sequence.camera_fps,
        "sigma": 0.0,
        "auc": float(mean["auc"][0]),
        "auc_std": _spread(scores),
        "auc_ci95": bootstrap_interval(aucs, spec.seed),
        "dp20": float(mean["dp"][0]),
        "norm_precision": float(mean["norm_precision"][0]),
        "mauc": float(np.mean(mean["auc"])) if online else None,
        "mdp": float(np.mean(mean["dp"])) if online else None,
        "outages": outage_figures([score.outages for score in scores]),
        "losses": loss_figures([score.outages for score in scores]),
        "runs": len(scores),
        "starts": spec.starts,
        "draws": spec.draws,
        "jitter_px": spec.jitter_px,
        "sequences": len(by_sequence),
        "frames": sum(score.frames for score in scores),
        "per_sequence": {name: float(each["auc"][0]) for name, each in sampled.items()},
        "curve": {measure: np.round(values, 6).tolist() for measure, values in mean.items()} if online else None,
        "exact_curve": _exact(by_sequence) if online else None,
    }


def _sampled(scores: Sequence[Score]) -> Dict[str, np.ndarray]:
    """Each measure at the 51 sigmas, mean over the runs of one sequence."""
    measures = scores[0].curves
    return {measure: np.mean([score.curves[measure].at(SIGMAS) for score in scores], axis=0) for measure in measures}


def _exact(by_sequence: Mapping[str, Sequence[Score]]) -> Dict[str, List[float]]:
    """AUC as it is between the 51 sigmas too: a piecewise constant curve, `auc[i]` from ``sigma[i]`` on."""
    all_curves = [score.curves["auc"] for scores in by_sequence.values() for score in scores]
    sigma = np.unique(np.concatenate([curve.sigma for curve in all_curves]))
    means = [np.mean([score.curves["auc"].at(sigma) for score in scores], axis=0) for scores in by_sequence.values()]
    auc = np.mean(means, axis=0)
    changes = np.append(True, np.abs(np.diff(auc)) > 0)
    return {"sigma": sigma[changes].tolist(), "auc": np.round(auc[changes], 9).tolist()}


def _spread(scores: Sequence[Score]) -> Optional[float]:
    by_run: Dict[Tuple[int, int], List[float]] = {}
    for score in scores:
        by_run.setdefault(score.run, []).append(float(score.curves["auc"].value[0]))
    return float(np.std([np.mean(values) for values in by_run.values()], ddof=1)) if len(by_run) > 1 else None


def bootstrap_interval(values: np.ndarray, seed: int, resamples: int = RESAMPLES) -> Optional[List[float]]:
    """95 % interval of the mean of `values`, one for each sequence; None for fewer than two."""
    if len(values) < 2:
        return None
    draws = np.random.default_rng(seed).integers(len(values), size=(resamples, len(values)))
    return [float(v) for v in np.percentile(values[draws].mean(axis=1), [2.5, 97.5])]


def known_truth(sequence: VideoSequence, truth: np.ndarray) -> np.ndarray:
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


def _processing_ms(scores: Sequence[Score], spec: RunSpec) -> float:
    """As the spec has it, or the median over runs of what was measured."""
    measured = [score.track_ms for score in scores if score.track_ms is not None]
    return round(float(np.median(measured)), 2) if measured else spec.processing_ms


def _run(log: EventLog) -> Tuple[int, int]:
    return log.meta.get("start_number", 0), log.meta.get("draw", 0)
