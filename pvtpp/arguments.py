"""Parsing and checking of command-line arguments, shared by the commands and the benchmark's scripts."""

from __future__ import annotations

import argparse
from contextlib import contextmanager
from typing import Iterator, Mapping, Tuple

from pvtpp.errors import InputError
from pvtpp.validation import FieldError, Rule, check


def comma_separated(text: str) -> Tuple[str, ...]:
    """Split ``a,b,a`` into ``("a", "b")``: in order, without repetitions and without empty parts."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def option_name(name: str) -> str:
    """The option as it is typed: ``--tracker-ms`` for ``tracker_ms``."""
    return f"--{name.replace('_', '-')}"


@contextmanager
def as_options(options: argparse.Namespace) -> Iterator[None]:
    """Name an option in place of the field of the same name, where the block raises an error of a field.

    Parameters
    ----------
    options
        Of the command line. A field that is none of them keeps its own name.

    Raises
    ------
    InputError
        ``--OPTION is VALUE, allowed is ...``.
    """
    try:
        yield
    except FieldError as error:
        if error.field not in options:
            raise
        raise InputError(f"{option_name(error.field)} is {error.value!r}, allowed is {error.allowed}") from None


def check_options(options: argparse.Namespace, rules: Mapping[str, Rule]) -> None:
    """Check options of a command line; InputError names the first that breaks its rule, as in `as_options`."""
    with as_options(options):
        check(options, rules)
