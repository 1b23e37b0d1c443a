"""Errors name an option as it is typed, whatever the field is called that holds its value."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import pytest

from pvtpp.arguments import as_options, check_options, comma_separated
from pvtpp.errors import InputError
from pvtpp.validation import above, check

OPTIONS = argparse.Namespace(frames=1, tracker_ms=0.0)


@dataclass(frozen=True)
class Config:
    """Holds the value of an option."""

    tracker_ms: float

    def __post_init__(self) -> None:
        check(self, {"tracker_ms": above(0)})


def test_an_option_that_breaks_its_rule_is_named_as_it_is_typed():
    check_options(OPTIONS, {"frames": above(0)})
    with pytest.raises(InputError) as raised:
        check_options(OPTIONS, dict.fromkeys(("frames", "tracker_ms"), above(0)))
    assert str(raised.value) == "--tracker-ms is 0.0, allowed is a number above 0"


def test_so_is_the_option_of_a_configurations_field():
    with pytest.raises(InputError, match="^--tracker-ms is -1, allowed is a number above 0$"), as_options(OPTIONS):
        Config(-1)


def test_other_errors_stay_as_they_are():
    with pytest.raises(InputError, match="^no such file$"), as_options(OPTIONS):
        raise InputError("no such file")
    with pytest.raises(InputError, match="^Config.tracker_ms is -1, "), as_options(argparse.Namespace(frames=1)):
        Config(-1)


def test_names_stand_once_and_in_order():
    assert comma_separated("b, a,,b") == ("b", "a")
