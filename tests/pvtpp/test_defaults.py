"""The product's default configuration: it exists, it is valid, and everything takes it from one place."""

import inspect

import pytest

import pvtpp
from pvtpp import defaults
from pvtpp.core.config import SEARCH_REGIONS, CoreConfig
from pvtpp.core.presence import PRESENCES, PresenceConfig
from pvtpp.errors import InputError
from pvtpp.predictors import names as predictor_names
from pvtpp.propagation import create as create_propagator
from pvtpp.propagation import names as propagator_names
from pvtpp_benchmarks.grid import make_grid
from pvtpp_benchmarks.processing import parse
from pvtpp_ros_nodes.config import NodeConfig
from pvtpp_trackers.registry import names as tracker_names


def test_every_default_is_a_name_that_there_is():
    assert defaults.TRACKER in tracker_names()
    assert defaults.PREDICTOR in predictor_names()
    assert defaults.PROPAGATION in propagator_names()
    assert defaults.SEARCH_REGION in SEARCH_REGIONS and defaults.PRESENCE in PRESENCES
    for processing in (defaults.PROPAGATION_PROCESSING, defaults.PREDICTOR_PROCESSING):
        parse(processing)


def test_what_they_stand_for_is_made_by_name():
    (name,) = made = defaults.predictors()
    assert name == defaults.PREDICTOR and callable(made[name].predict)
    assert list(defaults.predictors("hold")) == ["hold"]
    assert type(defaults.propagator()) is type(create_propagator(defaults.PROPAGATION))
    assert defaults.propagator("none") is None
    assert defaults.presence("on") == PresenceConfig() and defaults.presence("off") is None
    for make in (defaults.predictors, defaults.propagator):
        with pytest.raises(InputError, match="expected one of"):
            make("magic")


def test_a_new_propagator_is_made_each_time_for_it_remembers_frames():
    assert defaults.propagator() is not defaults.propagator()


def test_all_predictors_are_evaluated_as_the_product_runs_but_two_that_are_compared_with():
    product = {"propagation": defaults.PROPAGATION, "search_region": defaults.SEARCH_REGION}
    product["presence"] = defaults.PRESENCE
    others = {name: defaults.settings(name) for name in predictor_names() if defaults.settings(name) != product}
    assert others == {
        "hold": {"propagation": "none", "search_region": "last", "presence": "off"},
        "kalman:pvt": {"propagation": "none", "search_region": "predicted", "presence": "off"},
    }
    assert defaults.settings("motion:network.onnx") == product


def test_who_changes_the_settings_changes_none_of_the_defaults():
    defaults.settings("hold")["propagation"] = "changed"
    assert defaults.settings("hold")["propagation"] == "none"


def test_the_default_is_a_valid_configuration_of_the_state_machine():
    CoreConfig(defaults.SEARCH_REGION, defaults.presence(), defaults.propagator() is not None)


def test_live_tracker_and_nodes_take_their_defaults_from_here():
    arguments = inspect.signature(pvtpp.LiveTracker).parameters
    written = {
        "tracker": defaults.TRACKER,
        "predictor": defaults.PREDICTOR,
        "propagation": defaults.PROPAGATION,
        "search_region": defaults.SEARCH_REGION,
    }
    assert {name: arguments[name].default for name in written} == written
    assert arguments["presence"].default == defaults.PRESENCE
    assert {name: getattr(NodeConfig(), name) for name in written} == written


def test_the_default_grid_evaluates_the_default_predictor_as_the_product_runs():
    grid = make_grid("clips", "csrt")
    cells = [spec for spec in grid.specs() if spec.predictors == (defaults.PREDICTOR,)]
    assert cells
    for spec in cells:
        assert (spec.propagation, spec.search_region) == (defaults.PROPAGATION, defaults.SEARCH_REGION)
        assert spec.presence == defaults.PRESENCE
