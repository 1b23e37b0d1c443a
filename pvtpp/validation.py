"""Checks of configurations: one rule a field, one error that names the field, its value and what is allowed."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any, Callable, Collection, Mapping, NamedTuple, Union

from pvtpp.errors import InputError


class FieldError(InputError):
    """A field of a configuration breaks its rule.

    Attributes
    ----------
    owner, field
        Names.
    value
        What the field is.
    allowed
        What it may be, in words.
    """

    def __init__(self, owner: str, field: str, value: Any, allowed: str):
        # All of them are the exception's arguments, so that it can be pickled.
        super().__init__(owner, field, value, allowed)
        self.owner, self.field, self.value, self.allowed = owner, field, value, allowed

    def __str__(self) -> str:
        return f"{self.owner}.{self.field} is {self.value!r}, allowed is {self.allowed}"


class Rule(NamedTuple):
    """What a field may be.

    Attributes
    ----------
    allowed
        What is allowed, in words, for the error message.
    holds
        The test of a value. It may raise TypeError or ValueError for a value of a wrong type.
    """

    allowed: str
    holds: Callable[[Any], bool]


def _number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def above(low: float, at_most: float = math.inf) -> Rule:
    """Allow finite numbers greater than `low`, up to `at_most` where given."""
    allowed = f"a number above {low:g}" + (f" and at most {at_most:g}" if math.isfinite(at_most) else "")
    return Rule(allowed, lambda value: _number(value) and low < value <= at_most)


def at_least(low: float) -> Rule:
    """Allow finite numbers from `low` on."""
    return Rule(f"a number from {low:g}", lambda value: _number(value) and value >= low)


def between(low: float, high: float) -> Rule:
    """Allow finite numbers from `low` to `high`, both included."""
    return Rule(f"a number from {low:g} to {high:g}", lambda value: _number(value) and low <= value <= high)


def whole_from(low: int) -> Rule:
    """Allow whole numbers from `low` on."""
    return Rule(f"a whole number from {low}", lambda value: _whole(value) and value >= low)


def one_of(choices: Collection[Any]) -> Rule:
    """Allow exactly these values."""
    return Rule(f"one of: {', '.join(map(str, choices))}", lambda value: value in choices)


def holds(allowed: str, test: Callable[[Any], bool]) -> Rule:
    """Allow what passes `test`; `allowed` is the description for the error message."""
    return Rule(allowed, test)


def optional(rule: Rule) -> Rule:
    """Allow None too."""
    return Rule(f"None or {rule.allowed}", lambda value: value is None or rule.holds(value))


def check(config: Any, rules: Mapping[str, Rule], owner: Union[str, None] = None) -> None:
    """Check fields of a configuration.

    Parameters
    ----------
    config
        Any object with the fields as attributes, usually a frozen dataclass in its ``__post_init__``.
    rules
        The rule of each field that is checked.
    owner
        What the message calls the owner of the field; None takes the class's name.

    Raises
    ------
    FieldError
        For the first field that breaks its rule: ``OWNER.FIELD is VALUE, allowed is ...``.
    """
    for name, rule in rules.items():
        value = getattr(config, name)
        try:
            fine = rule.holds(value)
        except (TypeError, ValueError):
            fine = False
        if not fine:
            raise FieldError(owner or type(config).__name__, name, value, rule.allowed)
