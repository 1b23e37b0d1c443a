"""Configurations from JSON: every field by name, nested ones too, and wrong ones named with the right ones."""

import json
from dataclasses import dataclass, field

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


def test_what_is_left_out_is_as_in_the_base_at_every_depth():
    base = Outer(50, 3, Inner((8, 9), 4))
    assert made(Outer, {"inner": {"depth": 6}}, "here", base, seed=1) == Outer(50, 1, Inner((8, 9), 6))


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
