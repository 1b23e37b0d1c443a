"""How targets move: by their names, at their speeds, and never over the point below the camera."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pvtpp_benchmarks.closed_loop.targets import HARD, LATERAL, MOTIONS, PACES, STEP_S, path


def driven(motion, seed=0, speed=20.0, seconds=8.0):
    made = path(motion, speed, seconds, 30.0, np.random.default_rng(seed))
    steps = np.diff(made.pose[:, :2], axis=0)
    speeds = np.hypot(*steps.T) / STEP_S
    return made, speeds, np.diff(made.pose[:, 2]) / STEP_S * speeds


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(MOTIONS)), st.integers(0, 10**6), st.floats(5, 50), st.floats(1, 12))
def test_a_target_passes_at_its_nearest_distance_and_heads_where_it_drives(motion, seed, speed, seconds):
    made, _, _ = driven(motion, seed, speed, seconds)
    distance = np.hypot(*made.pose[:, :2].T)
    assert distance.min() >= 30 - 1e-9
    steps = np.diff(made.pose[:, :2], axis=0)
    off = np.arctan2(steps[:, 1], steps[:, 0]) - made.pose[:-1, 2]
    np.testing.assert_allclose(np.cos(off), 1, atol=1e-9)


def test_linear_is_straight_and_passes_halfway():
    made, speeds, lateral = driven("linear")
    np.testing.assert_allclose(speeds, 20)
    assert np.abs(lateral).max() < 1e-9
    distance = np.hypot(*made.pose[:, :2].T)
    assert made.t[distance.argmin()] == pytest.approx(4.0, abs=0.02) and distance.min() == pytest.approx(30)


def test_curved_turns_at_a_constant_lateral_acceleration_to_a_side_that_the_seed_says():
    sides = set()
    for seed in range(6):
        _, speeds, lateral = driven("curved", seed)
        np.testing.assert_allclose(speeds, 20)
        np.testing.assert_allclose(np.abs(lateral), LATERAL)
        sides.add(np.sign(lateral[0]))
    assert sides == {-1.0, 1.0}


def test_weaving_goes_to_both_sides_and_on_along_a_line():
    made, _, lateral = driven("weaving")
    assert lateral.max() == pytest.approx(LATERAL, rel=0.01) and lateral.min() == pytest.approx(-LATERAL, rel=0.01)
    assert np.ptp(made.pose[:, 2]) < 1.0


def test_evasive_brakes_speeds_up_and_turns_hard_within_what_a_car_can():
    made, speeds, lateral = driven("evasive", seed=3, seconds=20)
    assert speeds.min() >= 20 * PACES[0] - 1e-9 and speeds.max() <= 20 * PACES[1] + 1e-9
    assert np.ptp(speeds) > 5 and np.abs(np.diff(speeds)).max() <= HARD * STEP_S + 1e-9
    assert lateral.min() < -3 and lateral.max() > 3 and np.abs(lateral).max() <= HARD + 1e-6
    again, _, _ = driven("evasive", seed=3, seconds=20)
    other, _, _ = driven("evasive", seed=4, seconds=20)
    np.testing.assert_array_equal(made.pose, again.pose)
    assert np.abs(made.pose - other.pose).max() > 1
