"""Parameters: what is allowed is taken, and for what is not, the text says what is."""

from __future__ import annotations

import math
from dataclasses import fields
from pathlib import Path

import pytest

from pvtpp.errors import InputError
from pvtpp_ros_nodes import parameters
from pvtpp_ros_nodes.config import NodeConfig
from pvtpp_ros_nodes.player import PlayerConfig

YAML = Path(__file__).resolve().parents[2] / "ros_nodes" / "config" / "tracker.yaml"


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("rate", math.nan, "NodeConfig.rate is nan, allowed is a number from 1 to 1000"),
        ("rate", True, "NodeConfig.rate is True, allowed is a number from 1 to 1000"),
        ("threads", 1.5, "NodeConfig.threads is 1.5, allowed is a whole number from 0 to 256"),
        ("capture_offset", "late", "NodeConfig.capture_offset is 'late', allowed is a number from -1 to 1"),
        ("lead_time", math.inf, "NodeConfig.lead_time is inf, allowed is a number from -1 to 2"),
        ("silent_s", math.nan, "NodeConfig.silent_s is nan, allowed is a number from 0.05 to inf"),
        ("search_region", "everywhere", "NodeConfig.search_region is 'everywhere', allowed is one of: last, predicted"),
        ("propagation", "pigeon", "NodeConfig.propagation is 'pigeon', allowed is one of"),
        ("predictor", "oracle", "~predictor: unknown predictor 'oracle'"),
        ("weights", 5, "NodeConfig.weights is 5, allowed is a text"),
        ("presence", "on", "NodeConfig.presence is 'on', allowed is true or false"),
        ("rectified", 1, "NodeConfig.rectified is 1, allowed is true or false"),
    ],
)
def test_a_value_that_is_not_allowed_is_named(name, value, text):
    with pytest.raises(InputError, match=text.replace("(", r"\(")):
        NodeConfig(**{name: value})


def test_whole_numbers_serve_as_real_ones_and_the_rest_has_defaults():
    config = parameters.read(NodeConfig, lambda name, default: {"rate": 50, "weights": "/w"}.get(name, default))
    assert config.rate == 50 and config.tracker == NodeConfig().tracker
    assert config.tracker_options() == {"weights": "/w"}


def test_the_yaml_file_holds_the_defaults():
    yaml = pytest.importorskip("yaml")
    given = yaml.safe_load(YAML.read_text())
    assert set(given) <= {field.name for field in fields(NodeConfig)}
    assert NodeConfig(**given) == NodeConfig()


def test_the_player_refuses_what_it_cannot_play(tmp_path):
    with pytest.raises(InputError, match="PlayerConfig.dataset is 'nothing', allowed is one of: generated"):
        PlayerConfig(dataset="nothing")
    with pytest.raises(InputError, match="PlayerConfig.speed is 0"):
        PlayerConfig(speed=0.0)
    with pytest.raises(InputError, match=r"~first is 1000000, allowed is 0 to \d+"):
        PlayerConfig(first=1000000).clip()
    with pytest.raises(InputError, match="no such folder|no sequence"):
        PlayerConfig(dataset="folder", root=str(tmp_path / "none")).clip()
