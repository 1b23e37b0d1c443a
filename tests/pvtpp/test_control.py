"""The reference controller: it points at the target, feeds its rate forward where it is known, and keeps its limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvtpp.bearing import Direction, Pinhole
from pvtpp.camera_motion import Gyro
from pvtpp.control import (
    Aim,
    CameraRates,
    ControllerConfig,
    OwnMotion,
    Pointing,
    RateController,
    pan_rate,
    pointing,
)
from pvtpp.errors import InputError
from pvtpp.trajectory import Prediction

MS = 10**6
CALM = ControllerConfig(proportional=4.0, integral=0.0, dead_zone=0.01, max_rate=1.0, max_acceleration=1e6)


def seen(up=0.0, right=0.0, rate=(0.0, 0.0)):
    return Pointing(np.array([up, right]), np.array(rate))


def settled(config, *arguments, steps=3):
    controller = RateController(config)
    for step in range(steps):
        commanded = controller.step(step * 20 * MS, *arguments)
    return commanded


def test_what_is_above_and_to_the_right_must_be_turned_to_up_and_right():
    ray = np.array([0.1, -0.2, 1.0])
    made = pointing(Direction(ray / np.linalg.norm(ray), np.array([0.3, 0.4, 0.5]), np.zeros(2)))
    assert made.error == pytest.approx([0.2, 0.1], rel=0.02)
    np.testing.assert_array_equal(made.rate, [0.3, 0.4])
    assert pointing(Direction(np.array([0.0, 0, 1]), np.zeros(3), np.zeros(2))).error.tolist() == [0, 0]
    # Turned by this rotation vector, the camera looks at it.
    behind = pointing(Direction(np.array([1.0, 0, 0]), np.zeros(3), np.zeros(2)))
    np.testing.assert_allclose(behind.error, [0, np.pi / 2], atol=1e-12)


def test_errors_outside_of_the_dead_zone_are_turned_to_and_those_inside_are_left():
    np.testing.assert_allclose(settled(CALM, seen(0.11, -0.06)), [0.4, -0.2])
    assert settled(CALM, seen(0.009, -0.009)).tolist() == [0, 0]


def test_the_targets_own_rate_is_fed_forward_where_it_is_known():
    moving = seen(rate=(0.1, 0.2))
    assert settled(CALM, moving).tolist() == [0, 0]
    np.testing.assert_allclose(settled(CALM, moving, np.array([0.3, -0.1])), [0.3, -0.1])


def test_a_lasting_error_is_summed_up_but_not_while_the_motors_cannot_follow():
    config = ControllerConfig(proportional=1.0, integral=5.0, dead_zone=0.0, max_rate=1.0, max_acceleration=1e6)
    controller = RateController(config)
    commands = [controller.step(step * 20 * MS, seen(right=0.1))[1] for step in range(20)]
    assert np.all(np.diff(commands) > 0)
    for step in range(20, 500):
        controller.step(step * 20 * MS, seen(right=3.0))
    # Were it summed up, the camera would go on to the right for seconds.
    assert controller.step(500 * 20 * MS, seen(right=-0.5))[1] < 0.5


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3), st.booleans()), min_size=2, max_size=30))
def test_rates_and_their_change_keep_their_limits(errors):
    config = ControllerConfig(max_rate=0.7, max_acceleration=5.0)
    controller, before = RateController(config), np.zeros(2)
    for step, (up, right, known) in enumerate(errors):
        now = controller.step(step * 20 * MS, seen(up, right), np.array([up, right]) if known else None)
        assert np.abs(now).max() <= 0.7 + 1e-12
        assert np.abs(now - before).max() <= 5.0 * 0.02 + 1e-12
        before = now


def test_without_a_target_it_slows_down_to_a_stop_and_forgets_the_sum():
    config = ControllerConfig(integral=5.0, max_acceleration=5.0)
    controller = RateController(config)
    for step in range(100):
        controller.step(step * 20 * MS, seen(right=0.2))
    assert controller.commanded[1] > 0.5
    rates = [controller.step((100 + step) * 20 * MS, None)[1] for step in range(50)]
    assert rates[0] > rates[1] > 0 and rates[-1] == 0
    assert controller.step(150 * 20 * MS, seen()).tolist() == [0, 0]


def test_a_pause_or_a_clock_that_was_set_back_is_no_long_step():
    controller = RateController(ControllerConfig(max_acceleration=1.0))
    controller.step(0, seen(right=1.0))
    assert controller.step(10**12, seen(right=1.0))[1] == pytest.approx(0.2)
    assert controller.step(0, seen(right=-1.0))[1] == pytest.approx(0.2)


def test_the_turning_of_the_camera_is_known_between_and_a_moment_after_its_samples():
    rates = CameraRates(reach_s=0.1)
    assert rates.at(0) is None and rates.turned(0, 5) is None
    for t_ms in (0, 50, 100):
        rates.add(t_ms * MS, (0.0, t_ms / 100))
    np.testing.assert_allclose(rates.at(25 * MS), [0, 0.25])
    np.testing.assert_allclose(rates.at(150 * MS), [0, 1.0])
    np.testing.assert_allclose(rates.turned(0, 100 * MS), [0, 0.05])
    np.testing.assert_allclose(rates.turned(50 * MS, 150 * MS), [0, 0.0375 + 0.05])
    assert rates.at(201 * MS) is None and rates.at(-1) is None and rates.turned(-1, 50 * MS) is None
    rates.add(50 * MS, (9.0, 9.0))
    np.testing.assert_allclose(rates.at(50 * MS), [0, 0.5])
    rates.add(500 * MS, (1.0, 1.0))
    assert rates.at(100 * MS) is None, "there was a gap"
    with pytest.raises(InputError, match="no two finite numbers"):
        rates.add(600 * MS, (np.nan, 1.0))


def test_hours_of_samples_need_no_more_memory():
    rates = CameraRates(memory_s=1.0)
    for t_ms in range(0, 100_000, 20):
        rates.add(t_ms * MS, (0.0, 0.0))
    assert len(rates._times) < 200 and len(rates._rates) == len(rates._times)


def turning(rate_at, until_ms=200):
    rates = CameraRates()
    for t_ms in range(0, until_ms + 1, 10):
        rates.add(t_ms * MS, (0.0, rate_at(t_ms)))
    return rates


def test_a_target_that_stands_still_has_no_rate_of_its_own_however_the_camera_turns():
    # It turns right at 0.5 rad/s until 150 ms and stands from then on; the target is 0.1 to the right of its start.
    rates, motion = turning(lambda t_ms: 0.5 if t_ms < 150 else 0.0), OwnMotion()
    for t_ms in (0, 33, 66, 100):
        motion.add(t_ms * MS, np.array([0.0, 0.1 - 0.5 * t_ms * 1e-3]))
    made, own = motion.at(200 * MS, rates)
    np.testing.assert_allclose(own, [0, 0], atol=1e-9)
    np.testing.assert_allclose(made.error, [0, 0.1 - 0.0725], atol=1e-9)
    np.testing.assert_allclose(made.rate, [0, 0], atol=1e-9)


def test_the_targets_own_rate_is_what_the_image_shows_plus_what_the_camera_turns():
    rates, motion = turning(lambda t_ms: 0.3), OwnMotion()
    for t_ms in range(0, 101, 20):
        motion.add(t_ms * MS, np.array([0.02 * t_ms * 1e-3, 0.1 * t_ms * 1e-3]))
    made, own = motion.at(150 * MS, rates)
    np.testing.assert_allclose(own, [0.02, 0.4], atol=1e-9)
    np.testing.assert_allclose(made.error, [0.003, 0.015], atol=1e-9)
    np.testing.assert_allclose(made.rate, [0.02, 0.1], atol=1e-9)


def test_evidence_that_is_corrected_replaces_what_was_there_and_a_new_target_begins_anew():
    rates, motion = turning(lambda t_ms: 0.0), OwnMotion()
    assert motion.at(0, rates) is None
    motion.add(0, np.zeros(2))
    assert motion.at(10 * MS, rates)[1].tolist() == [0, 0], "one direction has no rate"
    motion.add(100 * MS, np.array([0.0, 5.0]))
    motion.add(100 * MS, np.array([0.0, 0.1]))
    np.testing.assert_allclose(motion.at(150 * MS, rates)[0].error, [0, 0.15])
    motion.forget()
    assert motion.at(150 * MS, rates) is None


def test_where_the_turning_is_unknown_nothing_is_said():
    motion = OwnMotion()
    motion.add(0, np.zeros(2))
    assert motion.at(10 * MS, CameraRates()) is None
    rates = turning(lambda t_ms: 0.0)
    assert motion.at(2000 * MS, rates) is None


def test_directions_are_kept_for_a_moment_only_but_a_few_of_a_slow_camera():
    motion = OwnMotion(memory_s=0.1)
    for t_ms in range(0, 10_000, 10):
        motion.add(t_ms * MS, np.zeros(2))
    assert len(motion._seen) <= 11
    for t_ms in range(10_000, 20_000, 500):
        motion.add(t_ms * MS, np.zeros(2))
    assert len(motion._seen) == 4


@pytest.mark.parametrize("name", ["proportional", "max_rate", "max_acceleration", "dead_zone", "feed_forward"])
def test_settings_that_are_not_allowed_are_named(name):
    with pytest.raises(InputError, match=f"ControllerConfig.{name} is -1"):
        ControllerConfig(**{name: -1})


# What a controller is given

LENS = Pinhole(np.array([[500.0, 0, 320], [0, 500.0, 180], [0, 0, 1]]))


def crossing(t_ns, evidence_ns=0):
    """A target that crosses the image to the right at 0.2 rad/s, about; seen last at `evidence_ns`."""
    seconds = t_ns * 1e-9
    box, velocity = np.array([320 + 100 * seconds, 180.0, 40, 40]), np.array([100.0, 0, 0, 0])
    return Prediction(t_ns, box, velocity, np.ones(4), (t_ns - evidence_ns) * 1e-9)


def test_without_a_target_there_is_nothing_to_aim_at():
    assert Aim().at(100 * MS, LENS, lambda t_ns: None, None) == (None, None)


def test_the_aim_is_where_the_target_will_be_and_nothing_is_fed_forward_where_no_rate_is_known():
    seen, own = Aim().at(500 * MS, LENS, crossing, None)
    np.testing.assert_allclose(seen.error, [0, np.arctan2(50, 500)], atol=1e-12)
    assert own is None


def test_a_gyro_that_the_predictions_know_makes_the_targets_own_rate_of_the_images():
    gyro = Gyro(LENS.matrix)
    for ms in range(0, 500, 5):
        gyro.add(ms * MS, (0.0, 0.3, 0.0))
    _, own = Aim().at(500 * MS, LENS, crossing, gyro)
    np.testing.assert_allclose(own, [0, 0.2 * 0.99 + 0.3], atol=0.01)
    assert Aim().at(500 * MS, LENS, crossing, Gyro(LENS.matrix))[1] is None


def test_reported_rates_do_too_and_another_target_begins_anew():
    rates = CameraRates()
    for ms in range(0, 600, 20):
        rates.add(ms * MS, (0.0, 0.3))
    aim = Aim(rates)
    for ms in range(0, 400, 40):
        seen, own = aim.at((ms + 100) * MS, LENS, lambda t_ns, ms=ms: crossing(t_ns, ms * MS), None)
    np.testing.assert_allclose(own, [0, 0.5], atol=0.01)
    assert seen.error[1] == pytest.approx(np.arctan2(46, 500), abs=0.002)
    aim.forget()
    # One direction alone says where it is, not where it goes.
    np.testing.assert_allclose(aim.at(500 * MS, LENS, lambda t_ns: crossing(t_ns, 400 * MS), None)[1], [0, 0])


def test_a_camera_that_looks_down_turns_its_yaw_faster_up_to_its_limit():
    assert pan_rate(0.3, 0.0, 2.0) == pytest.approx(0.3)
    assert pan_rate(0.3, -np.pi / 3, 2.0) == pytest.approx(0.6)
    assert pan_rate(-0.3, -np.pi / 2, 2.0) == pytest.approx(-1.5)
    assert pan_rate(1.0, -np.pi / 2, 2.0) == 2.0
