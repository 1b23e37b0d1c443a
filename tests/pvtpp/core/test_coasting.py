"""Coasting: a target lost sight of slows down; the sigma of one that may be elsewhere grows, and nothing else."""

import numpy as np
import pytest

from pvtpp.core.coasting import GROWTH, LONGEST_S, SIZE_SHARE, coast, doubted
from pvtpp.core.presence import PresenceConfig
from pvtpp.trajectory import Trajectory

SECOND = 10**9
CONFIG = PresenceConfig()
SEEN = np.array([100.0, 80, 20, 20])


def moving(velocity=(50.0, -20, 3, 3)):
    return Trajectory((5 * SECOND,), [SEEN], [velocity], [[2.0] * 4], 5 * SECOND)


def test_it_begins_as_the_trajectory_and_comes_to_rest_within_its_size_and_reach():
    coasted = coast(moving(), CONFIG)
    begin, later, end = (coasted.at(round((5 + s) * SECOND)) for s in (0, 0.2, 60))
    np.testing.assert_allclose(begin.box, SEEN)
    np.testing.assert_allclose(begin.velocity, [50, -20, 0, 0])
    assert later.box[0] > 100 and abs(later.velocity[0]) < 50
    np.testing.assert_allclose(end.box, SEEN + CONFIG.coast_s * np.array([50, -20, 0, 0]), atol=0.5)
    assert end.velocity.tolist() == [0, 0, 0, 0]
    assert coasted.evidence_ns == 5 * SECOND and coasted.at(8 * SECOND).age == pytest.approx(3)


def test_doubt_widens_sigma_with_time_up_to_a_bound_and_leaves_boxes_to_the_bit():
    before = moving()
    for seconds in (0.5, 2.0, 60.0):
        after = doubted(before, seconds)
        wider = GROWTH * 20 * min(seconds, LONGEST_S)
        np.testing.assert_allclose(after.sigma[0], 2 + wider * np.array([1, 1, SIZE_SHARE, SIZE_SHARE]))
        assert after.mean.tobytes() == before.mean.tobytes()
        assert after.derivative.tobytes() == before.derivative.tobytes()
