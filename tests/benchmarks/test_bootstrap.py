"""Intervals by resampling sequences."""

import numpy as np
import pytest

from pvtpp_benchmarks.bootstrap import bootstrap_interval, ratio_interval


def test_the_interval_of_a_mean_holds_it_and_is_narrower_with_more_sequences():
    rng = np.random.default_rng(0)
    few, many = rng.normal(0.6, 0.1, 10), rng.normal(0.6, 0.1, 1000)
    (low, high), (lower, higher) = bootstrap_interval(few, 0), bootstrap_interval(many, 0)
    assert low < few.mean() < high and lower < many.mean() < higher
    assert higher - lower < (high - low) / 5
    assert bootstrap_interval(few[:1], 0) is None


def test_a_ratio_is_paired():
    """Where every sequence keeps the same share, nothing is in doubt, however different the sequences are."""
    rng = np.random.default_rng(0)
    zero = rng.uniform(0.2, 0.9, 12)
    assert ratio_interval(0.8 * zero, zero, 0) == pytest.approx([0.8, 0.8])
    low, high = ratio_interval(rng.uniform(0.1, 0.6, 12), zero, 0)
    assert high - low > 0.05
