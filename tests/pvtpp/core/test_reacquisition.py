"""The search beside the path that is followed: when it looks elsewhere, what takes the path's place."""

from dataclasses import replace

import numpy as np
import pytest

from pvtpp.appearance import FEATURES
from pvtpp.core.presence import PresenceConfig
from pvtpp.core.reacquisition import Reacquisition
from pvtpp.tracker import TrackerOutput

BOX = np.array([100.0, 100, 20, 20])
CONFIG = PresenceConfig(FEATURES)
STEP = 50_000_000


def good(x=100.0, resembling=None):
    return TrackerOutput([x, 100, 20, 20], 0.9999, None, 1.0, resembling)


def fair(x=100.0):
    return TrackerOutput([x, 100, 20, 20], 0.99, None, 0.95)


def turned(x=100.0):
    """A target that has turned: its score is high, and it looks a little otherwise; that says next to nothing."""
    return TrackerOutput([x, 100, 20, 20], 0.98, None, 0.8)


def bad(x=100.0, resembling=None):
    return TrackerOutput([x, 100, 8, 8], 0.7, None, 0.3, resembling)


class Search:
    """A search whose passes come one after the other."""

    def __init__(self, config=CONFIG):
        self.t_ns, self.search = 0, Reacquisition(config, 0, BOX)
        for _ in range(4):
            self.follow(good())

    def follow(self, output):
        self.t_ns += STEP
        return self.search.follow(self.t_ns, output)

    def found(self, output):
        self.t_ns += STEP
        return self.search.found(self.t_ns, output)

    def lose(self):
        while self.search.belief.probability >= CONFIG.doubted_below:
            self.follow(bad(140))
        return self


def test_a_target_that_is_followed_gets_every_pass():
    search = Search().search
    assert not any(search.searches() for _ in range(10)) and search.doubted_s == 0


def test_of_a_doubted_target_every_second_pass_searches_and_of_a_lost_one_two_of_three():
    one = Search()
    while one.search.belief.probability >= CONFIG.search_below:
        one.follow(bad(140))
    if one.search.belief.probability >= CONFIG.doubted_below:
        assert [one.search.searches() for _ in range(4)] == [True, False, True, False]
    search = Search().lose().search
    assert [search.searches() for _ in range(6)] == [True, True, False, True, True, False]
    assert search.doubted_s > 0


def test_what_a_lost_target_says_against_itself_is_ignored_for_a_moment():
    one = Search().lose()
    believed = [one.follow(bad(140)) for _ in range(24)]
    assert not all(believed) and any(believed)
    apart = np.diff(np.flatnonzero(believed)) * STEP * 1e-9
    assert (apart <= CONFIG.ignored_s + STEP * 1e-9).all()
    assert one.follow(good(140))


def test_it_looks_where_the_target_was_seen_and_in_its_size():
    one = Search().lose()
    look = one.search.where(one.t_ns)
    assert np.hypot(*(look[:2] - BOX[:2])) <= 20 and look[2:].tolist() == [20, 20]


def test_one_result_without_a_doubt_takes_the_paths_place():
    one = Search().lose()
    results = one.found(good(100))
    assert [each.box[0] for _, each in results] == [100]
    assert one.search.belief.probability >= CONFIG.switch_above


def test_weaker_results_take_it_together_and_the_place_is_looked_at_again():
    one = Search().lose()
    assert one.found(fair(115)) is None
    assert one.search.where(one.t_ns).tolist() == [115, 100, 20, 20]
    results = one.found(fair(116))
    while results is None:
        results = one.found(fair(116))
    assert [each.box[0] for _, each in results][-1] == 116 and len(results) == 2
    assert one.search.belief.probability >= CONFIG.switch_above


def test_of_a_lost_target_two_looks_far_better_than_the_paths_are_enough_and_one_is_not():
    one = Search().lose()
    assert abs(CONFIG.evidence(turned(), None)) < 0.3
    assert one.found(turned(103)) is None
    assert one.search.where(one.t_ns).tolist() == [103, 100, 20, 20]
    results = one.found(turned(104))
    assert [each.box[0] for _, each in results] == [103, 104]
    assert one.search.belief.probability >= CONFIG.settled_above


def test_without_that_rule_such_a_target_stays_lost():
    config = replace(CONFIG, better_by=1e6)
    one = Search(config).lose()
    assert all(one.found(turned(103 + step)) is None for step in range(5))


def test_a_path_that_is_not_lost_is_not_left_for_such_a_place():
    one = Search()
    assert all(one.found(turned(103 + step)) is None for step in range(5))


def test_what_speaks_against_itself_or_is_far_away_does_not():
    one = Search().lose()
    assert all(one.found(bad(115)) is None for _ in range(5))
    assert one.search.where(one.t_ns).tolist() != [115, 100, 8, 8]
    assert one.found(good(100 + 20 * 12)) is None and one.found(good(100 + 20 * 12)) is None


def test_what_was_followed_comes_back_should_it_prove_right():
    """Something else looked like the target while it was covered."""
    one = Search().lose()
    while one.found(good(115)) is None:
        pass
    # The one that was followed is looked at as well.
    assert any(one.search.searches() for _ in range(2))
    assert one.search.where(one.t_ns)[0] == 140
    one.follow(bad(115))
    back = one.found(good(140))
    while back is None and one.search.belief.t_ns < one.t_ns + STEP * 20:
        one.follow(bad(115))
        back = one.found(good(140))
    assert back is not None and back[-1][1].box[0] == 140


def test_a_place_that_resembles_the_target_draws_the_next_look():
    one = Search().lose()
    one.follow(bad(140, resembling=[125.0, 100, 8, 8]))
    look = one.search.where(one.t_ns)
    assert look[:2] == pytest.approx([125, 100], abs=10)


def test_a_target_found_on_the_path_ends_the_search():
    one = Search().lose()
    for _ in range(12):
        one.follow(good(140))
    assert one.search.belief.probability > CONFIG.known and not one.search.searches()
