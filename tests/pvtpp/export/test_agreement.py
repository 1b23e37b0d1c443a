"""NaN agrees with nothing."""

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp.export.agreement import furthest

HERE = {"a": np.array([1.0, 2.0]), "b": np.array([100.0])}


def test_the_largest_difference_of_all_outputs():
    there = {"a": np.array([1.0, 2.5]), "b": np.array([101.0])}
    assert furthest(there, HERE) == 1.0
    assert furthest(there, HERE, relative=True) == 0.25


def test_nan_in_the_graph_is_kept_whatever_follows_and_nan_in_torch_is_an_error():
    assert np.isnan(furthest({**HERE, "a": np.array([np.nan, 2.0])}, HERE))
    for wrong in (np.nan, np.inf):
        with pytest.raises(InputError, match=r"answers NaN or infinity \(b\): training diverged"):
            furthest(HERE, {**HERE, "b": np.array([wrong])})
