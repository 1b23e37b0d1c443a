"""Training configurations from JSON: the fields of a frozen dataclass by name, nested ones as nested objects."""

from __future__ import annotations

import math
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from pvtpp.errors import InputError
from pvtpp.files import read_json

Config = TypeVar("Config")
WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def read(path: str | Path, kind: type[Config], base: Config | None = None, **given: Any) -> Config:
    """The configuration in a JSON file.

    Parameters
    ----------
    path
        The file, a JSON object.
    kind
        The dataclass to make.
    base
        Where the fields that the file leaves out come from; None takes their defaults.
    given
        Fields that override those of the file.

    Raises
    ------
    InputError
        For a file that is missing or no JSON object, for a field that `kind` does not have, and for a value of another
        type than the field's.
    """
    try:
        values = read_json(path)
    except InputError as error:
        raise InputError(f"{error}; cannot read the configuration") from None
    return made(kind, values, str(path), base, **given)


def made(kind: type[Config], values: Any, source: str, base: Config | None = None, **given: Any) -> Config:
    """The configuration of this kind from plain values; lists become tuples.

    Parameters
    ----------
    kind
        The dataclass to make.
    values
        Field values by name, nested dataclasses as nested dictionaries.
    source
        Where the values come from, for messages.
    base
        Where fields that `values` leaves out come from, at every depth; None takes their defaults.
    given
        Fields that override `values`.

    Raises
    ------
    InputError
        For unknown fields and for values of another type than the field's.
    """
    if not isinstance(values, dict):
        raise InputError(f"{source}: {kind.__name__} must be an object with fields, got {values!r}")
    allowed = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - set(allowed))
    if unknown:
        raise InputError(f"{source}: {kind.__name__} has no field {', '.join(unknown)}; valid: {', '.join(allowed)}")
    hints = get_type_hints(kind)
    arguments = {}
    for name, value in {**values, **given}.items():
        if is_dataclass(hints[name]) and not isinstance(value, hints[name]):
            inner = _default(allowed[name]) if base is None else getattr(base, name)
            value = made(hints[name], value, f"{source}, {name}", inner)
        arguments[name] = _of_type(value, hints[name], f"{source}: {kind.__name__}.{name}")
    try:
        return kind(**arguments) if base is None else replace(base, **arguments)  # type: ignore[type-var]
    except InputError:
        raise
    except (TypeError, ValueError, ArithmeticError) as error:
        raise InputError(f"{source}: {kind.__name__}: {error}") from None


def _default(field: Field[Any]) -> Any:
    """The field's default; None where it has none."""
    if field.default_factory is not MISSING:
        return field.default_factory()
    return None if field.default is MISSING else field.default


def _of_type(value: Any, hint: Any, name: str) -> Any:
    """The value, lists as tuples, if it fits the type hint; hints other than scalars and tuples are not checked."""
    if hint is tuple or get_origin(hint) is tuple:
        if not isinstance(value, (list, tuple)):
            raise InputError(f"{name} is {value!r}, expected a list")
        inner = get_args(hint) or (Any, ...)
        if inner[-1] is ...:
            inner = (inner[0],) * len(value)
        if len(inner) != len(value):
            raise InputError(f"{name} is {value!r}, expected a list of {len(inner)}")
        return tuple(_of_type(each, its, name) for each, its in zip(value, inner, strict=True))
    if hint in WORDS:
        # In Python a bool is an int, which is refused here; an int is accepted as a float.
        fits = isinstance(value, bool) if hint is bool else isinstance(value, (hint, int) if hint is float else hint)
        if not fits or (isinstance(value, bool) and hint is not bool):
            raise InputError(f"{name} is {value!r}, expected {WORDS[hint]}")
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{name} is {value!r}, expected a finite number")
    return tuple(value) if isinstance(value, list) else value
