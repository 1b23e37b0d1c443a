"""The grid of runs that a comparison asks for, made from plain settings, for the command line and the API."""

from __future__ import annotations

from typing import Any, Dict, Iterable, Optional, Tuple, Union

from pvtpp import defaults
from pvtpp.arguments import comma_separated, option_name
from pvtpp.core.config import SCHEDULES, SEARCH_REGIONS
from pvtpp.core.presence import PRESENCES
from pvtpp.errors import InputError
from pvtpp.propagation import names as propagator_names
from pvtpp_benchmarks import processing as processing_models
from pvtpp_benchmarks.fingerprint import code_digest
from pvtpp_benchmarks.spec import MEASURED, Grid, RunSpec

PROCESSING = ("0ms", "20ms", "47ms", "85ms", "165ms")
PREDICTORS = ("hold", "kalman:pvt", defaults.PREDICTOR)
CHOICES = {
    "search_region": SEARCH_REGIONS,
    "schedule": SCHEDULES,
    "propagation": tuple(propagator_names()),
    "presence": PRESENCES,
}
Names = Union[str, Iterable[str]]
"""One name, or several."""


def make_grid(
    dataset: str,
    tracker: str,
    *,
    tracker_digest: str = "",
    clock: str = "simulated",
    processing: Optional[Names] = None,
    predictors: Names = PREDICTORS,
    predictor_processing: Optional[str] = None,
    propagation_processing: Optional[str] = None,
    search_region: Names = (),
    propagation: Names = (),
    schedule: Names = ("async",),
    propagation_core: str = "own",
    presence: Names = (),
    ego_motion: str = "none",
    starts: int = 1,
    jitter_init: float = 0.0,
    draws: Optional[int] = None,
    seed: int = 0,
    mode: Names = ("otb",),
    apart: Names = (),
    offline: bool = True,
) -> Grid:
    """Make the grid of every combination of the settings that take several values.

    Where several names can be given, one alone needs no list.

    Parameters
    ----------
    dataset, tracker, tracker_digest
        Name of the data, name of the tracker, and what tells it from another of that name.
    clock
        ``simulated``, or ``wall``: everything takes what it takes.
    processing
        Processing times per frame as text, see `pvtpp_benchmarks.processing`; None: `PROCESSING`.
    predictors
        Their names.
    predictor_processing, propagation_processing
        What a prediction takes (``0.2ms`` for all, or ``kalman=0.2ms,hold=0ms``) and each step of propagation; None:
        the product's default.
    search_region, propagation, presence
        Values for all predictors; empty: each predictor's own (`pvtpp.defaults.settings`).
    schedule, propagation_core, ego_motion
        As of `pvtpp_benchmarks.spec.RunSpec`.
    starts, jitter_init, draws, seed
        Starts of each clip; jitter of the first box, pixels; runs of each start (None: 4 with jitter, else 1).
    mode
        Metric modes.
    apart
        Sequences to table in rows of their own.
    offline
        Also the zero-latency rows.

    Raises
    ------
    InputError
        For a value that is not allowed, and where the wall clock is given what something takes.
    """
    costs = {"processing": processing, "predictor_processing": predictor_processing}
    costs["propagation_processing"] = propagation_processing
    if clock == "wall":
        given = [f"{option_name(name)} {_shown(value)}" for name, value in costs.items() if value is not None]
        if given:
            raise InputError(f"{given[0]}: on the wall clock everything takes what it takes, leave the option out")
        times: Tuple[str, ...] = (MEASURED,)
        predictor_processing, propagation_processing = "0ms", "0ms"
    else:
        times = PROCESSING if processing is None else names(processing)
        if not times:
            raise InputError(f"--processing names no time, expected one or more of: {processing_models.FORMS}")
    named = names(predictors)
    axes: Dict[str, Tuple[str, ...]] = {"processing": times}
    given_axes = {
        "search_region": search_region,
        "schedule": schedule,
        "propagation": propagation,
        "presence": presence,
    }
    for name, values in given_axes.items():
        chosen = names(values)
        for value in chosen:
            if value not in CHOICES[name]:
                raise InputError(f"unknown {name} {value!r}, expected one of: {', '.join(CHOICES[name])}")
        if chosen:
            axes[name] = chosen
    step = defaults.PROPAGATION_PROCESSING if propagation_processing is None else propagation_processing
    prediction = defaults.PREDICTOR_PROCESSING if predictor_processing is None else predictor_processing
    base = RunSpec(
        dataset,
        tracker,
        times[0],
        starts=starts,
        draws=draws if draws is not None else (4 if jitter_init else 1),
        jitter_px=jitter_init,
        seed=seed,
        propagation_ns=_constant_ns(step, "--propagation-processing"),
        propagation_core=propagation_core,
        version=code_digest(),
        tracker_digest=tracker_digest,
        clock=clock,
        ego_motion=ego_motion,
    )
    return Grid(
        base,
        named,
        axes,
        modes=names(mode),
        predictor_ns=_predictor_costs(prediction, named),
        apart=frozenset(names(apart)),
        offline=offline,
    )


def names(given: Names) -> Tuple[str, ...]:
    """Return the names in order, each once."""
    return (given,) if isinstance(given, str) else tuple(dict.fromkeys(given))


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else ",".join(value)


def _predictor_costs(text: str, named: Tuple[str, ...]) -> Dict[str, int]:
    """``2ms`` or ``name=2ms,name=1ms`` to nanoseconds by predictor."""
    costs = dict.fromkeys(named, 0)
    for part in comma_separated(text):
        name, equals, time = part.rpartition("=")
        if equals and name not in costs:
            raise InputError(f"--predictor-processing names {name!r}, not among the predictors {', '.join(named)}")
        costs.update(dict.fromkeys([name] if equals else named, _constant_ns(time, "--predictor-processing")))
    return costs


def _constant_ns(text: str, option: str) -> int:
    """A constant processing time in nanoseconds; InputError naming the option for any other model."""
    model = processing_models.parse(text)
    if not isinstance(model, processing_models.Constant):
        raise InputError(f"{option} {text!r}: a constant such as 0.5ms is needed")
    return model.nanoseconds
