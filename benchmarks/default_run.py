"""One clip on the simulated clock in the product's default configuration, as studies compare it."""

from __future__ import annotations

from typing import Any, Callable, Dict

from pvtpp import defaults
from pvtpp.boxes import xywh_to_box
from pvtpp.core.event_log import EventLog
from pvtpp.propagation import create as create_propagator
from pvtpp.tracker import Tracker
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.processing import parse
from pvtpp_benchmarks.simulation import Propagation, simulate


def default_run(
    clip: VideoSequence,
    tracker: Tracker,
    processing: Callable[[int], int],
    predictor: str = defaults.PREDICTOR,
    **options: Any,
) -> EventLog:
    """Run a clip from its first frame; every result is believed where `options` have no ``presence``.

    Parameters
    ----------
    clip
        With images and truth.
    tracker, processing
        As of `simulate`.
    predictor
        By its name.
    options
        Of `simulate`, in place of the default.
    """
    settings = {**usual_options(defaults.PREDICTOR), "presence": None, **options}
    first_box = xywh_to_box(clip.ground_truth_xywh[0])
    return simulate(clip, tracker, defaults.predictors(predictor), processing, first_box=first_box, **settings)


def usual_options(predictor: str) -> Dict[str, Any]:
    """Options of `simulate` that a predictor is evaluated with where nothing is said, as `defaults.settings` has them.

    Parameters
    ----------
    predictor
        By its name.

    Returns
    -------
    dict
        Search region, propagation (a new propagator) and presence.
    """
    settings = defaults.settings(predictor)
    propagation = None
    if settings["propagation"] != "none":
        step_ns = round(parse(defaults.PROPAGATION_PROCESSING).longest_ns())
        propagation = Propagation(create_propagator(settings["propagation"]), step_ns)
    return {
        "search_region": settings["search_region"],
        "propagation": propagation,
        "presence": defaults.presence(settings["presence"]),
    }
