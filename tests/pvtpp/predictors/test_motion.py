"""The learned motion predictor: what holds for any weights, and what happens with bad tracks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvtpp.errors import InputError
from pvtpp.inference.engine import TensorSpec
from pvtpp.predictors.motion import LONGEST_GAP_S, Motion
from pvtpp.track import Displacement, PropagatedBox, Track

FRAME = 10**9 // 30
PREDICTOR = Motion()
# Largest difference between two computations of the same answer in float32, in target sizes.
CLOSE = 1e-5

errors = st.lists(st.floats(-8, 8), min_size=32, max_size=32).map(
    lambda values: np.reshape(values, (8, 4)) * [1, 1, 0.5, 0.5]
)
velocities = st.tuples(st.floats(-600, 600), st.floats(-600, 600))


def track_of(boxes, step=2 * FRAME, scores=None, displacements=None):
    """`displacements`: displacements from each box to the next, n - 1 of them."""
    track = Track()
    for i, box in enumerate(boxes):
        track = track.with_result(i * step, box, 1.0 if scores is None else scores[i])
        if displacements is not None and i:
            track = track.with_propagated(
                (), Displacement((i - 1) * step, np.asarray(displacements[i - 1], dtype=float), 0.7)
            )
    return track


def boxes_of(error, velocity):
    seconds = np.arange(len(error))[:, None] * (2 * FRAME * 1e-9)
    return (
        np.array([640.0, 360, 48, 36]) + error + np.concatenate([seconds * velocity, 0 * seconds, 0 * seconds], axis=1)
    )


def answer(boxes, horizon_s=0.1, displacements=None):
    track = track_of(boxes, displacements=displacements)
    prediction = PREDICTOR.predict(track).at(track.evidence_ns + round(horizon_s * 1e9))
    return np.stack([prediction.box, prediction.velocity, prediction.sigma])


def displacements_of(boxes, error):
    """Displacements that differ from the tracker's steps."""
    return np.diff(boxes, axis=0) + 0.3 * error[1:] - 0.2 * error[:-1]


@given(errors, velocities, st.floats(0.05, 20), st.floats(-2000, 2000), st.floats(-2000, 2000), st.booleans())
def test_scaling_or_shifting_the_image_scales_or_shifts_the_answer(error, velocity, scale, right, down, displaced):
    boxes, shift = boxes_of(error, velocity), np.array([right, down, 0, 0])
    displacements = displacements_of(boxes, error)
    expected = answer(boxes, displacements=displacements if displaced else None) * scale
    expected[0] += shift
    made = answer(boxes * scale + shift, displacements=displacements * scale if displaced else None)
    np.testing.assert_allclose(made, expected, atol=CLOSE * scale * 600)


@given(errors, velocities, st.booleans())
def test_mirroring_the_image_mirrors_the_answer(error, velocity, displaced):
    mirror = np.array([-1.0, 1, 1, 1])
    boxes = boxes_of(error, velocity)
    displacements = displacements_of(boxes, error)
    expected = answer(boxes, displacements=displacements if displaced else None) * mirror
    expected[2] = np.abs(expected[2])
    made = answer(boxes * mirror, displacements=displacements * mirror if displaced else None)
    np.testing.assert_allclose(made, expected, atol=CLOSE * 600)


@given(errors, velocities, st.booleans())
def test_swapping_the_axes_swaps_the_answer(error, velocity, displaced):
    boxes, swap = boxes_of(error, velocity), [1, 0, 3, 2]
    displacements = displacements_of(boxes, error)
    made = answer(boxes[:, swap], displacements=displacements[:, swap] if displaced else None)
    np.testing.assert_allclose(
        made, answer(boxes, displacements=displacements if displaced else None)[:, swap], atol=CLOSE * 600
    )


@given(errors, velocities, st.sampled_from([1, 10**5, 10**8, 9 * 10**8]), st.floats(0.05, 1))
def test_no_track_of_boxes_gets_an_answer_that_is_not_finite(error, velocity, step, score):
    boxes = np.abs(boxes_of(error * 20, np.array(velocity) * 10)) + 1e-3
    trajectory = PREDICTOR.predict(track_of(boxes, step, [score] * len(boxes)))
    for horizon in (0, 10**6, 10**8, 10**9, 10**11):
        prediction = trajectory.at(trajectory.evidence_ns + horizon)
        assert np.isfinite(prediction.box).all() and (prediction.box[2:] > 0).all() and (prediction.sigma > 0).all()


@pytest.mark.parametrize("speed", [5.0, 60.0, 240.0])
def test_steady_motion_goes_on(speed):
    """It has learnt that nothing goes straight for ever, so it may stay behind by up to a quarter."""
    boxes = boxes_of(np.zeros((16, 4)), (speed, -speed / 2))
    way = np.array([speed, -speed / 2, 0, 0]) * 0.1
    np.testing.assert_allclose(answer(boxes, 0.1)[0], boxes[-1] + way, atol=0.25 * speed * 0.1)


def test_a_single_result_stands_still():
    track = track_of([[100.0, 50, 20, 10]])
    trajectory = PREDICTOR.predict(track)
    for horizon in (0, 10**8, 10**9):
        np.testing.assert_array_equal(trajectory.at(horizon).box, [100, 50, 20, 10])


def test_results_before_a_long_gap_are_ignored():
    recent = boxes_of(np.zeros((4, 4)), (100.0, 0.0))
    old = Track().with_result(-round((LONGEST_GAP_S + 0.1) * 1e9), [0.0, 0, 5, 5])
    both = old
    for i, box in enumerate(recent):
        both = both.with_result(i * 2 * FRAME, box)
    assert PREDICTOR.predict(both).to_row() == PREDICTOR.predict(track_of(recent)).to_row()


def test_the_same_track_gives_the_same_trajectory_whatever_came_between():
    track = track_of(boxes_of(np.zeros((9, 4)), (90.0, 30.0)))
    before = PREDICTOR.predict(track).to_row()
    PREDICTOR.predict(track_of(boxes_of(np.ones((5, 4)), (-500.0, 3.0))))
    assert PREDICTOR.predict(track).to_row() == before


def test_propagated_boxes_are_the_newest_evidence_and_marked_as_such():
    boxes = boxes_of(np.zeros((6, 4)), (90.0, 30.0))
    results = track_of(boxes[:4])
    track = results.with_propagated([PropagatedBox(6 * FRAME + (i + 1) * FRAME, boxes[3 + i], 0.8) for i in range(2)])
    made = PREDICTOR.inputs(track)
    assert made["propagated"][0, -3:].tolist() == [0, 1, 1]
    np.testing.assert_allclose(made["score"][0, -3:], [1, 0.8, 0.8])
    assert PREDICTOR.predict(track).evidence_ns == 8 * FRAME


def test_of_a_long_track_the_newest_results_are_read():
    boxes = boxes_of(np.zeros((24, 4)), (90.0, 30.0))
    made = PREDICTOR.inputs(track_of(boxes))
    assert (made["interval"] > 0).all()
    assert all(array.dtype == np.float32 and array.shape[0] == 1 for array in made.values())


def test_padding_is_zero():
    made = PREDICTOR.inputs(track_of(boxes_of(np.zeros((3, 4)), (90.0, 30.0))))
    assert np.count_nonzero(made["interval"]) == 2 and np.count_nonzero(made["score"]) == 2


@pytest.mark.parametrize(
    "t_ns, boxes, message",
    [
        ((0, 0), [[10, 10, 5, 5], [11, 10, 5, 5]], "times of a track must increase"),
        ((5, 1), [[10, 10, 5, 5], [11, 10, 5, 5]], "times of a track must increase"),
        ((0, 1), [[10, 10, 5, 5], [float("nan"), 10, 5, 5]], "boxes of a track must be finite"),
        ((0, 1), [[10, 10, 5, 5], [float("inf"), 10, 5, 5]], "boxes of a track must be finite"),
        ((0, 1), [[10, 10, 0, 5], [11, 10, 5, 5]], "width and height above 0"),
        ((), np.empty((0, 4)), "empty"),
    ],
)
def test_a_bad_track_is_refused(t_ns, boxes, message):
    track = Track(t_ns, np.array(boxes, dtype=np.float64), (1.0,) * len(t_ns), (None,) * len(t_ns))
    with pytest.raises(InputError, match=message):
        PREDICTOR.predict(track)


def test_another_network_is_refused_with_what_it_takes():
    class Other:
        inputs = (TensorSpec("image", (1, 3, 4, 4), np.dtype(np.float32)),)
        outputs = (TensorSpec("box", (1, 4), np.dtype(np.float32)),)

    with pytest.raises(InputError, match="not a motion network: it takes image"):
        Motion(Other())


def test_a_displacement_replaces_the_trackers_step_and_the_difference_is_the_innovation():
    boxes = boxes_of(np.zeros((4, 4)), (90.0, 0.0))
    boxes[-1, 2] *= 1.1
    track = track_of(boxes).with_propagated((), Displacement(4 * FRAME, np.array([4.0, 1.0, 0.0, 0.0]), 0.6))
    made, (w, h) = PREDICTOR.inputs(track), boxes[-1, 2:]
    np.testing.assert_allclose(made["step"][0, :, -1], [4 / w, 1 / h, 0, 0], rtol=1e-5)
    np.testing.assert_allclose(made["innovation"][0, :, -1], [2 / w, -1 / h, np.log(1.1), 0], rtol=1e-5, atol=1e-7)
    assert made["quality"][0, -2:].tolist() == [0, pytest.approx(0.6)] and not made["innovation"][0, :, :-1].any()


def test_with_displacements_the_trackers_jitter_matters_less():
    rng, missed = np.random.default_rng(4), {True: 0.0, False: 0.0}
    for _ in range(30):
        truth = boxes_of(np.zeros((13, 4)), (90.0, 30.0))
        seen = truth[:-1] + rng.normal(scale=2, size=(12, 4)) * [1, 1, 0, 0]
        for displaced in missed:
            made = answer(seen, 2 * FRAME * 1e-9, np.diff(truth[:-1], axis=0) if displaced else None)
            missed[displaced] += np.abs(made[0, :2] - truth[-1, :2]).sum()
    assert missed[True] < 0.9 * missed[False]
