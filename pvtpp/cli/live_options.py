"""The options of a live tracker: what follows the target, what predicts, and how."""

from __future__ import annotations

import argparse
from typing import Any, Dict, Mapping

from pvtpp import defaults, predictors, propagation
from pvtpp.arguments import comma_separated
from pvtpp.cli import common
from pvtpp.core.config import SEARCH_REGIONS
from pvtpp.errors import InputError
from pvtpp.predictors import Predictor
from pvtpp_benchmarks.spec import PRESENCES

SETTINGS = ("tracker", "predictors", "propagation", "search_region", "presence")
"""What an event log says of how it was made."""


def add_live(parser: argparse.ArgumentParser) -> None:
    """Add the options; `checked` must follow."""
    common.add_tracker(parser)
    parser.add_argument(
        "--predictors",
        type=comma_separated,
        default=(defaults.PREDICTOR,),
        metavar="P,P",
        help=f"the first one leads and is shown; of {', '.join(predictors.names())} (default {defaults.PREDICTOR})",
    )
    parser.add_argument(
        "--propagation",
        choices=propagation.names(),
        default=defaults.PROPAGATION,
        help="what propagates results to newer frames (default %(default)s)",
    )
    parser.add_argument(
        "--search-region",
        choices=SEARCH_REGIONS,
        default=defaults.SEARCH_REGION,
        help="where to look (default %(default)s)",
    )
    parser.add_argument(
        "--presence",
        choices=PRESENCES,
        default=defaults.PRESENCE,
        help="on: assess every result, coast and search when the target is lost (default %(default)s)",
    )


def checked(options: argparse.Namespace) -> Dict[str, Predictor]:
    """Load the predictors; raises InputError where none is named, or one cannot be loaded."""
    if not options.predictors:
        raise InputError(f"--predictors names none, expected one or more of: {', '.join(predictors.names())}")
    return {name: predictors.create(name) for name in options.predictors}


def parts(options: argparse.Namespace, chosen: Mapping[str, Predictor]) -> Dict[str, Any]:
    """Return the arguments of `LiveTracker` that follow from the options; `chosen` are the predictors, loaded."""
    return {
        "predictors": chosen,
        "propagator": defaults.propagator(options.propagation),
        "search_region": options.search_region,
        "presence": defaults.presence(options.presence),
    }
