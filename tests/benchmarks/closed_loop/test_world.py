"""The world of a closed loop: what the camera sees lies where geometry says, and occlusions are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pvtpp.camera_motion import Gyro
from pvtpp.errors import InputError
from pvtpp_benchmarks.closed_loop.world import World, WorldConfig
from pvtpp_benchmarks.synthetic.view import CAR_MIDDLE

OPEN = World(WorldConfig("evasive", seed=2, seconds=6.0))


@pytest.fixture(scope="module")
def hidden_twice():
    return World(WorldConfig("linear", occlusions=2, seed=1, image=(320, 180), focal=300.0, seconds=6.0))


def middle(world, t):
    x, y, _ = world.path.at(t)
    return np.array([x, y, 0.0]) + CAR_MIDDLE


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 6), st.floats(-0.25, 0.25), st.floats(-0.25, 0.25))
def test_projecting_the_target_and_taking_the_ray_of_that_pixel_round_trips(t, up, right):
    attitude = OPEN.aim_at(t) + [up, right]
    camera = OPEN.camera(attitude)
    ray = OPEN.lens.rays(camera.project(middle(OPEN, t))[None])[0] @ camera.rotation
    seen = middle(OPEN, t) - camera.position
    np.testing.assert_allclose(ray, seen / np.linalg.norm(seen), atol=1e-9)
    pointed = OPEN.pointing(np.array([t]), attitude[None])
    assert pointed.error[0] == pytest.approx(np.arccos(np.clip(ray @ camera.rotation[2], -1, 1)), abs=1e-6)
    pixel = camera.project(middle(OPEN, t))
    assert pointed.inside[0] == bool(((pixel >= 0) & (pixel <= OPEN.config.image)).all())
    left_top = OPEN.box(t, attitude)[:2] - OPEN.box(t, attitude)[2:] / 2
    assert (left_top < pixel).all() and (pixel < left_top + OPEN.box(t, attitude)[2:]).all()


@given(st.floats(0, 6))
def test_a_camera_that_is_aimed_has_the_target_in_the_middle(t):
    attitude = OPEN.aim_at(t)
    np.testing.assert_allclose(OPEN.camera(attitude).project(middle(OPEN, t)), [320, 180], atol=1e-6)
    assert OPEN.pointing(np.array([t]), attitude[None]).error[0] < 1e-7


def test_pitch_is_up_and_yaw_to_the_right():
    aim = OPEN.aim_at(1.0)
    x, y = OPEN.box(1.0, aim)[:2]
    assert OPEN.box(1.0, aim + [0.1, 0])[1] > y + 50
    assert OPEN.box(1.0, aim + [0, 0.1])[0] < x - 30
    assert OPEN.box(1.0, aim + [0, np.pi]) is None
    assert not OPEN.pointing(np.array([1.0]), (aim + [0, np.pi])[None]).inside[0]


def test_what_the_gyro_measures_integrates_to_how_the_camera_turned():
    gyro, start, rates = Gyro(OPEN.lens.matrix), np.array([-0.6, 0.3]), np.array([0.4, -0.9])
    for ms in range(500):
        gyro.add(ms * 10**6, OPEN.rate(start + rates * ms * 1e-3, rates))
    first, last = OPEN.camera(start), OPEN.camera(start + rates * 0.4)
    expected = OPEN.lens.matrix @ last.rotation @ first.rotation.T @ np.linalg.inv(OPEN.lens.matrix)
    np.testing.assert_allclose(gyro.homography(0, 400 * 10**6), expected, rtol=1e-3, atol=0.05)


def test_wind_shakes_at_its_rate():
    t = np.linspace(0, 200, 20001)
    angle, rate = OPEN.shake(t)
    assert np.sqrt((rate**2).mean(axis=0)) == pytest.approx([0.03, 0.03], rel=0.1)
    np.testing.assert_allclose(np.gradient(angle, t, axis=0)[1:-1], rate[1:-1], atol=5e-4)


def test_occlusions_are_as_many_and_as_long_as_they_should_be(hidden_twice):
    t = np.arange(0, 6, 0.02)
    hidden = np.array([hidden_twice.hidden(each) for each in t])
    begins, ends = np.flatnonzero(np.diff(hidden.astype(int)) == 1), np.flatnonzero(np.diff(hidden.astype(int)) == -1)
    assert len(begins) == len(ends) == 2 and not hidden[0]
    lasts = (ends - begins) * 0.02
    assert (lasts > 0.25).all() and (lasts < 1.2).all()
    assert hidden_twice.hidden_s == pytest.approx(lasts.sum(), abs=0.05)
    assert OPEN.hidden_s == 0


def test_a_hidden_target_is_not_in_the_picture_and_a_visible_one_is(hidden_twice):
    t = np.arange(0, 6, 0.1)
    hidden = np.array([hidden_twice.hidden(each) for each in t])

    def red(at):
        attitude = hidden_twice.aim_at(at)
        low, high = np.round(np.array([[-1], [1]]) * hidden_twice.box(at, attitude)[2:] / 4 + [160, 90]).astype(int)
        patch = hidden_twice.render(at, attitude)[low[1] : high[1], low[0] : high[0]].astype(int)
        return (patch[..., 2] - patch[..., 1] > 40).mean()

    assert max(red(at) for at in t[hidden]) < 0.05
    assert min(red(at) for at in t[~hidden][::6] if abs(t[hidden] - at).min() > 0.3) > 0.3


def test_a_picture_is_a_function_of_configuration_time_and_attitude(hidden_twice):
    again = World(hidden_twice.config)
    attitude = hidden_twice.aim_at(2.0) + [0.05, 0.1]
    first = hidden_twice.render(2.0, attitude)
    assert first.shape == (180, 320, 3) and first.dtype == np.uint8
    np.testing.assert_array_equal(first, again.render(2.0, attitude))
    assert (first != hidden_twice.render(2.0, attitude + [0, 0.01])).mean() > 0.3
    # Looking up there is sky, not the ground mirrored.
    sky = hidden_twice.render(2.0, np.array([0.3, 0.0]))[:80]
    assert np.abs(sky.astype(int) - sky.mean(axis=(0, 1))).max() < 30


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"motion": "hovering"}, "WorldConfig.motion is 'hovering', allowed is one of: linear, curved"),
        ({"speed": 0}, "WorldConfig.speed is 0"),
        ({"occlusions": -1}, "WorldConfig.occlusions is -1"),
        ({"occlusions": 3, "seconds": 5.0}, "WorldConfig.seconds is 5.0, allowed is a number from 6 with 3 occlusions"),
        ({"image": (640,)}, "WorldConfig.image is (640,)"),
        ({"image": (640, 3.5)}, "WorldConfig.image is (640, 3.5)"),
        ({"focal": float("inf")}, "WorldConfig.focal is inf"),
        ({"seed": -1}, "WorldConfig.seed is -1"),
    ],
)
def test_what_is_no_world_is_refused(change, words):
    with pytest.raises(InputError) as raised:
        WorldConfig(**change)
    assert words in str(raised.value)
