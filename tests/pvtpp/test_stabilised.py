"""The stabilised frame: a track holds the target's own motion, and the answer is in the image at the asked time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvtpp.camera_motion import Gyro, Still
from pvtpp.predictors import create
from pvtpp.stabilised import answer, stabilised, warp_boxes
from pvtpp.track import Displacement, PropagatedBox, Track
from pvtpp.trajectory import Trajectory

K = np.array([[600.0, 0, 320], [0, 600.0, 180], [0, 0, 1]])
MS = 1_000_000
STEP = 40 * MS


def swung(seconds=1.5, rate=1.0):
    """The gyro of a camera that is swung about all axes."""
    gyro = Gyro(K)
    for t in np.arange(0, seconds, 0.004):
        wave = np.array([np.sin(7 * t), np.cos(6 * t), 0.3 * np.sin(9 * t)])
        gyro.add(round(t * 1e9), rate * wave)
    return gyro


def seen_by(gyro, box, t_ns):
    """Where a box of the image of time 0 is seen at `t_ns` by the camera that turned meanwhile."""
    return warp_boxes(box, gyro.homography(0, t_ns))


def track_of(gyro, box, velocity, count=12):
    """Results for a target that moves steadily in the image plane of time 0."""
    track = Track()
    for number in range(count):
        t_ns = number * STEP
        here = np.add(box, np.multiply(velocity, t_ns * 1e-9))
        track = track.with_result(t_ns, seen_by(gyro, here, t_ns))
    return track


@given(st.floats(-80, 80), st.floats(-80, 80), st.floats(0.0, 1.2))
def test_a_swung_camera_does_not_disturb_the_prediction_of_a_steady_target(vx, vy, rate):
    gyro, box, velocity = swung(rate=rate), np.array([300.0, 190, 40, 30]), (vx, vy, 0, 0)
    track = track_of(gyro, box, velocity)
    trajectory = create("constant_velocity").predict(stabilised(track, gyro))
    trajectory = Trajectory.from_row([*trajectory.to_row(), True])
    later = track.evidence_ns + 100 * MS
    found = answer(trajectory, later, gyro)
    truth = seen_by(gyro, np.add(box, np.multiply(velocity, later * 1e-9)), later)
    # A steady motion in one image plane is not quite steady in another.
    assert np.abs(found.box[:2] - truth[:2]).max() < 0.5 + 0.05 * np.hypot(vx, vy) * rate


def test_the_velocity_answered_is_the_one_in_the_image_asked_for():
    gyro = swung(rate=0.8)
    trajectory = create("constant_velocity").predict(
        stabilised(track_of(gyro, [300.0, 190, 40, 30], (50, -20, 0, 0)), gyro)
    )
    trajectory = Trajectory.from_row([*trajectory.to_row(), True])
    t_ns, step = trajectory.evidence_ns + 50 * MS + 2 * MS, MS // 100
    before, after = (answer(trajectory, t, gyro).box for t in (t_ns - step, t_ns + step))
    np.testing.assert_allclose(answer(trajectory, t_ns, gyro).velocity, (after - before) / (2e-9 * step), atol=12)


def test_an_unturned_camera_changes_nothing():
    gyro = swung(rate=0.0)
    track = track_of(gyro, [300.0, 190, 40, 30], (50, -20, 3, 1))
    np.testing.assert_allclose(stabilised(track, gyro).boxes, track.boxes, atol=1e-9)


def test_without_a_gyro_there_is_no_stabilised_track_and_the_answer_is_the_trajectorys():
    track = track_of(swung(), [300.0, 190, 40, 30], (50, -20, 0, 0))
    assert stabilised(track, Still()) is None
    trajectory = create("kalman").predict(track)
    np.testing.assert_array_equal(answer(trajectory, 10**9, Still()).box, trajectory.at(10**9).box)


def test_evidence_newer_than_the_gyro_is_not_stabilised():
    gyro = swung(seconds=0.2)
    track = track_of(swung(), [300.0, 190, 40, 30], (50, -20, 0, 0), count=20)
    assert stabilised(track, gyro) is None


def test_results_from_before_the_gyro_are_left_out():
    whole, gyro = swung(), Gyro(K)
    for t in np.arange(0.2, 1.0, 0.004):
        gyro.add(round(t * 1e9), (0.1, 0.2, 0))
    track = track_of(whole, [300.0, 190, 40, 30], (50, -20, 0, 0))
    assert stabilised(track, gyro).t_ns == tuple(t for t in track.t_ns if t >= 200 * MS)


def test_propagated_boxes_and_displacements_are_mapped_too():
    gyro, box = swung(rate=0.8), np.array([300.0, 190, 40, 30])
    track = track_of(gyro, box, (0, 0, 0, 0), count=4)
    moved = track.boxes[-1] - track.boxes[-2]
    later = track.t_ns[-1] + 33 * MS
    track = track.with_propagated(
        [PropagatedBox(later, seen_by(gyro, box, later), 0.9)], Displacement(track.t_ns[-2], moved, 0.8)
    )
    made = stabilised(track, gyro)
    # A target that stands still in the world stands still in the stabilised frame, whatever the images showed.
    np.testing.assert_allclose(made.boxes[-1], made.propagated[0].box, atol=1e-6)
    np.testing.assert_allclose(made.displacement(-1).moved, 0, atol=1e-6)
    assert made.displacement(-1).quality == 0.8 and np.abs(moved[:2]).max() > 1


def test_a_box_behind_the_camera_is_no_box():
    half_turn = K @ np.diag([-1.0, 1, -1]) @ np.linalg.inv(K)
    assert np.isnan(warp_boxes([320, 180, 40, 30], half_turn)).all()


@given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.floats(50, 590), st.floats(30, 330))
def test_a_small_box_scales_as_the_image_does(yaw, pitch, x, y):
    gyro = Gyro(K)
    for t in range(0, 1001, 10):
        gyro.add(t * MS, (pitch, yaw, 0))
    homography = gyro.homography(0, 1000 * MS)
    corners = np.array([[x - 0.5, y - 0.5, 1], [x + 0.5, y - 0.5, 1], [x + 0.5, y + 0.5, 1], [x - 0.5, y + 0.5, 1]])
    image = corners @ homography.T
    image = image[:, :2] / image[:, 2:]
    (ax, ay), (bx, by) = image[2] - image[0], image[3] - image[1]
    area = 0.5 * abs(ax * by - ay * bx)
    box = warp_boxes([x, y, 1, 1], homography)
    assert box[2] * box[3] == pytest.approx(area, rel=0.01)
