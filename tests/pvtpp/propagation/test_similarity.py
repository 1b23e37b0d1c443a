"""A step is a shift and a scale, on which most of the points agree."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pvtpp.boxes import iou
from pvtpp.propagation.similarity import Step, fit, weighted_median

GRID = np.stack(np.meshgrid(np.linspace(-20, 20, 8), np.linspace(-20, 20, 8)), axis=-1).reshape(-1, 2)
SHIFTS = st.floats(-30, 30)
BOXES = st.tuples(st.floats(-300, 900), st.floats(-300, 900), st.floats(2, 300), st.floats(2, 300)).map(np.array)


@given(SHIFTS, SHIFTS, st.floats(-0.1, 0.1))
def test_points_that_agree_give_their_shift_and_most_of_their_growth(dx, dy, growth):
    shift, found, residual = fit(GRID, np.array([dx, dy]) + growth * GRID, np.ones(64), 14.0)
    np.testing.assert_allclose(shift, [dx, dy], atol=1e-6)
    # The prior that the scale stays reduces the growth a little, and never changes its sign.
    assert 0.85 * abs(growth) - 1e-6 <= found * np.sign(growth) <= abs(growth) + 1e-6
    assert residual.max() < 4.5 * abs(growth) + 1e-6


@given(SHIFTS, SHIFTS, st.integers(0, 2**32 - 1))
def test_a_third_of_the_points_elsewhere_do_not_matter(dx, dy, seed):
    rng = np.random.default_rng(seed)
    moved = np.array([dx, dy]) + rng.normal(scale=0.05, size=(64, 2))
    moved[rng.permutation(64)[:21]] += [15, -9] + rng.normal(scale=3, size=(21, 2))
    shift, growth, _ = fit(GRID, moved, np.ones(64), 14.0)
    np.testing.assert_allclose(shift, [dx, dy], atol=0.1)
    assert abs(growth) < 0.01


def test_points_without_weight_have_no_influence():
    moved = np.where(np.arange(64)[:, None] < 40, [9.0, 9.0], [1.0, 2.0])
    shift, _, _ = fit(GRID, moved, (np.arange(64) >= 40).astype(float), 14.0)
    np.testing.assert_allclose(shift, [1, 2], atol=1e-6)


def test_few_points_close_together_cannot_change_the_scale():
    points = GRID[27:29] * 0.1
    _, growth, _ = fit(points, points * 0.2, np.ones(2), 14.0)
    assert abs(growth) < 1e-3


@given(BOXES, BOXES, SHIFTS, SHIFTS, st.floats(0.8, 1.25))
def test_a_step_moves_every_box_as_it_moves_the_image(region, box, dx, dy, scale):
    moved = Step(region, dx, dy, scale, 1.0).move(box)
    np.testing.assert_allclose(moved[2:], box[2:] * scale)
    np.testing.assert_allclose(moved[:2] - region[:2] - [dx, dy], scale * (box[:2] - region[:2]), atol=1e-9)


@given(BOXES, SHIFTS, SHIFTS)
def test_a_step_can_be_used_for_its_own_region_and_for_nothing_far_from_it(region, dx, dy):
    step = Step(region, dx, dy, 1.0, 1.0)
    assert step.serves(region)
    assert not step.serves(region + [region[2], 0, 0, 0])
    near = region + [0.05 * region[2], 0, 0, 0]
    assert step.serves(near) == (iou(region, near) >= 0.6)


def test_the_weighted_median_is_where_half_of_the_weight_lies():
    assert weighted_median(np.array([5.0, 1, 3]), np.ones(3)) == 3
    assert weighted_median(np.array([5.0, 1, 3]), np.array([9.0, 1, 1])) == 5
    assert weighted_median(np.array([5.0, 1, 3]), np.array([0.0, 1, 0])) == 1
