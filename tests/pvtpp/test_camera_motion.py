"""The gyro's homographies are the camera's own rotation; where it has no samples, the rotation is unknown."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvtpp.camera_motion import FULL_SCALE, Gyro, GyroConfig, Still
from pvtpp.errors import InputError

K = np.array([[600.0, 0, 320], [0, 610.0, 180], [0, 0, 1]])
MS = 1_000_000
rates = st.lists(st.tuples(*[st.floats(-1.5, 1.5)] * 3), min_size=3, max_size=60)
CAMERA_FROM_IMU = np.array([[0.0, -1, 0], [0, 0, -1], [1, 0, 0]])


def rotation(vector):
    import cv2

    return cv2.Rodrigues(np.asarray(vector, dtype=np.float64))[0]


def filled(samples, step_ms=5, **options):
    gyro = Gyro(K, **options)
    for number, rate in enumerate(samples):
        gyro.add(number * step_ms * MS, rate)
    return gyro


def test_a_constant_turn_moves_still_points_as_the_projection_of_a_turned_camera():
    rate = np.array([0.3, -0.8, 0.2])
    gyro = filled([rate] * 101)
    ray = np.array([0.1, -0.05, 1.0])
    turned = rotation(rate * 0.4).T @ ray
    seen, expected = gyro.homography(50 * MS, 450 * MS) @ K @ ray, K @ turned
    np.testing.assert_allclose(seen[:2] / seen[2], expected[:2] / expected[2], atol=1e-6)


def test_imu_axes_are_taken_to_camera_axes():
    rate = np.array([0.2, 0.5, -0.1])
    gyro = filled([CAMERA_FROM_IMU.T @ rate] * 21, camera_from_imu=CAMERA_FROM_IMU)
    np.testing.assert_allclose(gyro.turn(0, 100 * MS), rate * 0.1, atol=1e-12)


def test_the_bias_is_subtracted():
    gyro = filled([(0.02, -0.01, 0.03)] * 21, config=GyroConfig(bias=(0.02, -0.01, 0.03)))
    np.testing.assert_allclose(gyro.homography(0, 100 * MS), np.eye(3), atol=1e-12)


@given(rates, st.tuples(*[st.floats(0, 1)] * 3))
def test_rotations_chain_and_invert(samples, shares):
    gyro = filled(samples)
    a, b, c = (round(share * (len(samples) - 1) * 5 * MS) for share in shares)
    np.testing.assert_allclose(gyro.homography(b, c) @ gyro.homography(a, b), gyro.homography(a, c), atol=1e-6)
    np.testing.assert_allclose(gyro.homography(a, b) @ gyro.homography(b, a), np.eye(3), atol=1e-6)
    assert np.linalg.det(gyro.homography(a, c)) == pytest.approx(1)


@given(rates, st.integers(-3, 70), st.integers(0, 5))
def test_forgetting_changes_nothing_later_and_what_came_before_changes_no_bit(samples, at, earlier):
    whole, part = filled(samples), Gyro(K)
    first = max(min(at, len(samples) - 1), 0)
    for number in range(max(first - earlier, 0), len(samples)):
        part.add(number * 5 * MS, samples[number])
    before, begin, end = filled(samples), first * 5 * MS, len(samples) * 5 * MS
    for gyro in (whole, part):
        gyro.forget(at * 5 * MS)
    np.testing.assert_allclose(whole.homography(begin, end), before.homography(begin, end), atol=1e-9)
    np.testing.assert_array_equal(whole.homography(begin, end), part.homography(begin, end))
    assert first == 0 or whole.homography(begin - 1, end) is None


@given(rates, st.integers(0, 40))
def test_the_flow_is_the_derivative_of_the_homography(samples, at):
    gyro = filled(samples)
    t_ns = min(at, len(samples) - 2) * 5 * MS + 2 * MS
    point, step = np.array([410.0, 95.0]), 10_000
    moved = gyro.homography(t_ns, t_ns + step) @ np.append(point, 1)
    # Between two samples the mean rate turns the camera, and the rate of the older one is asked for.
    earlier, later = samples[t_ns // (5 * MS)], samples[t_ns // (5 * MS) + 1]
    slack = 4000 * np.abs(np.subtract(earlier, later)).max() + 1
    assert np.abs((moved[:2] / moved[2] - point) / (step * 1e-9) - gyro.flow(point, t_ns)).max() <= slack


def test_the_newest_rate_goes_on_for_its_reach_and_no_longer():
    gyro = filled([(0.0, 0.5, 0.0)] * 21)
    reach = round(gyro.config.reach_s * 1e9)
    np.testing.assert_allclose(gyro.turn(0, 100 * MS + reach), (0, 0.5 * 0.2, 0), atol=1e-9)
    np.testing.assert_array_equal(gyro.homography(0, 10**10), gyro.homography(0, 100 * MS + reach))
    assert gyro.homography(100 * MS + reach + 1, 10**10) is None


def test_the_rotation_is_unknown_before_the_first_sample_and_across_a_gap():
    gyro = Gyro(K)
    assert gyro.homography(0, 0) is None and gyro.newest_ns is None
    for t in (0, 5, 10, 300, 305):
        gyro.add(t * MS, (0.1, 0, 0))
    assert gyro.homography(10 * MS, 305 * MS) is None
    assert gyro.homography(300 * MS, 305 * MS) is not None
    np.testing.assert_array_equal(gyro.flow(np.zeros(2), 10 * MS), 0)


def test_memory_is_bounded():
    gyro = filled([(0.1, 0.2, 0.3)] * 3000, config=GyroConfig(memory_s=1.0))
    assert len(gyro._samples[0]) <= 420
    assert gyro.homography(2999 * 5 * MS - 900 * MS, 2999 * 5 * MS) is not None


def test_without_a_gyro_the_rotation_is_unknown():
    assert Still().homography(0, 1) is None
    np.testing.assert_array_equal(Still().flow(np.zeros(2), 0), 0)


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        ((np.nan, 0, 0), "three finite numbers"),
        ((1, 2), "three finite numbers"),
        ("abc", "not three numbers"),
        ((FULL_SCALE + 1, 0, 0), "degrees per second"),
    ],
)
def test_a_bad_sample_is_refused(rate, said):
    with pytest.raises(InputError, match=said):
        Gyro(K).add(5, rate)


def test_samples_back_in_time_are_refused_and_change_nothing():
    gyro = filled([(0.1, 0, 0)] * 3)
    before = gyro.homography(0, 10 * MS)
    with pytest.raises(InputError, match="t_ns=3000000 after one at t_ns=10000000"):
        gyro.add(3 * MS, (9, 0, 0))
    np.testing.assert_array_equal(gyro.homography(0, 10 * MS), before)


@pytest.mark.parametrize("matrix", [np.eye(2), np.diag([-1.0, 1, 1]), np.full((3, 3), np.nan), np.ones((3, 3))])
def test_a_bad_camera_matrix_is_refused(matrix):
    with pytest.raises(InputError, match="camera matrix"):
        Gyro(matrix)


@pytest.mark.parametrize("matrix", [np.zeros((3, 3)), np.diag([1.0, 1, -1]), np.eye(3) * 2, np.eye(4)])
def test_a_bad_extrinsic_is_refused(matrix):
    with pytest.raises(InputError, match="camera_from_imu"):
        Gyro(K, matrix)


@pytest.mark.parametrize("field", [{"memory_s": 0}, {"reach_s": -1}, {"bias": (0, 0)}, {"memory_s": float("inf")}])
def test_a_bad_setting_is_refused(field):
    with pytest.raises(InputError, match="GyroConfig"):
        GyroConfig(**field)
