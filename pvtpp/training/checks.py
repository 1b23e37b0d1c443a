"""What training configurations check of their fields; each raises InputError with the field, its value and what is allowed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pvtpp.errors import InputError

LARGEST_SEED = 2**32 - 1


def require_counts(config: Any, *names: str, least: int = 1) -> None:
    """These fields are whole numbers from `least`."""
    for name in names:
        value = getattr(config, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise InputError(f"{_named(config, name)}, allowed is any whole number from {least}")


def require_positive(config: Any, *names: str) -> None:
    """These fields are finite and above 0."""
    for name in names:
        if not 0 < getattr(config, name) < math.inf:
            raise InputError(f"{_named(config, name)}, allowed is any number above 0")


def require_least(config: Any, *names: str) -> None:
    """These fields are finite and at least 0."""
    for name in names:
        if not 0 <= getattr(config, name) < math.inf:
            raise InputError(f"{_named(config, name)}, allowed is any number from 0")


def require_shares(config: Any, *names: str) -> None:
    """These fields are between 0 and 1."""
    for name in names:
        if not 0 <= getattr(config, name) <= 1:
            raise InputError(f"{_named(config, name)}, a share is between 0 and 1")


def require_ranges(config: Any, *names: str) -> None:
    """These fields are two finite numbers above 0 in order."""
    for name in names:
        value: Sequence[float] = getattr(config, name)
        if len(value) != 2 or not 0 < value[0] <= value[1] < math.inf:
            raise InputError(f"{_named(config, name)}, expected two numbers above 0 in order")


def require_seed(config: Any) -> None:
    require_counts(config, "seed", least=0)
    if config.seed > LARGEST_SEED:
        raise InputError(f"{_named(config, 'seed')}, allowed is any whole number up to {LARGEST_SEED}")


def _named(config: Any, name: str) -> str:
    return f"{type(config).__name__}.{name} is {getattr(config, name)!r}"
