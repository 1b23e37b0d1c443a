"""The check of configurations: what a rule allows, and what its message says."""

import pickle
from dataclasses import dataclass

import pytest

from pvtpp.errors import InputError
from pvtpp.validation import FieldError, above, at_least, between, check, holds, one_of, whole_from


@dataclass(frozen=True)
class Config:
    """A configuration of one field."""

    field: object


@pytest.mark.parametrize(
    ("rule", "fine", "wrong"),
    [
        (above(0, 2), [0.1, 2], [0, 2.1, float("inf"), None]),
        (above(0), [1, 0.5], [0, -1, float("nan"), float("inf"), "1", None, True]),
        (at_least(0), [0, 2.5], [-1e-9, float("nan"), "0"]),
        (between(0, 1), [0, 0.5, 1], [1.1, -0.1, float("nan"), [0.5]]),
        (whole_from(1), [1, 7], [0, 1.5, 2.0, "2", True]),
        (one_of(("a", "b")), ["a"], ["c", None, 1]),
        (holds("even", lambda value: value % 2 == 0), [2], [3, "x"]),
    ],
)
def test_a_rule_accepts_what_it_allows_and_the_error_names_the_rest(rule, fine, wrong):
    for value in fine:
        check(Config(value), {"field": rule})
    for value in wrong:
        with pytest.raises(InputError) as raised:
            check(Config(value), {"field": rule})
        assert str(raised.value) == f"Config.field is {value!r}, allowed is {rule.allowed}"


def test_the_owner_may_have_another_name():
    with pytest.raises(InputError, match="^~rate.field is 0"):
        check(Config(0), {"field": above(0)}, owner="~rate")


def test_the_error_is_the_same_behind_the_border_of_a_process():
    with pytest.raises(FieldError) as raised:
        check(Config(0), {"field": above(0)})
    again = pickle.loads(pickle.dumps(raised.value))
    assert str(again) == str(raised.value) and (again.field, again.value) == ("field", 0)
