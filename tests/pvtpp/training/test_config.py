"""Configurations from JSON: every field by name, nested ones too, and wrong ones named with the right ones."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from pvtpp.errors import InputError
from pvtpp.training.config import made, read


@dataclass(frozen=True)
class Inner:
    sizes: tuple = (1, 2)
    depth: int = 1


@dataclass(frozen=True)
class Outer:
    epochs: int = 5
    seed: int = 0
    inner: Inner = field(default_factory=Inner)


def test_fields_are_read_and_the_rest_stays_at_its_default(tmp_path):
    (tmp_path / "c.json").write_text(json.dumps({"epochs": 7, "inner": {"sizes": [3, 4]}}))
    assert read(tmp_path / "c.json", Outer, seed=9) == Outer(7, 9, Inner((3, 4)))
    assert made(Outer, {}, "here") == Outer()


def test_a_byte_order_mark_is_no_error(tmp_path):
    (tmp_path / "c.json").write_text(json.dumps({"epochs": 7}), encoding="utf-8-sig")
    assert read(tmp_path / "c.json", Outer) == Outer(7)


def test_what_is_left_out_is_as_in_the_base_at_every_depth():
    base = Outer(50, 3, Inner((8, 9), 4))
    assert made(Outer, {"inner": {"depth": 6}}, "here", base, seed=1) == Outer(50, 1, Inner((8, 9), 6))


@dataclass(frozen=True)
class Wide:
    """Nested fields with defaults other than their own kind's."""

    inner: Inner = field(default_factory=lambda: Inner((5, 6), 7))
    also: Inner = Inner((1,), 2)


def test_without_a_base_nested_fields_are_as_the_outer_default_has_them():
    assert made(Wide, {"inner": {"depth": 9}, "also": {"sizes": [3]}}, "here") == Wide(Inner((5, 6), 9), Inner((3,), 2))


@dataclass(frozen=True)
class Typed:
    number: float = 1.0
    count: int = 1
    flag: bool = False
    word: str = ""
    pair: tuple[float, float] = (1.0, 2.0)
    many: tuple[int, ...] = (1,)
    pairs: tuple[tuple[float, float], tuple[float, float]] = ((1.0, 2.0), (3.0, 4.0))
    anything: Any = None

    def __post_init__(self) -> None:
        if self.count == 99:
            raise InputError("count is 99")
        if self.count == 98:
            raise ZeroDivisionError("none of it")


def test_values_of_the_type_are_taken_and_lists_become_tuples_at_every_depth():
    given = {"number": 2, "flag": True, "pair": [1, 2.5], "many": [], "pairs": [[1, 2], [3, 4]], "anything": [1]}
    assert made(Typed, given, "here") == Typed(2, 1, True, "", (1, 2.5), (), ((1, 2), (3, 4)), (1,))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"number": "1"}, r"here: Typed\.number is '1', expected a number"),
        ({"number": True}, "expected a number"),
        ({"number": float("nan")}, "number is nan, expected a finite number"),
        ({"pair": [1.0, float("inf")]}, "pair is inf, expected a finite number"),
        ({"anything": float("nan")}, "anything is nan"),
        ({"count": 1.0}, "count is 1.0, expected a whole number"),
        ({"count": False}, "count is False, expected a whole number"),
        ({"flag": "no"}, "flag is 'no', expected true or false"),
        ({"flag": 1}, "flag is 1, expected true or false"),
        ({"word": 3}, "word is 3, expected a text"),
        ({"word": None}, "word is None, expected a text"),
        ({"pair": [1.0]}, r"pair is \[1.0\], expected a list of 2"),
        ({"pair": 1.0}, "pair is 1.0, expected a list"),
        ({"many": [1, 2.5]}, "many is 2.5, expected a whole number"),
        ({"count": 99}, "^count is 99"),
        ({"count": 98}, "here: Typed: none of it"),
    ],
)
def test_values_of_another_type_are_refused(values, words):
    with pytest.raises(InputError, match=words):
        made(Typed, values, "here")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"epoch": 1}, "no field epoch; valid: epochs, seed, inner"),
        ({"inner": {"size": 1}}, "inner: Inner has no field"),
        ([], "object"),
    ],
)
def test_wrong_fields_are_named_with_the_valid_ones(values, words):
    with pytest.raises(InputError, match=words):
        made(Outer, values, "here")


def test_a_file_that_is_missing_or_no_json_is_named(tmp_path):
    with pytest.raises(InputError, match="nowhere.json"):
        read(tmp_path / "nowhere.json", Outer)
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(InputError, match="bad.json"):
        read(tmp_path / "bad.json", Outer)
