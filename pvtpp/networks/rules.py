"""Rules for fields of network and training configurations, beside those of `pvtpp.validation`."""

from __future__ import annotations

from pvtpp.validation import Rule, holds, whole_from

BELOW_1 = holds("a number from 0 and below 1", lambda share: 0 <= share < 1)
"""A share that never is the whole."""


def count_from(low: int) -> Rule:
    """Allow integers from `low` on.

    Unlike `whole_from` it refuses 2.0: layers and loops are built with these numbers.
    """
    return holds(f"a whole number from {low}", lambda count: isinstance(count, int) and whole_from(low).holds(count))
