"""Parameters as frozen dataclasses: read from whatever holds them, with one clear sentence for the first that is wrong."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any, Callable, List, Mapping, Sequence, Tuple, Type, TypeVar

from pvtpp.errors import InputError

Config = TypeVar("Config")


def read(kind: Type[Config], get: Callable[[str, Any], Any]) -> Config:
    """The parameters of this dataclass as ``get(name, default)`` gives them."""
    return kind(**{field.name: get(field.name, field.default) for field in fields(kind)})  # type: ignore[arg-type]


def numbers(name: str, text: str, count: int) -> List[float]:
    """So many finite numbers with commas between them: a text is the one list that launch files and ROS 2 can hold empty."""
    try:
        found = [float(part) for part in text.strip("[]() ").split(",")]
    except ValueError:
        found = []
    if len(found) != count or not all(map(math.isfinite, found)):
        raise InputError(f"~{name} is {text!r}, expected {count} finite numbers with commas between them")
    return found


def check(config: Any, ranges: Mapping[str, Tuple[float, float]], choices: Mapping[str, Sequence[str]]) -> None:
    """Raises InputError for a value of another type than the default's, outside its range, or not among its choices."""
    for field in fields(config):
        value, expected = getattr(config, field.name), type(field.default)
        # Whole numbers serve as real ones, as YAML and command lines write them; True is no number.
        kinds = (float, int) if expected is float else (expected,)
        if not isinstance(value, kinds) or (isinstance(value, bool) and expected is not bool):
            raise InputError(f"~{field.name} is {value!r}, expected a value of type {expected.__name__}")
    for name, (low, high) in ranges.items():
        value = getattr(config, name)
        if not low <= value <= high:
            raise InputError(f"~{name} is {value!r}, allowed is {low:g} to {high:g}")
    for name, allowed in choices.items():
        if getattr(config, name) not in allowed:
            raise InputError(f"~{name} is {getattr(config, name)!r}, expected one of: {', '.join(allowed)}")
