"""One row of a result: the scores of every run of a cell, put together."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from pvtpp_benchmarks.bootstrap import bootstrap_interval
from pvtpp_benchmarks.charges import charges
from pvtpp_benchmarks.coverage import coverage_figures
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.latency import latency_figures
from pvtpp_benchmarks.metrics import SIGMAS
from pvtpp_benchmarks.outages import loss_figures, outage_figures
from pvtpp_benchmarks.plots import plot_figures
from pvtpp_benchmarks.score import Details, Score
from pvtpp_benchmarks.spec import RunSpec

BySequence = Mapping[str, Sequence[Score]]


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
        `pvtpp_benchmarks.outages`, over all runs; `losses` is None where presence is not assessed. `by_sequence` has
        the figures of each sequence, `attributes` the means over those that have a benchmark attribute, `charged` what
        `pvtpp_benchmarks.charges` says. Where the scores have details, `plots`, `latency` and `coverage` follow.
    """
    by_sequence: Dict[str, List[Score]] = {}
    for score in scores:
        by_sequence.setdefault(score.sequence, []).append(score)
    sampled = {name: _sampled(each) for name, each in by_sequence.items()}
    mean = {measure: np.mean([each[measure] for each in sampled.values()], axis=0) for measure in scores[0].curves}
    aucs = np.array([each["auc"][0] for each in sampled.values()])
    online = predictor is not None
    world_fps = sequence.world_fps if online else sequence.camera_fps
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
        "world_fps": world_fps,
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
        "by_sequence": {name: _sequence_figures(each, sampled[name], world_fps) for name, each in by_sequence.items()},
        "attributes": _attribute_figures(by_sequence, sampled),
        "charged": charges(spec, online),
        **_detail_figures(by_sequence),
    }


def _sampled(scores: Sequence[Score]) -> Dict[str, np.ndarray]:
    """Each measure at the 51 sigmas, mean over the runs of one sequence."""
    measures = scores[0].curves
    return {measure: np.mean([score.curves[measure].at(SIGMAS) for score in scores], axis=0) for measure in measures}


def _sequence_figures(scores: Sequence[Score], sampled: Mapping[str, np.ndarray], world_fps: float) -> Dict[str, Any]:
    """What a row says of one sequence: means over its runs, but for the longest outage of any."""
    gains = [each.unpredictability for each in _details(scores) if each.unpredictability is not None]
    return {
        **_measures(sampled),
        "norm_precision": round(float(sampled["norm_precision"][0]), 6),
        "nt2f": round(float(np.mean([score.outages.nt2f for score in scores])), 6),
        "outage_s": round(max(score.outages.longest_s for score in scores), 6),
        "losses": loss_figures([score.outages for score in scores]),
        "frames": sum(score.frames for score in scores),
        "runs": len(scores),
        "world_frames_per_s": world_fps,
        "unpredictability": round(float(np.mean(gains)), 6) if gains else None,
    }


def _attribute_figures(by_sequence: BySequence, sampled: Mapping[str, Mapping[str, np.ndarray]]) -> Dict[str, Any]:
    """Means over the sequences that have each attribute, in the order in which the attributes are met."""
    having: Dict[str, List[str]] = {}
    for name, scores in by_sequence.items():
        for attribute in scores[0].attributes:
            having.setdefault(attribute, []).append(name)
    return {
        attribute: {
            **_measures({each: np.mean([sampled[name][each] for name in found], axis=0) for each in ("auc", "dp")}),
            "sequences": len(found),
        }
        for attribute, found in having.items()
    }


def _measures(sampled: Mapping[str, np.ndarray]) -> Dict[str, float]:
    return {"auc": round(float(sampled["auc"][0]), 6), "dp20": round(float(sampled["dp"][0]), 6)}


def _detail_figures(by_sequence: BySequence) -> Dict[str, Any]:
    details = [found for found in map(_details, by_sequence.values()) if found]
    if not details:
        return {}
    latencies = [each.latency for found in details for each in found if each.latency is not None]
    return {
        "plots": plot_figures([[each.plots for each in found] for found in details]),
        "latency": latency_figures(latencies) if latencies else None,
        "coverage": coverage_figures([[each.coverage for each in found] for found in details]),
    }


def _details(scores: Sequence[Score]) -> List[Details]:
    return [score.details for score in scores if score.details is not None]


def _exact(by_sequence: BySequence) -> Dict[str, List[float]]:
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


def _processing_ms(scores: Sequence[Score], spec: RunSpec) -> float:
    """As the spec has it, or the median over runs of what was measured."""
    measured = [score.track_ms for score in scores if score.track_ms is not None]
    return round(float(np.median(measured)), 2) if measured else spec.processing_ms
