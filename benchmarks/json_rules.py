"""Rules for what JSON holds, and the check of the fields of an object."""

from __future__ import annotations

import math
from typing import Any, Iterable, Mapping

from pvtpp.errors import InputError
from pvtpp.validation import Rule, holds


def _is_number(value: Any) -> bool:
    # A whole number of JSON may be too large for a float.
    return type(value) in (int, float) and -1e300 < value < 1e300


TEXT = holds("a text", lambda value: isinstance(value, str))
FILLED_TEXT = holds("a text that is not empty", lambda value: isinstance(value, str) and value != "")
NUMBER = holds("a finite number", _is_number)
OBJECT = holds("an object", lambda value: isinstance(value, dict))


def or_null(rule: Rule) -> Rule:
    """Allow null too."""
    return holds(f"{rule.allowed} or null", lambda value: value is None or rule.holds(value))


def list_of(rule: Rule, least: int = 0, most: float = math.inf) -> Rule:
    """Allow a list of `least` to `most` values, each of which keeps the rule."""
    return holds(
        f"a list{_count(least, most)}, each {rule.allowed}",
        lambda value: isinstance(value, list) and least <= len(value) <= most and _all_keep(rule, value),
    )


def object_of(rule: Rule, least: int = 0) -> Rule:
    """Allow an object of any names, `least` or more, each value of which keeps the rule."""
    return holds(
        f"an object{_count(least)}, each value {rule.allowed}",
        lambda value: isinstance(value, dict) and len(value) >= least and _all_keep(rule, value.values()),
    )


def object_with(rules: Mapping[str, Rule], others: bool = False) -> Rule:
    """Allow an object with these fields, and with more of them where `others` says so."""
    return holds(
        f"an object with {', '.join(f'{name} ({rule.allowed})' for name, rule in rules.items())}",
        lambda value: (
            isinstance(value, dict)
            and (others or set(value) <= set(rules))
            and all(_keeps_field(value, name, rule) for name, rule in rules.items())
        ),
    )


def check_fields(content: Mapping[str, Any], rules: Mapping[str, Rule], source: str, owner: str = "") -> None:
    """Check the fields of an object that have a rule.

    Parameters
    ----------
    content
        The object.
    rules
        By the field's name.
    source
        Names the file in the message.
    owner
        Follows the field's name in the message: ``" of row 3"``.

    Raises
    ------
    InputError
        For the first field that is missing or breaks its rule.
    """
    for name, rule in rules.items():
        if not _keeps_field(content, name, rule):
            found = f"is {str(content[name])[:60]!r}" if name in content else "is missing"
            raise InputError(f"{source}: {name}{owner} {found}, allowed is {rule.allowed}")


def _count(least: int, most: float = math.inf) -> str:
    if math.isfinite(most):
        return f" of {least}" if least == most else f" of {least} to {most}"
    return f" of {least} or more" if least else ""


def _keeps_field(content: Mapping[str, Any], name: str, rule: Rule) -> bool:
    return name in content and _keeps(rule, content[name])


def _all_keep(rule: Rule, values: Iterable[Any]) -> bool:
    return all(_keeps(rule, value) for value in values)


def _keeps(rule: Rule, value: Any) -> bool:
    try:
        return rule.holds(value)
    except (OverflowError, TypeError, ValueError):
        return False
