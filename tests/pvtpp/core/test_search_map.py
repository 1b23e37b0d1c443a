"""The search map: it begins where the target is expected, does not look twice in vain, and widens with time."""

import numpy as np

from pvtpp.core.presence import PresenceConfig
from pvtpp.core.search_map import SearchMap, reach

CONFIG = PresenceConfig()
SEEN = np.array([100.0, 80, 20, 20])
STEP = 50_000_000


def looks(count, expected=SEEN, hint=None, step=STEP):
    search = SearchMap(CONFIG)
    return np.array([search.look(i * step, i * step * 1e-9, expected, SEEN, hint) for i in range(count)])


def test_the_first_look_is_where_the_target_is_expected_and_in_the_size_last_seen():
    assert looks(1).tolist() == [SEEN.tolist()]
    near = looks(1, expected=SEEN + [4, 0, 9, 9])[0]
    assert np.hypot(*(near[:2] - SEEN[:2])) <= 20 and near[2:].tolist() == [20, 20]


def test_looks_in_vain_spread_in_every_direction_and_come_back_after_a_while():
    places = (looks(30)[:, :2] - SEEN[:2]) / 20
    assert len({tuple(place) for place in places[:8].tolist()}) == 8
    assert all((places[:, axis] * side > 0.4).any() for axis in (0, 1) for side in (-1, 1))
    assert (np.hypot(*places[10:].T) < 0.6).any()


def test_the_search_widens_with_time_up_to_its_reach():
    assert reach(CONFIG, 0) < reach(CONFIG, 0.5) < reach(CONFIG, 60) == CONFIG.reach
    early, late = np.hypot(*(looks(40, step=10 * STEP)[:, :2] - SEEN[:2]).T).reshape(2, 20) / 20
    assert early.max() <= late.max() + 0.5 and late.max() > 1.5


def test_a_hint_draws_the_next_look():
    hint = SEEN + [30, 0, 0, 0]
    search = SearchMap(CONFIG)
    search.look(0, 0.3, SEEN, SEEN)
    assert np.hypot(*(search.look(STEP, 0.35, SEEN, SEEN, hint)[:2] - hint[:2])) <= 10


def test_the_same_calls_give_the_same_places():
    assert looks(25).tobytes() == looks(25).tobytes()
