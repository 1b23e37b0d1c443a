"""Rules for fields that several training configurations have, beside those of `pvtpp.validation`."""

from __future__ import annotations

import math

from pvtpp.networks.rules import count_from
from pvtpp.validation import holds

LARGEST_SEED = 2**32 - 1
SEED = holds(
    f"a whole number from 0 to {LARGEST_SEED}", lambda seed: count_from(0).holds(seed) and seed <= LARGEST_SEED
)
"""Of a random number generator."""
RANGE = holds("two numbers above 0 in order", lambda pair: len(pair) == 2 and 0 < pair[0] <= pair[1] < math.inf)
"""The lower and the upper bound that values are drawn between."""
SIZES = holds("numbers above 0", lambda sizes: all(0 < size < math.inf for size in sizes))
"""Any number of sizes, in no order."""
COUNTS = holds("whole numbers from 1", lambda counts: all(count >= 1 for count in counts))
"""Any number of counts, also none."""
CHOICES = holds("one or more whole numbers from 1", lambda counts: len(counts) > 0 and COUNTS.holds(counts))
"""Counts of which one is drawn."""
