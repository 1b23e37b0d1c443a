"""Parameters: what is allowed is taken, what is not is named with what would be."""

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
        ("rate", math.nan, "~rate is nan, allowed is 1 to 1000"),
        ("rate", True, "~rate is True, expected a value of type float"),
        ("threads", 1.5, "~threads is 1.5, expected a value of type int"),
        ("capture_offset", "late", "~capture_offset is 'late', expected a value of type float"),
        ("lead_time", math.inf, "~lead_time is inf, allowed is -1 to 2"),
        ("silent_s", math.nan, "~silent_s is nan, allowed is 0.05 to inf"),
        ("search_region", "everywhere", "~search_region is 'everywhere', expected one of: last, predicted"),
        ("propagation", "pigeon", "~propagation is 'pigeon', expected one of"),
        ("predictor", "oracle", "~predictor: unknown predictor 'oracle'"),
        ("rectified", 1, "~rectified is 1, expected a value of type bool"),
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
    with pytest.raises(InputError, match="~dataset is 'nothing', expected one of: generated"):
        PlayerConfig(dataset="nothing")
    with pytest.raises(InputError, match="~speed is 0"):
        PlayerConfig(speed=0.0)
    with pytest.raises(InputError, match=r"~first is 1000000, allowed is 0 to \d+"):
        PlayerConfig(first=1000000).clip()
    with pytest.raises(InputError, match="no such folder|no sequence"):
        PlayerConfig(dataset="folder", root=str(tmp_path / "none")).clip()
