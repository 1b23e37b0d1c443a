"""Differences of all pairs: the same numbers as the comparison of two."""

import numpy as np
import pytest
from made_rows import made_rows

from pvtpp_benchmarks.report.paired import all_pairs, pick
from pvtpp_benchmarks.result import Result


def test_each_pair_is_what_the_comparison_of_the_two_says():
    rows = [row for row in made_rows(trackers=1, times=(47, 85)) if row["predictor"]]
    result = Result(tuple(rows), {})
    for ms in (47.0, 85.0):
        shown = [row for row in rows if row["processing_ms"] == ms]
        found = all_pairs(np.array([list(row["per_sequence"].values()) for row in shown]))
        names = [row["predictor"] for row in shown]
        pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
        assert len(found) == len(pairs) == 6
        for (first, second), (mean, low, high, wins, losses, ties) in zip(pairs, found):
            (each,) = (
                each for each in result.compare(first, second).differences if each.cell["processing"] == f"{ms:g}ms"
            )
            assert (mean, low, high) == pytest.approx((each.mean, each.low, each.high), abs=1e-12)
            assert (wins, losses, ties) == (each.wins, each.losses, each.ties)


def test_one_sequence_has_no_interval_and_equal_values_are_ties():
    assert all_pairs(np.array([[0.5], [0.75], [0.5]])) == [
        [0.25, None, None, 1, 0, 0],
        [0.0, None, None, 0, 0, 1],
        [-0.25, None, None, 0, 1, 0],
    ]


def test_a_pair_is_picked_in_either_order():
    values = np.random.default_rng(0).uniform(size=(5, 9))
    pairs = all_pairs(values)
    for first in range(5):
        for second in range(5):
            if first != second:
                (there,) = all_pairs(values[[first, second]])
                assert pick(pairs, 5, first, second) == pytest.approx(there, abs=1e-12)


def test_one_method_has_no_pair():
    assert all_pairs(np.array([[0.5, 0.6]])) == []
