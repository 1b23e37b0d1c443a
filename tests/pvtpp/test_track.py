"""The track: in capture order whatever the order of arrival, bounded, immutable."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvtpp.errors import InputError
from pvtpp.predictors import create, names
from pvtpp.track import HISTORY, PropagatedBox, Track

results = st.lists(
    st.tuples(st.integers(0, 10**10), st.floats(0, 600), st.floats(0, 300), st.floats(1, 99), st.floats(1, 99)),
    min_size=1,
    max_size=HISTORY + 10,
    unique_by=lambda r: r[0],
)


def track_of(rows):
    track = Track()
    for t_ns, *box in rows:
        track = track.with_result(t_ns, np.array(box))
    return track


@given(results, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_neither_the_track_nor_any_prediction(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    one, other = track_of(rows), track_of(shuffled)
    assert one.t_ns == other.t_ns
    np.testing.assert_array_equal(one.boxes, other.boxes)
    for name in names():
        predictor = create(name)
        assert predictor.predict(one).to_row() == predictor.predict(other).to_row()


@given(results)
def test_a_track_is_increasing_and_keeps_the_newest(rows):
    track = track_of(rows)
    assert list(track.t_ns) == sorted(row[0] for row in rows)[-HISTORY:]
    assert track.evidence_ns == max(row[0] for row in rows)


def test_a_second_result_for_a_frame_replaces_the_first():
    track = track_of([(0, 1, 1, 5, 5), (10, 2, 2, 5, 5), (0, 3, 3, 5, 5)])
    assert track.t_ns == (0, 10)
    assert track.boxes[0].tolist() == [3, 3, 5, 5]


def test_adding_leaves_the_old_track_as_it_was():
    old = track_of([(0, 1, 1, 5, 5)])
    old.with_result(10, np.array([2.0, 2, 5, 5]))
    assert len(old) == 1
    with pytest.raises(ValueError, match="read-only"):
        old.boxes[0, 0] = 7


@pytest.mark.parametrize(("box", "score"), [([1, 2, np.nan, 4], 1), ([1, 2, 0, 4], 1), ([1, 2, 3, 4], 2)])
def test_a_bad_result_is_refused_with_its_time(box, score):
    with pytest.raises(InputError, match="t_ns=77"):
        Track().with_result(77, np.array(box, dtype=float), score)


def test_before_keeps_earlier_propagated_boxes_and_all_results():
    propagated = [PropagatedBox(t, np.array([1.0, 1, 5, 5]), 0.9) for t in (20, 30, 40)]
    track = track_of([(0, 1, 1, 5, 5), (10, 2, 2, 5, 5)]).with_propagated(propagated)
    assert [each.t_ns for each in track.before(30).propagated] == [20]
    assert track.before(5).t_ns == (0, 10) and track.before(5).propagated == ()
