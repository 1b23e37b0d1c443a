"""Coasting: a lost target slows down and grows uncertain; the search goes round where it may be, further with time."""

import numpy as np
import pytest

from pvtpp.core.coasting import TURN, Places, coast, search_box
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


def test_sigma_grows_with_time_and_the_evidence_stays_what_it_was():
    coasted = coast(moving(), CONFIG)
    sigma = [coasted.at((5 + s) * SECOND).sigma[0] for s in (0, 1, 2, 10)]
    np.testing.assert_allclose(sigma, [2 + 20 * CONFIG.coast_growth * s for s in (0, 1, 2, 10)])
    assert coasted.evidence_ns == 5 * SECOND and coasted.at(8 * SECOND).age == pytest.approx(3)


def test_of_four_passes_one_follows_the_tracker_and_one_looks_where_it_is_expected():
    places = Places(SEEN, SEEN + [30, 0, 5, 5], SEEN + [-70, 0, 1, 1])
    looks = [search_box(i, 1.0, places, CONFIG) for i in range(8)]
    assert [i for i in range(8) if looks[i] is places.own] == [0, 4]
    assert looks[2].tolist() == looks[6].tolist() == [130, 80, 20, 20]


def test_the_other_passes_spread_over_a_disc_that_grows_with_time_to_its_bound():
    def around(lost_s):
        looks = [search_box(i, lost_s, Places(SEEN, SEEN, SEEN), CONFIG) for i in range(1, 2 * TURN, 2)]
        assert all(look[2:].tolist() == [20, 20] for look in looks)
        return (np.array(looks)[:, :2] - SEEN[:2]) / 20

    reaches = [np.linalg.norm(around(lost_s), axis=1).max() for lost_s in (0, 0.5, 60)]
    np.testing.assert_allclose(reaches, [1, 1 + 0.5 * CONFIG.reach_rate, CONFIG.reach])
    places = around(60)
    assert all((places[:, axis] * side > 0.5).any() for axis in (0, 1) for side in (-1, 1))
    apart = np.linalg.norm(places[:, None] - places[None], axis=2) + 9 * np.eye(TURN)
    assert apart.min() > 0.5
