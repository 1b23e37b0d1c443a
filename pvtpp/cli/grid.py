"""The settings of a comparison on the command line of `eval`, `run` and `replay`."""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import Executor
from typing import Any, ContextManager, Dict, List, Optional, Sequence

from pvtpp import defaults, predictors
from pvtpp.arguments import comma_separated
from pvtpp.errors import InputError
from pvtpp.tracker import takes_search_box
from pvtpp_benchmarks import execution, processing
from pvtpp_benchmarks.cluster import executors
from pvtpp_benchmarks.evaluate import Entry, check_entries
from pvtpp_benchmarks.grid import CHOICES, PREDICTORS, PROCESSING, make_grid
from pvtpp_benchmarks.spec import AXES
from pvtpp_trackers.factory import MakeTracker

SETTINGS = (
    "clock",
    "processing",
    "predictors",
    "predictor_processing",
    "propagation_processing",
    "search_region",
    "propagation",
    "schedule",
    "propagation_core",
    "presence",
    "ego_motion",
    "starts",
    "jitter_init",
    "draws",
    "seed",
)
"""Options that `pvtpp_benchmarks.grid.make_grid` takes by the same name."""


def add_grid(parser: argparse.ArgumentParser) -> None:
    """Add the options of the online protocol, which `settings` reads."""
    group = parser.add_argument_group("online protocol")
    group.add_argument(
        "--clock",
        choices=AXES["clock"],
        default="simulated",
        help="wall: show a live tracker the frames at their rate; one run at a time, all else takes what it takes here",
    )
    group.add_argument(
        "--processing",
        type=comma_separated,
        metavar="T,T",
        help=f"processing times per frame: {processing.FORMS} (default {','.join(PROCESSING)})",
    )
    group.add_argument(
        "--predictors",
        type=comma_separated,
        default=PREDICTORS,
        metavar="P,P",
        help=f"of {', '.join(predictors.names())} (default {','.join(PREDICTORS)})",
    )
    group.add_argument(
        "--predictor-processing",
        metavar="T",
        help="what a prediction takes: 0.2ms for all, or kalman=0.2ms,hold=0ms "
        f"(default {defaults.PREDICTOR_PROCESSING})",
    )
    group.add_argument(
        "--search-region",
        type=comma_separated,
        default=(),
        metavar="R,R",
        help=f"where the tracker looks: of {', '.join(CHOICES['search_region'])} (default {defaults.SEARCH_REGION}; "
        "last for hold)",
    )
    group.add_argument(
        "--schedule",
        type=comma_separated,
        default=("async",),
        metavar="S,S",
        help=f"of {', '.join(CHOICES['schedule'])} (default async)",
    )
    group.add_argument(
        "--propagation",
        type=comma_separated,
        default=(),
        metavar="F,F",
        help=f"what propagates results to newer frames: of {', '.join(CHOICES['propagation'])} "
        f"(default {defaults.PROPAGATION}; none for hold and kalman:pvt)",
    )
    group.add_argument(
        "--propagation-processing",
        metavar="T",
        help=f"what each step of propagation takes (default {defaults.PROPAGATION_PROCESSING})",
    )
    group.add_argument(
        "--propagation-core",
        default="own",
        choices=AXES["propagation_core"],
        help="propagation on a core of its own, or shared with the tracker (default own)",
    )
    group.add_argument(
        "--presence",
        type=comma_separated,
        default=(),
        metavar="P,P",
        help="on: assess every result, and search where the target is probably lost; off: believe them all (default "
        f"{defaults.PRESENCE}; off for hold and kalman:pvt)",
    )
    group.add_argument(
        "--ego-motion",
        choices=AXES["ego_motion"],
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
    group.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="run on the workers of this Dask scheduler, tcp://HOST:PORT (docs/how-to/cluster.md)",
    )


def check_trackers(
    makers: Sequence[MakeTracker], options: argparse.Namespace, executor: Optional[Executor] = None
) -> None:
    """Make each tracker before the work, and say so where one is asked to look elsewhere and cannot.

    Raises
    ------
    InputError
        Where one cannot be made.
    """
    for make_tracker in makers:
        takes = execution.check_tracker(make_tracker, executor, takes_search_box)
        if not takes and "predicted" in options.search_region:
            print(
                f"pvtpp: {make_tracker.name} ignores where it is to look: --search-region predicted runs it once for "
                "each predictor; with --search-region last and --presence off one run serves all, with the same "
                "results",
                file=sys.stderr,
            )


def settings(options: argparse.Namespace) -> Dict[str, Any]:
    """Return what `make_grid` is given; InputError where the wall clock is to share the machine."""
    if options.clock == "wall" and options.workers > 1:
        raise InputError(f"--workers {options.workers}: on the wall clock only 1, a run shares the machine with nobody")
    if options.clock == "wall" and options.cluster is not None:
        raise InputError(
            f"--cluster {options.cluster}: not on the wall clock, a run measures the machine that it shares with nobody"
        )
    return {name: getattr(options, name) for name in SETTINGS}


def entries(
    options: argparse.Namespace, title: str, makers: Sequence[MakeTracker], offline: bool, **scored: Any
) -> List[Entry]:
    """Return what is evaluated: the grid of each tracker.

    Parameters
    ----------
    options
        The command's.
    title
        Of the data set.
    makers
        Make the trackers.
    offline
        Also at zero latency.
    scored
        How it is scored, as `make_grid` takes it: ``mode``, ``apart``.

    Raises
    ------
    InputError
        As `settings`, `make_grid` and `check_entries`.
    """
    given = {**settings(options), **scored, "offline": offline}
    made = [Entry(make_grid(title, make.name, tracker_digest=make.digest(), **given), make) for make in makers]
    check_entries(made)
    return made


def executor_of(options: argparse.Namespace) -> ContextManager[Optional[Executor]]:
    """Return what carries out the runs, for a `with` block: the cluster, the workers, or None for this process."""
    return executors(options.workers, options.cluster)
