"""The camera's own rotation in the node: it helps, wrong IMUs are named and not used, missing ones do no harm."""

from __future__ import annotations

import math

import numpy as np
import pytest
from node_helpers import BEGIN_NS, FRAME_NS, FakeMiddleware, begin, follow, image_message, target_for, until
from swung_flight import MS, TRACKER, camera_known, fly, imu_message, info_message, swung_clip

from pvtpp import predictors
from pvtpp.core.replay import replay
from pvtpp.errors import InputError
from pvtpp_ros_nodes import conversions, imu_check
from pvtpp_ros_nodes.config import NodeConfig
from pvtpp_ros_nodes.imu import Samples

FLOWN = {"tracker": TRACKER, "predictor": "kalman", "presence": False}
AXES = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])
UNTURNED = "1, 0, 0, 0, 1, 0, 0, 0, 1"
MATRIX = np.array([[300.0, 0, 160], [0, 300, 120], [0, 0, 1]])


@pytest.fixture(scope="module")
def clip():
    return swung_clip()


@pytest.fixture
def eager(monkeypatch):
    """Every pair of images is compared."""
    monkeypatch.setattr(imu_check, "PERIOD_S", 0.0)
    monkeypatch.setattr(imu_check, "SHARE", math.inf)


def motion_entry(middleware):
    """The newest entry of the camera's motion in /diagnostics."""
    middleware.published["diagnostics"].clear()
    until(lambda: middleware.published["diagnostics"])
    return [each for each in middleware.published["diagnostics"][-1].status if each.name == "pvtpp: camera motion"][0]


@pytest.fixture
def without(start, clip):
    """The error where the camera's rotation is not known."""
    middleware = FakeMiddleware()
    errors = fly(start(middleware, **FLOWN), middleware, clip)
    assert not any('"gyro"' in event.line for event in middleware.published["events"])
    return errors.mean()


def test_with_an_imu_the_error_is_less_than_a_third_and_the_log_replays_to_the_bit(start, middleware1, clip, without):
    core = start(middleware1, **FLOWN, imu=True, camera_from_imu=UNTURNED)
    known = fly(core, middleware1, clip, clip.gyro.rates)
    assert known.mean() < without / 3, (known.mean(), without)
    assert middleware1.has_logged("camera and IMU are known")
    core.reset()
    until(lambda: any('"reset"' in event.line for event in middleware1.published["events"]))
    (log,) = middleware1.logs().values()
    assert log.rows[0][0] == "gyro" and all(row[-1] is True for row in log.of_kind("trajectory"))
    assert replay(log, {"kalman": predictors.create("kalman")}).rows == log.rows


@pytest.mark.parametrize(
    ("wrong", "text"),
    [(-np.eye(3), "the angular velocity is negated"), (AXES, "camera_from_imu is wrong, [[")],
    ids=["sign", "axes"],
)
def test_a_wrong_imu_is_named_and_not_used(start, middleware1, clip, eager, wrong, text):
    core = start(middleware1, **FLOWN, imu=True, camera_from_imu=UNTURNED)
    fly(core, middleware1, clip, clip.gyro.rates @ wrong.T)
    until(lambda: middleware1.has_logged(text), what=text)
    entry = motion_entry(middleware1)
    assert entry.level == entry.ERROR and text in entry.message and entry.message.startswith("not used")
    assert not core.live.trajectory().stabilised
    assert middleware1.count_logged(text) == 1


def test_a_right_imu_agrees(start, middleware1, clip, eager):
    core = start(middleware1, **FLOWN, imu=True, camera_from_imu=", ".join(map(str, AXES.ravel())))
    fly(core, middleware1, clip, clip.gyro.rates @ AXES)
    entry = motion_entry(middleware1)
    assert entry.level == entry.OK and "the gyro explains" in entry.message, entry.message
    assert core.live.trajectory().stabilised


def test_a_late_imu_is_no_imu(start, middleware1, clip, without):
    core = start(middleware1, **FLOWN, imu=True, camera_from_imu=UNTURNED)
    late = fly(core, middleware1, clip, clip.gyro.rates, late_ns=400 * MS)
    assert late.mean() == pytest.approx(without, rel=0.1) and not core.live.trajectory().stabilised
    assert "samples are late, the newest is" in motion_entry(middleware1).message


def test_an_imu_that_never_comes_changes_nothing_and_is_reported(start, middleware):
    core = start(middleware, imu=True, silent_s=2.0)
    begin(core, middleware)
    core.on_camera_info(info_message(middleware, MATRIX))
    follow(core, middleware, 1, 5)
    middleware.seconds += 2.1
    entry = motion_entry(middleware)
    assert (
        entry.level == entry.WARN and "no message for" in entry.message and middleware.has_logged("imu: no message for")
    )
    assert core.live.active and not core.live.errors


def test_without_the_parameter_nothing_is_said_of_an_imu(start, middleware):
    core = start(middleware)
    begin(core, middleware)
    core.on_imu(imu_message(middleware, BEGIN_NS, (0, 0, 0)))
    middleware.published["diagnostics"].clear()
    until(lambda: middleware.published["diagnostics"])
    assert len(middleware.published["diagnostics"][-1].status) == 1


@pytest.mark.parametrize(
    ("rates", "text"),
    [
        ([(0, 0, 0), (math.nan, 0, 0)], "three finite numbers"),
        ([(0, 0, 0), (0, 80, 0)], "degrees per second"),
    ],
)
def test_a_message_that_is_no_sample_is_counted_and_reported_once(start, middleware, rates, text):
    core = start(middleware, imu=True, camera_from_imu=UNTURNED)
    begin(core, middleware)
    camera_known(core, info_message(middleware, MATRIX))
    for number, rate in enumerate(rates + rates[1:] * 3):
        core.on_imu(imu_message(middleware, BEGIN_NS + number * 5 * MS, rate))
    core.on_imu(imu_message(middleware, BEGIN_NS + 100, (0, 0, 0)))
    assert core.imu.refused == 5 and middleware.count_logged(text) == 1
    core.on_imu(imu_message(middleware, BEGIN_NS + 50 * MS, (0, 0.1, 0)))
    assert core.imu.taken == 2


def test_the_target_goes_on_when_the_camera_becomes_known(start, middleware):
    core = start(middleware, imu=True, camera_from_imu=UNTURNED)
    assert begin(core, middleware) == 1
    follow(core, middleware, 1, 5)
    camera_known(core, info_message(middleware, MATRIX))
    core.on_imu(imu_message(middleware, BEGIN_NS + 5 * FRAME_NS + MS, (0, 0, 0)))
    follow(core, middleware, 6, 3)
    assert target_for(middleware).target_id == 2
    assert core.live.predict(middleware.t_ns).box[0] == pytest.approx(100 + 3 * 8, abs=3)
    assert core.live.errors == [] and middleware.count_logged("are known") == 1


def test_another_calibration_is_used_once_it_has_settled(start, middleware):
    core = start(middleware, imu=True, camera_from_imu=UNTURNED)
    begin(core, middleware)
    camera_known(core, info_message(middleware, MATRIX))
    before = core.live
    zoomed = info_message(middleware, MATRIX * [[1.5], [1.5], [1]])
    core.on_camera_info(zoomed)
    until(lambda: core.imu._next is not None, what="a look at the calibration")
    middleware.seconds += 0.9
    core.on_camera_info(zoomed)
    assert not middleware.has_logged("another calibration")
    middleware.seconds += 0.1
    core.on_camera_info(zoomed)
    until(lambda: core.live is not before, what="another live tracker")
    assert middleware.has_logged("another calibration") and core.live.active


def test_stamps_of_an_imu_that_go_back_do_not_end_it(start, middleware):
    core = start(middleware, imu=True, camera_from_imu=UNTURNED)
    begin(core, middleware)
    camera_known(core, info_message(middleware, MATRIX))
    core.on_imu(imu_message(middleware, BEGIN_NS + 10**10, (0, 0, 0)))
    core.on_imu(imu_message(middleware, BEGIN_NS, (0, 0, 0)))
    until(lambda: middleware.has_logged("the stamps of the IMU went back"))
    core.on_imu(imu_message(middleware, BEGIN_NS + 5 * MS, (0, 0, 0)))
    assert core.imu.refused == 1 and core.imu.taken == 2


def test_the_axes_are_those_of_tf_where_it_knows_them(start, middleware):
    middleware.tf = {}
    core = start(middleware, imu=True)
    begin(core, middleware)
    core.on_camera_info(info_message(middleware, MATRIX))
    core.on_imu(imu_message(middleware, BEGIN_NS, (0, 0, 0)))
    core.on_camera_info(info_message(middleware, MATRIX))
    assert not middleware.has_logged("are known")
    quaternion = middleware.message("geometry_msgs/Quaternion")
    quaternion.x, quaternion.y, quaternion.z, quaternion.w = 0.5, -0.5, 0.5, 0.5
    middleware.tf[("camera", "imu")] = quaternion
    until(lambda: "gyro" in core.publications.stream.meta)
    # A body's x forward, y left, z up in the axes of a camera that looks ahead.
    expected = np.array([[0, -1, 0], [0, 0, -1], [1, 0, 0]])
    np.testing.assert_allclose(core.publications.stream.meta["gyro"]["camera_from_imu"], expected, atol=1e-9)


def test_without_tf_the_axes_are_taken_for_the_cameras_with_one_warning(start, middleware):
    core = start(middleware, imu=True)
    begin(core, middleware)
    core.on_imu(imu_message(middleware, BEGIN_NS, (0, 0, 0)))
    for _ in range(3):
        core.on_camera_info(info_message(middleware, MATRIX))
    until(lambda: "gyro" in core.publications.stream.meta)
    assert middleware.count_logged("its axes are taken to be the camera's") == 1
    np.testing.assert_array_equal(core.publications.stream.meta["gyro"]["camera_from_imu"], np.eye(3))


def test_images_that_go_back_begin_anew_with_the_same_axes(start, middleware):
    core = start(middleware, imu=True, camera_from_imu=UNTURNED)
    begin(core, middleware, 60)
    camera_known(core, info_message(middleware, MATRIX))
    core.on_imu(imu_message(middleware, BEGIN_NS + 61 * FRAME_NS, (0, 0, 0)))
    core.on_image(image_message(middleware, 1))
    core.on_imu(imu_message(middleware, BEGIN_NS + FRAME_NS, (0, 0, 0)))
    assert core.imu.refused == 0 and middleware.has_logged("image stamps went back")


def test_samples_of_a_fast_imu_are_averaged_and_none_is_left_out(middleware):
    samples = Samples()
    rates = np.random.default_rng(0).normal(size=(101, 3))
    found = [samples.take(imu_message(middleware, BEGIN_NS + i * MS, rate)) for i, rate in enumerate(rates)]
    passed = [sample for sample in found if sample is not None]
    assert len(passed) == 26 and passed[1].t_ns == BEGIN_NS + 2 * MS + MS // 2
    np.testing.assert_allclose(sum(sample.rate for sample in passed[1:]) * 4, rates[1:].sum(axis=0))


@pytest.mark.parametrize(("changed", "text"), [("stamp", "no stamp"), ("covariance", "does not measure it")])
def test_a_message_that_says_nothing_is_refused(middleware, changed, text):
    message = imu_message(middleware, 0 if changed == "stamp" else BEGIN_NS, (0, 0, 0))
    message.angular_velocity_covariance = [-1.0 if changed == "covariance" else 0.0] + [0.0] * 8
    with pytest.raises(InputError, match=text):
        Samples().take(message)


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"camera_from_imu": "1, 0, 0"}, "~camera_from_imu is '1, 0, 0', expected 9 finite numbers"),
        ({"camera_from_imu": "1, 0, 0, 0, 1, 0, 0, 0, -1"}, "~camera_from_imu: .* is no rotation"),
        ({"imu_bias": "nan, 0, 0"}, "~imu_bias is 'nan, 0, 0', expected 3 finite numbers"),
        ({"imu_bias": "99, 0, 0"}, "~imu_bias: .*degrees"),
        ({"imu": 1}, "NodeConfig.imu is 1, allowed is true or false"),
    ],
)
def test_parameters_that_are_not_allowed_are_named(changed, text):
    with pytest.raises(InputError, match=text):
        NodeConfig(**changed)


def test_a_quaternion_that_is_none_is_refused(middleware):
    with pytest.raises(InputError, match="not of length 1"):
        conversions.rotation_matrix(middleware.message("geometry_msgs/Quaternion"))
