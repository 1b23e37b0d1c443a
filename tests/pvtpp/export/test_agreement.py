"""NaN agrees with nothing."""

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp.export.agreement import furthest, largest_difference, quantities

HERE = {"a": np.array([1.0, 2.0]), "b": np.array([100.0])}


def test_the_largest_difference_is_relative_to_the_scale_of_its_output():
    there = {"a": np.array([1.0, 2.5]), "b": np.array([101.0])}
    assert furthest(there, HERE) == 0.25
    assert furthest({**there, "a": HERE["a"]}, HERE) == pytest.approx(0.01)


def test_values_below_a_target_size_are_compared_in_target_sizes():
    assert furthest({"a": np.array([2e-3])}, {"a": np.array([1e-3])}) == pytest.approx(1e-3)


def test_a_large_sigma_does_not_hide_a_wrong_mean():
    right = np.ones((1, 3, 2, 4))
    right[:, 2] = 1000.0
    wrong = right.copy()
    wrong[:, 0] += 0.1
    found, expected = (quantities({"motion": each, "other": HERE["a"]}, "motion") for each in (wrong, right))
    assert set(found) == {"motion, mean", "motion, derivative", "motion, sigma", "other"}
    assert furthest(found, expected) == pytest.approx(0.1)
    assert quantities(HERE, "motion") == HERE


def test_nan_in_the_graph_is_kept_whatever_follows_and_nan_in_torch_is_an_error():
    assert np.isnan(furthest({**HERE, "a": np.array([np.nan, 2.0])}, HERE))
    for wrong in (np.nan, np.inf):
        with pytest.raises(InputError, match=r"answers NaN or infinity \(b\): training diverged"):
            furthest(HERE, {**HERE, "b": np.array([wrong])})


class Engine:
    """Answers with its input times a factor."""

    def __init__(self, factor):
        self.factor, self.given = factor, []

    def run(self, inputs):
        self.given.append(inputs["x"])
        return {"y": self.factor * inputs["x"]}


def test_both_engines_get_the_same_random_inputs_and_the_worst_sample_counts():
    found, expected = Engine(1.5), Engine(1.0)
    worst = largest_difference(found, expected, lambda rng: {"x": rng.uniform(0, 1, 3)}, samples=8, seed=2)
    assert len(found.given) == 8 and all(map(np.array_equal, found.given, expected.given))
    assert found.given[0].dtype == np.float32
    assert worst == pytest.approx(0.5 * max(each.max() for each in found.given))
