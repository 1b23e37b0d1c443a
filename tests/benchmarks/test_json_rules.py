"""What JSON may hold is checked to its depth, and the first field that breaks its rule is named."""

from __future__ import annotations

import pytest

from pvtpp.errors import InputError
from pvtpp.validation import at_least
from pvtpp_benchmarks.json_rules import (
    FILLED_TEXT,
    NUMBER,
    TEXT,
    check_fields,
    list_of,
    object_of,
    object_with,
    or_null,
)

PAIR = {"a": NUMBER, "b": TEXT}
HOLD = [
    (NUMBER, 1.5),
    (NUMBER, 0),
    (TEXT, ""),
    (or_null(NUMBER), None),
    (list_of(NUMBER), []),
    (list_of(NUMBER, 2, 2), [1, 2.5]),
    (object_of(list_of(TEXT)), {"any": ["a"], "other": []}),
    (object_with(PAIR), {"b": "x", "a": 1}),
    (object_with(PAIR, others=True), {"b": "x", "a": 1, "c": None}),
]
BREAK = [
    (NUMBER, True),
    (NUMBER, float("nan")),
    (NUMBER, 10**400),
    (FILLED_TEXT, ""),
    (or_null(NUMBER), "1"),
    (list_of(NUMBER, 2, 2), [1]),
    (list_of(at_least(0)), [10**400]),
    (list_of(NUMBER), {"0": 1}),
    (object_of(NUMBER, least=1), {}),
    (object_of(NUMBER), {"a": [1]}),
    (object_with(PAIR), {"a": 1}),
    (object_with(PAIR), {"a": 1, "b": "x", "c": None}),
    (object_with(PAIR, others=True), {"a": 1, "b": 2}),
]


@pytest.mark.parametrize(("rule", "value"), HOLD)
def test_what_keeps_its_rule_is_allowed(rule, value):
    assert rule.holds(value)


@pytest.mark.parametrize(("rule", "value"), BREAK)
def test_what_breaks_it_is_not_however_deep(rule, value):
    assert not rule.holds(value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"a": 1}, "x.json: b of row 3 is missing, allowed is a text"),
        ({"a": None, "b": 2}, "x.json: a of row 3 is 'None', allowed is a finite number"),
    ],
)
def test_the_first_field_that_breaks_its_rule_is_named_with_its_place(content, said):
    with pytest.raises(InputError) as raised:
        check_fields(content, PAIR, "x.json", " of row 3")
    assert str(raised.value) == said


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        (list_of(TEXT), "a list, each a text"),
        (list_of(TEXT, 2, 2), "a list of 2, each a text"),
        (list_of(TEXT, 1, 16), "a list of 1 to 16, each a text"),
        (object_of(NUMBER, least=1), "an object of 1 or more, each value a finite number"),
        (object_with({"a": NUMBER}), "an object with a (a finite number)"),
    ],
)
def test_the_words_say_how_many_of_what(rule, allowed):
    assert rule.allowed == allowed
