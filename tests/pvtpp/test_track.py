"""The track: in capture order whatever the order of arrival, bounded, immutable."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvtpp.errors import InputError
from pvtpp.predictors import create, names
from pvtpp.track import HISTORY, Displacement, PropagatedBox, Track

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


def test_propagated_boxes_out_of_order_or_before_the_newest_result_are_refused():
    track = track_of([(5, 1, 1, 5, 5)])
    box = np.array([1.0, 1, 5, 5])
    for times in ((5,), (4,), (9, 8), (9, 9)):
        with pytest.raises(InputError, match="later than the newest result"):
            track.with_propagated([PropagatedBox(t, box, 1.0) for t in times])
    with pytest.raises(InputError, match="quality 1.5"):
        track.with_propagated([PropagatedBox(9, box, 1.5)])
    with pytest.raises(InputError, match="propagated box for t_ns=9"):
        track.with_propagated([PropagatedBox(9, box - 5, 1.0)])
    with pytest.raises(InputError, match="the track is empty"):
        Track().with_propagated([])


def test_a_new_result_leaves_no_box_propagated_from_the_old_one_but_a_late_older_result_does():
    box = np.array([1.0, 1, 5, 5])
    track = track_of([(5, 1, 1, 5, 5)]).with_propagated([PropagatedBox(9, box, 1.0)])
    assert track.with_result(7, box).propagated == ()
    assert len(track.with_result(3, box).propagated) == 1


def test_evidence_is_results_and_propagated_boxes_in_one():
    track = track_of([(0, 1, 1, 5, 5), (10, 2, 2, 5, 5)])
    assert track.evidence_ns == 10 and track.evidence()[0] == (0, 10)
    track = track.with_propagated([PropagatedBox(20, np.array([3.0, 3, 5, 5]), 0.9)])
    times, boxes = track.evidence()
    assert track.evidence_ns == 20 and times == (0, 10, 20) and boxes[:, 0].tolist() == [1, 2, 3]
    assert track.newest[0] == 10 and track.newest[1].tolist() == [2, 2, 5, 5]


def test_a_displacement_belongs_to_the_newest_result_and_is_known_as_long_as_the_one_before_it_stays():
    moved = Displacement(0, np.array([1.0, 0, 0, 0]), 0.8)
    track = track_of([(0, 1, 1, 5, 5), (10, 2, 2, 5, 5)]).with_propagated([], moved)
    assert track.displacement(1) is moved is track.displacement(-1) and track.displacement(0) is None
    assert track.with_propagated([]).displacement(1) is moved
    # A late result in between: then the way to the newest is not the one that was measured.
    between = track.with_result(5, np.array([9.0, 9, 5, 5]))
    assert between.displacement(2) is None and between.displacement(1) is None
    assert track.with_result(20, np.array([9.0, 9, 5, 5])).displacement(1) is moved


def test_encodings_are_set_by_capture_time():
    track = track_of([(0, 1, 1, 5, 5), (10, 2, 2, 5, 5)])
    assert track.with_encodings({10: "b", 99: "c"}).encodings == (None, "b")
    assert track.encodings == (None, None)
