"""What holds for every predictor, and what each is for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvtpp.errors import InputError
from pvtpp.predictors import create, names
from pvtpp.predictors.kalman import Kalman
from pvtpp.track import Track
from pvtpp.tracker import TrackerOutput

FRAME = 10**9 // 30


def moving(count, velocity=(90.0, -30.0, 0.0, 0.0), start=(300.0, 200.0, 40.0, 30.0), step=FRAME, error=None):
    track = Track()
    for i in range(count):
        box = np.array(start) + np.array(velocity) * (i * step * 1e-9)
        track = track.with_result(i * step, box + (0 if error is None else error[i]))
    return track


@pytest.fixture(params=names())
def predictor(request):
    return create(request.param)


def test_an_empty_track_is_refused(predictor):
    with pytest.raises(InputError, match="empty"):
        predictor.predict(Track())


def test_with_one_result_the_target_stands_still(predictor):
    prediction = predictor.predict(moving(1)).at(10 * FRAME)
    np.testing.assert_allclose(prediction.box, [300, 200, 40, 30], atol=1e-9)


def test_the_same_track_gives_the_same_trajectory_whatever_came_between(predictor):
    track = moving(9)
    before = predictor.predict(track).to_row()
    predictor.predict(moving(5, velocity=(-500, 3, 1, 2)))
    assert predictor.predict(track).to_row() == before


def test_motion_only_predictors_encode_nothing(predictor):
    assert predictor.encode(TrackerOutput(np.array([1.0, 2, 3, 4]))) is None


def test_sigma_is_positive_and_grows_with_the_horizon(predictor):
    trajectory = predictor.predict(moving(9))
    sigmas = np.array([trajectory.at(trajectory.evidence_ns + h * 10**8).sigma for h in range(8)])
    assert (sigmas > 0).all()
    assert (np.diff(sigmas, axis=0) >= 0).all()


@given(st.lists(st.floats(-20, 20), min_size=24, max_size=24), st.floats(0.2, 5), st.floats(-300, 300))
def test_a_track_of_boxes_gives_finite_answers_that_move_with_the_image(errors, scale, shift):
    """For every predictor, moved tracks give moved answers.

    Scaled tracks give scaled answers for all but the published filter, whose noise is in pixels.
    """
    rows = np.reshape(errors, (6, 4)) * [1, 1, 0.5, 0.5]
    plain, moved, scaled = Track(), Track(), Track()
    for i, row in enumerate(rows):
        box = np.array([300.0, 200, 40, 30]) + row
        plain = plain.with_result(i * FRAME, box)
        moved = moved.with_result(i * FRAME, box + [shift, -shift, 0, 0])
        scaled = scaled.with_result(i * FRAME, box * scale)
    for name in names():
        predictor, t_ns = create(name), 9 * FRAME
        box = predictor.predict(plain).at(t_ns).box
        assert np.isfinite(box).all() and (box[2:] > 0).all()
        np.testing.assert_allclose(predictor.predict(moved).at(t_ns).box, box + [shift, -shift, 0, 0], atol=1e-6)
        if name != "kalman:pvt":
            np.testing.assert_allclose(predictor.predict(scaled).at(t_ns).box, box * scale, rtol=1e-6, atol=1e-6)


def test_hold_stays_and_constant_velocity_extrapolates():
    track = moving(5)
    last = track.boxes[-1]
    assert create("hold").predict(track).at(20 * FRAME).box.tolist() == last.tolist()
    ahead = create("constant_velocity").predict(track).at(14 * FRAME).box
    np.testing.assert_allclose(ahead, moving(15).boxes[-1], atol=1e-6)


@pytest.mark.parametrize("setting", ["pvt", "size_aware"])
def test_kalman_finds_a_steady_motion_through_noise_better_than_two_results_do(setting):
    rng = np.random.default_rng(0)
    kalman, simple, count = [], [], 24
    for _ in range(40):
        track = moving(count, error=rng.normal(scale=1.0, size=(count, 4)))
        truth = moving(count + 3).boxes[-1]
        t_ns = (count + 2) * FRAME
        kalman.append(np.abs(create(f"kalman:{setting}").predict(track).at(t_ns).box - truth)[:2].mean())
        simple.append(np.abs(create("constant_velocity").predict(track).at(t_ns).box - truth)[:2].mean())
    assert np.mean(kalman) < 0.7 * np.mean(simple)


def test_the_published_filter_is_the_textbook_recursion():
    """PVT in matrices: F with dt at the velocities, Q = dt^2 I, R = 10 I, P0 = 100 I on ltwh, dt in frames."""
    track = moving(10, error=np.random.default_rng(1).normal(scale=1.5, size=(10, 4)))
    corner = track.boxes.copy()
    corner[:, :2] -= corner[:, 2:] / 2
    x, P = np.concatenate([corner[0], np.zeros(4)]), 100 * np.eye(8)
    H = np.eye(4, 8)

    def transition(dt):
        F = np.eye(8)
        F[:4, 4:] = dt * np.eye(4)
        return F

    for i in range(1, 10):
        dt = (track.t_ns[i] - track.t_ns[i - 1]) * 1e-9 * 30
        x = transition(dt) @ x
        P = transition(dt) @ P @ transition(dt).T + dt**2 * np.eye(8)
        K = P @ H.T @ np.linalg.inv(H @ P @ H.T + 10 * np.eye(4))
        x, P = x + K @ (corner[i] - H @ x), (np.eye(8) - K @ H) @ P
    ahead = transition(3.0) @ x
    expected = [ahead[0] + ahead[2] / 2, ahead[1] + ahead[3] / 2, ahead[2], ahead[3]]
    box = create("kalman:pvt").predict(track).at(track.evidence_ns + 10**8).box
    np.testing.assert_allclose(box, expected, rtol=1e-9)


def test_the_published_filter_restarts_where_a_result_hardly_overlaps():
    track = moving(6).with_result(6 * FRAME, np.array([600.0, 20, 40, 30]))
    prediction = create("kalman:pvt").predict(track).at(9 * FRAME)
    np.testing.assert_allclose(prediction.box, [600, 20, 40, 30])
    np.testing.assert_allclose(prediction.velocity, 0)


def test_unknown_predictors_and_settings_are_refused_with_the_valid_names():
    with pytest.raises(InputError, match="hold, constant_velocity, kalman"):
        create("oracle")
    with pytest.raises(InputError, match="kalman:pvt"):
        create("kalman:best")
    with pytest.raises(InputError, match="pvt, size_aware"):
        Kalman("best")
