"""A closed loop: the camera is turned to its target, latency costs what it should, and the same run is the same."""

import numpy as np
import pytest
from perfect import Perfect, small

from pvtpp.control import ControllerConfig
from pvtpp.core.presence import Presence
from pvtpp.errors import InputError
from pvtpp.tracker import TrackerOutput
from pvtpp_benchmarks.closed_loop.axes import AxesConfig
from pvtpp_benchmarks.closed_loop.loop import ClosedLoop, LoopConfig
from pvtpp_benchmarks.closed_loop.variants import VARIANTS, Variant
from pvtpp_benchmarks.processing import parse

KALMAN = Variant("Kalman filter without propagation", "kalman:pvt")
KNOWN_RATES = Variant("with the gimbal's rates", "kalman:pvt", "rates")


@pytest.fixture(scope="module")
def drawn():
    """A world whose images are drawn, which takes seconds for the first one."""
    return small(shake=0.0, speed=20.0)


def run(world, variant=VARIANTS["stale"], time="20ms", config=None, make=Perfect):
    made = []

    def tracker(truth):
        made.append(make(truth))
        return made[-1]

    loop = ClosedLoop(world, variant, tracker, parse(time), config)
    return loop, loop.run(), made[0]


def rms(recording, after=1500):
    return float(np.sqrt(np.mean(recording.error[after:] ** 2)))


def test_a_loop_with_a_perfect_tracker_points_to_its_target():
    world = small(speed=8.0, shake=0.0)
    _, recording, _ = run(world, KNOWN_RATES)
    assert recording.inside.all()
    assert np.degrees(rms(recording)) < 0.5
    # A camera that stays where it was is far off by then.
    moved = world.pointing(np.array([3.0]), world.aim_at(0.0)[None])
    assert np.degrees(moved.error[0]) > 8


def test_a_target_that_stands_stays_in_the_middle():
    _, recording, _ = run(small(speed=1e-3, shake=0.0))
    # The dead zone of the controller is a milliradian.
    assert recording.error.max() < 0.0015


def test_stale_boxes_cost_more_the_later_they_are_and_at_last_the_target():
    errors = [rms(run(small(seconds=5.0), time=time)[1]) for time in ("10ms", "120ms")]
    assert errors[0] < errors[1]
    fierce = LoopConfig(controller=ControllerConfig(proportional=12.0))
    assert not run(small(seconds=5.0), time="250ms", config=fierce)[1].inside.all()


def test_the_targets_own_rate_fed_forward_takes_out_most_of_the_error():
    world = small(shake=0.0)
    without, known = rms(run(world, KALMAN)[1]), rms(run(world, KNOWN_RATES)[1])
    gyro = rms(run(world, Variant("gyro", "kalman:pvt", "gyro"))[1])
    assert known < 0.4 * without and gyro < 0.4 * without
    # What is known and not used changes what a predictor sees, not what is fed forward.
    assert rms(run(world, Variant("gyro, unused", "kalman:pvt", "gyro", "nothing"))[1]) > 2 * gyro


def test_what_a_camera_sees_depends_on_what_was_commanded_before():
    calm, fierce = (LoopConfig(controller=ControllerConfig(proportional=gain)) for gain in (1.0, 6.0))
    world = small()
    one, other = (run(world, config=config)[1] for config in (calm, fierce))
    assert np.abs(one.answers[5].box - other.answers[5].box).max() < 10
    assert np.abs(one.answers[-1].box[:2] - other.answers[-1].box[:2]).max() > 10


def test_nothing_moves_before_the_first_command_has_taken_effect():
    config = LoopConfig(axes=AxesConfig(delay_ms=100))
    _, recording, _ = run(small(shake=0.0), time="50ms", config=config)
    first = int(np.flatnonzero(np.abs(recording.axes.rate).max(axis=1) > 0)[0])
    # The controller is asked every 20 ms, and its first step only starts its clock.
    assert 100 < first <= 100 + 2 * 20 + 1


def test_the_tracker_is_charged_its_time():
    tracked = [len(run(small(), time=time)[2].frames) for time in ("33ms", "85ms", "200ms")]
    np.testing.assert_allclose(tracked, [3000 / 33, 3000 / 85, 3000 / 200], rtol=0.1)


def test_a_variant_looks_where_its_defaults_say():
    assert all(each is None for each in run(small())[2].searched)
    assert all(each is not None for each in run(small(), KALMAN)[2].searched)


class Astray(Perfect):
    """Follows for a second, and then some place beside the target, of which it is not sure."""

    def track(self, frame, search_box=None):
        found = super().track(frame, search_box)
        return found if frame.t_ns < 10**9 else TrackerOutput(found.box + [70, -40, 0, 0], 0.02)


def test_a_lost_target_stops_the_camera(drawn):
    _, recording, _ = run(drawn, VARIANTS["default"], make=Astray)
    # The search may find it, and lose it again.
    presence = [answer.presence for answer in recording.answers]
    assert presence[20] is Presence.TRACKING and Presence.LOST in presence
    first = recording.answers[presence.index(Presence.LOST)].t_ns // 10**6
    assert first > 1000
    # Within what the axes' delay and motors need.
    assert np.abs(recording.axes.rate[first + 300 : first + 320]).max() < 0.05
    # Stale boxes are believed, and the camera goes on to where they are.
    believed = run(drawn, make=Astray)[1]
    assert {answer.presence for answer in believed.answers} == {None}
    assert np.abs(believed.axes.rate[first + 300 : first + 320]).max() > 0.1


def test_the_same_run_is_the_same_to_the_bit_with_images_too(drawn):
    # With propagation, presence and a gyro: everything that looks at an image or draws a random number.
    (loop, one, _), (_, other, _) = (run(drawn, VARIANTS["imu"], "47ms") for _ in range(2))
    for name in ("angle", "rate", "jerk"):
        np.testing.assert_array_equal(getattr(one.axes, name), getattr(other.axes, name))
    np.testing.assert_array_equal(one.error, other.error)
    assert [each.box.tolist() for each in one.answers] == [each.box.tolist() for each in other.answers]
    seeded = run(small(seed=5), VARIANTS["stale"], "47ms")[1]
    assert np.abs(seeded.axes.angle - one.axes.angle).max() > 0.1
    assert loop.image(10**9).shape == (180, 320, 3)


def test_there_is_an_answer_at_every_frame_and_a_state_at_every_millisecond():
    _, recording, _ = run(small(seconds=2.0))
    assert [answer.t_ns for answer in recording.answers] == [round(n * 1e9 / 30) for n in range(61)]
    assert len(recording.error) == len(recording.inside) == len(recording.axes.angle) == 2001


def test_a_target_that_the_first_image_does_not_hold_is_refused():
    with pytest.raises(InputError, match="the target is not whole in the first image"):
        run(small(focal=30000.0))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: LoopConfig(camera_hz=0), "LoopConfig.camera_hz is 0, allowed is a number above 0"),
        (lambda: LoopConfig(gyro_noise=-1), "LoopConfig.gyro_noise is -1"),
        (lambda: Variant("x", "unknown"), "unknown predictor 'unknown'"),
        (lambda: Variant("x", "hold", "radar"), "Variant.known is 'radar', allowed is one of: nothing, rates, gyro"),
        (lambda: Variant("x", "hold", forward="all"), "Variant.forward is 'all'"),
    ],
)
def test_what_is_no_loop_is_refused(make, words):
    with pytest.raises(InputError) as raised:
        make()
    assert words in str(raised.value)
