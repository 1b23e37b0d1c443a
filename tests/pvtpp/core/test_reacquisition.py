"""The search: what comes back from where, and that one loss leaves nothing to the next."""

import numpy as np

from pvtpp.core.presence import PresenceConfig
from pvtpp.core.reacquisition import Reacquisition
from pvtpp.tracker import TrackerOutput

BOX = np.array([100.0, 100, 20, 20])
CONFIG = PresenceConfig(lost_after=2, found_after=2)


def result(x, similarity, size=20.0):
    return TrackerOutput([x, 100, size, size], 1.0, similarity=similarity)


def lost(x=140.0):
    search = Reacquisition(CONFIG, BOX)
    assert [search.believe(i, result(x, 0.1, 8)) for i in range(2)] == [False, False] and search.history.lost
    return search


def look(search):
    return search.where(0.5, BOX, BOX + [6, 0, 0, 0])


def test_it_begins_on_the_trackers_own_path_and_goes_on_there_from_what_is_found_on_it():
    search = lost()
    assert look(search).tolist() == [140, 100, 8, 8]
    search.believe(2, result(150, 0.2, 9))
    looks = []
    for i in range(3, 6):
        looks.append(look(search))
        search.believe(i, result(900, 0.1))
    assert all(abs(x - 100) < 60 and w == 20 for x, _, w, _ in looks)
    assert look(search).tolist() == [150, 100, 9, 9]


def test_good_results_in_a_row_find_it_and_are_what_its_new_track_begins_with():
    search = lost()
    look(search)
    assert not search.believe(2, result(170, 0.9)) and look(search)[0] == 170
    search.believe(3, result(800, 0.1))
    assert search.finds == [] and search.history.lost
    for i, x in ((4, 171), (5, 172)):
        search.believe(i, result(x, 0.95))
    assert not search.history.lost and [(i, output.box[0]) for i, output in search.finds] == [(4, 171), (5, 172)]
    assert search.believe(6, result(173, 0.9))


def test_the_next_loss_begins_anew():
    search = lost()
    for _ in range(5):
        look(search)
    for i, similarity in enumerate((0.6, 0.9, 0.9, 0.1, 0.1), 2):
        search.believe(i, result(120.0 + i, similarity))
    assert search.history.lost and search.finds == []
    assert look(search)[0] == 126
