"""Parameters as frozen dataclasses, read from whatever holds them; the first that is wrong is named in one sentence."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any, Callable, List, Type, TypeVar

from pvtpp.errors import InputError
from pvtpp.validation import Rule, holds

Config = TypeVar("Config")

TEXT = holds("a text", lambda value: isinstance(value, str))
SWITCH = holds("true or false", lambda value: isinstance(value, bool))


def real(low: float, high: float) -> Rule:
    """Allow numbers from `low` to `high`, both included; `high` may be infinite."""
    return holds(f"a number from {low:g} to {high:g}", lambda value: _is_number(value) and low <= value <= high)


def whole(low: float, high: float) -> Rule:
    """Allow integers from `low` to `high`, both included; `high` may be infinite."""
    return holds(
        f"a whole number from {low:g} to {high:g}",
        lambda value: _is_number(value) and isinstance(value, int) and low <= value <= high,
    )


def read(kind: Type[Config], get: Callable[[str, Any], Any]) -> Config:
    """Read the parameters of a dataclass.

    Parameters
    ----------
    kind
        The dataclass; every field has a default.
    get
        Called with the name of a field and its default, returns the parameter.

    Returns
    -------
    Config
        The dataclass, filled; it raises InputError for what is not allowed.
    """
    return kind(**{field.name: get(field.name, field.default) for field in fields(kind)})  # type: ignore[arg-type]


def numbers(name: str, text: str, count: int) -> List[float]:
    """Read finite numbers from a text with commas: a text is the one list that launch files and ROS 2 can hold empty.

    Parameters
    ----------
    name
        Of the parameter.
    text
        Its value.
    count
        How many numbers it must hold.

    Raises
    ------
    InputError
        It holds anything else.
    """
    try:
        found = [float(part) for part in text.strip("[]() ").split(",")]
    except ValueError:
        found = []
    if len(found) != count or not all(map(math.isfinite, found)):
        raise InputError(f"~{name} is {text!r}, expected {count} finite numbers with commas between them")
    return found


def _is_number(value: Any) -> bool:
    # Whole numbers serve as real ones, as YAML and command lines write them; True is no number.
    return isinstance(value, (int, float)) and not isinstance(value, bool)
