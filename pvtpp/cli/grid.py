"""The grid of runs that `eval`, `run` and `replay` ask for: its arguments, and what they come to."""

from __future__ import annotations

import argparse
from typing import Dict, Tuple

from pvtpp import defaults, predictors, propagation
from pvtpp.arguments import comma_separated
from pvtpp.core.state_machine import SEARCH_REGIONS
from pvtpp.errors import InputError
from pvtpp_benchmarks import processing
from pvtpp_benchmarks.evaluate import Grid
from pvtpp_benchmarks.provenance import code_version
from pvtpp_benchmarks.simulation import CORES, SCHEDULES
from pvtpp_benchmarks.spec import CLOCKS, EGO_MOTIONS, MEASURED, PRESENCES, RunSpec

DEFAULT_PROCESSING = "0ms,20ms,47ms,85ms,165ms"
DEFAULT_PREDICTORS = f"hold,constant_velocity,kalman,motion,{defaults.PREDICTOR}"
DEFAULT_COSTS = {"processing": DEFAULT_PROCESSING, "predictor_processing": "0ms", "propagation_processing": "2.5ms"}


def add_grid(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("online protocol")
    group.add_argument(
        "--clock",
        choices=CLOCKS,
        default=CLOCKS[0],
        help="wall: show a live tracker the frames at their rate; one run at a time, all else takes what it takes here",
    )
    group.add_argument(
        "--processing",
        metavar="T,T",
        help=f"processing times per frame: {processing.FORMS} (default {DEFAULT_PROCESSING})",
    )
    group.add_argument(
        "--predictors",
        type=comma_separated,
        default=comma_separated(DEFAULT_PREDICTORS),
        metavar="P,P",
        help=f"of {', '.join(predictors.names())} (default {DEFAULT_PREDICTORS})",
    )
    group.add_argument(
        "--predictor-processing",
        metavar="T",
        help="what a prediction costs: 0.2ms for all, or kalman=0.2ms,hold=0ms (default 0ms)",
    )
    group.add_argument(
        "--search-region",
        type=comma_separated,
        default=("last",),
        metavar="R,R",
        help=f"of {', '.join(SEARCH_REGIONS)}",
    )
    group.add_argument(
        "--schedule", type=comma_separated, default=("async",), metavar="S,S", help=f"of {', '.join(SCHEDULES)}"
    )
    group.add_argument(
        "--propagation",
        type=comma_separated,
        default=("none",),
        metavar="F,F",
        help=f"the propagation: of {', '.join(propagation.names())}",
    )
    group.add_argument("--propagation-processing", metavar="T", help="what a step of it costs (default 2.5ms)")
    group.add_argument(
        "--propagation-core", default="own", choices=CORES, help="its own core, or the tracker's (default own)"
    )
    group.add_argument(
        "--status",
        choices=PRESENCES,
        default="off",
        help="on: judge every result, coast and search when the target is lost",
    )
    group.add_argument(
        "--ego-motion",
        choices=EGO_MOTIONS,
        default="none",
        help="gyro: know the camera's own rotation from the gyro.csv and camera.json of the sequences",
    )
    group.add_argument("--starts", type=int, default=1, metavar="N", help="start at 0, 1/N, 2/N .. of each clip")
    group.add_argument(
        "--jitter-init", type=float, default=0.0, metavar="PX", help="jitter of the first box, in pixels"
    )
    group.add_argument(
        "--draws",
        type=int,
        metavar="K",
        help="runs per start, the first without jitter (default 4 with --jitter-init, else 1)",
    )
    group.add_argument("--seed", type=int, default=0)
    group.add_argument("--logs", default="runs", metavar="DIR", help="where event logs are kept (default runs)")
    group.add_argument("--workers", type=int, default=1, metavar="N", help="processes to run sequences in (default 1)")


def make_grid(options: argparse.Namespace, dataset: str, tracker: str, digest: str) -> Grid:
    """The grid of the options; InputError where the wall clock is told what something takes, or to share the machine."""
    costs = {name: getattr(options, name) for name in DEFAULT_COSTS}
    if options.clock == "wall":
        told = [f"--{name.replace('_', '-')} {text}" for name, text in costs.items() if text is not None]
        if told:
            raise InputError(f"{told[0]}: on the wall clock everything takes what it takes, leave the option out")
        if options.workers > 1:
            raise InputError(
                f"--workers {options.workers}: on the wall clock only 1, a run shares the machine with nobody"
            )
        costs = {"processing": MEASURED, "predictor_processing": "0ms", "propagation_processing": "0ms"}
    costs = {name: DEFAULT_COSTS[name] if text is None else text for name, text in costs.items()}
    processing_times = comma_separated(costs["processing"])
    if not processing_times:
        raise InputError(f"--processing names no time, expected one or more of: {processing.FORMS}")
    draws = options.draws if options.draws is not None else (4 if options.jitter_init else 1)
    base = RunSpec(
        dataset,
        tracker,
        processing_times[0],
        starts=options.starts,
        draws=draws,
        jitter_px=options.jitter_init,
        seed=options.seed,
        propagation_ns=_constant_ns(costs["propagation_processing"], "--propagation-processing"),
        propagation_core=options.propagation_core,
        version=code_version(),
        tracker_digest=digest,
        clock=options.clock,
        status=options.status,
        ego_motion=options.ego_motion,
    )
    return Grid(
        base,
        processing=processing_times,
        predictors=options.predictors,
        search_regions=options.search_region,
        schedules=options.schedule,
        propagations=options.propagation,
        modes=options.mode,
        predictor_ns=_predictor_costs(costs["predictor_processing"], options.predictors),
        apart=frozenset(options.apart),
        offline=not options.no_offline,
    )


def _predictor_costs(text: str, served: Tuple[str, ...]) -> Dict[str, int]:
    """``2ms`` or ``name=2ms,name=1ms`` to nanoseconds by predictor."""
    costs = dict.fromkeys(served, 0)
    for part in comma_separated(text):
        name, equals, time = part.rpartition("=")
        if equals and name not in costs:
            raise InputError(f"--predictor-processing names {name!r}, not among the predictors {', '.join(served)}")
        costs.update(dict.fromkeys([name] if equals else served, _constant_ns(time, "--predictor-processing")))
    return costs


def _constant_ns(text: str, option: str) -> int:
    """A constant processing time in nanoseconds; InputError naming the option for any other model."""
    model = processing.parse(text)
    if not isinstance(model, processing.Constant):
        raise InputError(f"{option} {text!r}: a constant such as 0.5ms is needed")
    return model.nanoseconds
