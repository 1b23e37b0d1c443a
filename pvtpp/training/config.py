"""Training configurations from JSON: the fields of a frozen dataclass by name, nested ones as nested objects."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from pvtpp.errors import InputError

Config = TypeVar("Config")


def read(path: str | Path, kind: type[Config], base: Config | None = None, **given: Any) -> Config:
    """The configuration in the JSON file at `path`, fields that it leaves out as in `base`, or at their defaults; `given` go
    before the file.

    Raises InputError for a file that is missing or no JSON object, and for a field that `kind` does not have.
    """
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot read the configuration ({error})") from None
    return made(kind, values, str(path), base, **given)


def made(kind: type[Config], values: Any, source: str, base: Config | None = None, **given: Any) -> Config:
    """The configuration of this kind from plain values, what they leave out as in `base`; lists become tuples."""
    if not isinstance(values, dict):
        raise InputError(f"{source}: {kind.__name__} must be an object with fields, got {values!r}")
    allowed = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    unknown = sorted(set(values) - set(allowed))
    if unknown:
        raise InputError(f"{source}: {kind.__name__} has no field {', '.join(unknown)}; valid: {', '.join(allowed)}")
    hints = get_type_hints(kind)
    arguments = {}
    for name, value in {**values, **given}.items():
        if is_dataclass(hints[name]) and not isinstance(value, hints[name]):
            value = made(hints[name], value, f"{source}, {name}", getattr(base, name, None))
        arguments[name] = tuple(value) if isinstance(value, list) else value
    try:
        return kind(**arguments) if base is None else replace(base, **arguments)  # type: ignore[type-var]
    except TypeError as error:
        raise InputError(f"{source}: {kind.__name__}: {error}") from None
