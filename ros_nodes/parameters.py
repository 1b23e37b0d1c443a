"""Parameters as frozen dataclasses, read from whatever holds them; the first that is wrong is named in one sentence."""

from __future__ import annotations

import inspect
import math
import re
from dataclasses import fields
from typing import Any, Callable, Dict, List, Sequence, Type, TypeVar

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


def wants_help(arguments: Sequence[str]) -> bool:
    """Say whether the command line asks for help, which needs no master."""
    return any(argument in ("-h", "--help") for argument in arguments)


def help_text(usage: str, kind: Type[Any], given: str = "_NAME:=VALUE") -> str:
    """Describe the parameters of a dataclass: names, defaults, and what its docstring says of each.

    Parameters
    ----------
    usage
        The first line.
    kind
        The dataclass.
    given
        How one is given on the command line.
    """
    lines = [usage, "", f"private parameters ({given} on the command line):"]
    meanings = meanings_of(kind)
    for field in fields(kind):
        lines += [f"  ~{field.name} (default {field.default!r})", f"      {meanings.get(field.name, '')}"]
    return "\n".join(lines)


def meanings_of(kind: Type[Any]) -> Dict[str, str]:
    """Read what the docstring of a dataclass says of its attributes, by name, each in one line."""
    doc = inspect.getdoc(kind) or ""
    section = doc.partition("Attributes\n----------\n")[2]
    found: Dict[str, str] = {}
    names: List[str] = []
    for line in section.splitlines():
        if re.match(r"---", line):
            break
        if line and not line.startswith(" "):
            names = [name.strip() for name in line.split(",")]
        elif line:
            found.update({name: f"{found.get(name, '')} {line.strip()}".strip() for name in names})
    return found


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
