"""The product's default configuration, written once: what everything does where nothing else is said.

`pvtpp.LiveTracker`, `pvtpp track`, `demo`, `eval`, `run`, the API's `evaluate` and both ROS nodes take it from here.
What people did before, for comparison, is the predictor ``hold``, propagation ``none`` and the search region ``last``.
"""

from __future__ import annotations

from typing import Dict, Optional

from pvtpp.core.presence import PresenceConfig
from pvtpp.predictors import Predictor
from pvtpp.predictors import create as create_predictor
from pvtpp.propagation import Propagator
from pvtpp.propagation import create as create_propagator

TRACKER = "nanotrack-v3"
PREDICTOR = "ensemble"
PROPAGATION = "optical_flow"
SEARCH_REGION = "predicted"
PRESENCE = "on"
PROPAGATION_PROCESSING = "2.5ms"
"""Charged for each step of propagation on a simulated clock; `pvtpp_benchmarks.speed.propagation_frame` measures it."""
PREDICTOR_PROCESSING = "0ms"
"""What a prediction is charged on a simulated clock: it takes about 0.1 ms."""


def predictors(name: str = PREDICTOR) -> Dict[str, Predictor]:
    """Make one predictor, by its name, as state machine and live tracker take it."""
    return {name: create_predictor(name)}


def propagator(name: str = PROPAGATION) -> Optional[Propagator]:
    """Make the propagator of this name; None for ``none``."""
    return None if name == "none" else create_propagator(name)


def presence(setting: str = PRESENCE) -> Optional[PresenceConfig]:
    """Return the constants of the presence monitor for ``on``; None (believe every result) for ``off``."""
    return PresenceConfig() if setting == "on" else None


_AS_PUBLISHED = {
    "hold": {"propagation": "none", "search_region": "last", "presence": "off"},
    "kalman:pvt": {"propagation": "none", "search_region": "predicted", "presence": "off"},
}


def settings(predictor: str) -> Dict[str, str]:
    """Return the propagation, search region and presence that a predictor is evaluated with where nothing is said.

    The product's default, but for two that are compared with: ``hold`` is a tracker that nobody made latency-aware, and
    ``kalman:pvt`` is PVT (predictive visual tracking) as it was published: a Kalman filter that says where to look.
    """
    product = {"propagation": PROPAGATION, "search_region": SEARCH_REGION, "presence": PRESENCE}
    return dict(_AS_PUBLISHED.get(predictor, product))
