"""The motors of a camera: the response of a system of second order, its delay, and its limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pvtpp.errors import InputError
from pvtpp_benchmarks.closed_loop.axes import Axes, AxesConfig

MS = 10**6
WIDE = (-1.6, 1.6)


def response(w, d, seconds):
    """The rate after a step of 1, by the closed form for damping below 1."""
    damped = w * np.sqrt(1 - d * d)
    t = np.maximum(seconds, 0)
    made = 1 - np.exp(-d * w * t) * (np.cos(damped * t) + d / np.sqrt(1 - d * d) * np.sin(damped * t))
    return np.where(seconds > 0, made, 0.0)


@settings(max_examples=30, deadline=None)
@given(st.floats(2, 120), st.floats(0.05, 0.98), st.integers(0, 120), st.floats(-1, 1), st.floats(-1, 1))
def test_a_step_is_answered_by_the_closed_form_after_the_delay(w, d, delay, up, right):
    axes = Axes(AxesConfig(w, d, max_rate=5.0, delay_ms=delay, pitch_stops=WIDE), (0.1, -3.0))
    axes.command(0, (0.05 * up, right))
    states = axes.states(400)
    expected = response(w, d, np.arange(400) * 1e-3 - delay * 1e-3)[:, None] * [0.05 * up, right]
    np.testing.assert_allclose(states.rate, expected, atol=1e-9)
    # What is integrated is the angle.
    turned = np.concatenate([[np.zeros(2)], np.cumsum((expected[1:] + expected[:-1]) / 2 * 1e-3, axis=0)])
    np.testing.assert_allclose(states.angle - states.angle[0], turned, atol=2e-4)


def test_the_lead_is_how_far_a_ramp_of_angles_is_behind():
    config = AxesConfig(natural_frequency=25.0, damping=0.8, delay_ms=40, pitch_stops=WIDE)
    axes = Axes(config, (0.0, 0.0))
    axes.command(0, (0.0, 0.5))
    assert axes.at(2000 * MS)[0][1] == pytest.approx(0.5 * (2.0 - config.lead_s), abs=1e-6)


def test_a_command_has_no_effect_before_its_delay_and_a_later_one_takes_its_place():
    axes = Axes(AxesConfig(delay_ms=40), (0.0, 0.0))
    axes.command(100 * MS, (0.0, 1.0))
    assert not axes.at(140 * MS)[1].any()
    assert axes.at(142 * MS)[1][1] > 0
    axes.command(120 * MS, (0.0, 0.0))
    peak = axes.states(400).rate[:, 1].argmax()
    assert 160 <= peak <= 200
    assert abs(axes.at(600 * MS)[1][1]) < 1e-3


def test_a_command_between_milliseconds_is_not_early():
    axes = Axes(AxesConfig(delay_ms=10), (0.0, 0.0))
    axes.command(5 * MS + 1, (0.0, 1.0))
    assert not axes.at(16 * MS)[1].any()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=1, max_size=12), st.floats(0.1, 1.5))
def test_no_commands_turn_an_axis_faster_than_its_limit_or_beyond_its_stops(commands, damping):
    config = AxesConfig(damping=damping, max_rate=2.0, pitch_stops=(-1.4, 0.2))
    axes = Axes(config, (-0.7, 0.0))
    for number, command in enumerate(commands):
        axes.command(number * 20 * MS, command)
    states = axes.states(1500)
    assert np.abs(states.rate).max() <= 2.0 + 1e-12
    assert states.angle[:, 0].min() >= -1.4 and states.angle[:, 0].max() <= 0.2


def test_an_axis_leaves_its_stop_again():
    axes = Axes(AxesConfig(pitch_stops=(-1.4, 0.2)), (0.1, 0.0))
    axes.command(0, (1.0, 0.0))
    assert axes.at(500 * MS)[0][0] == 0.2 and axes.at(500 * MS)[1][0] == 0
    axes.command(500 * MS, (-1.0, 0.0))
    assert axes.at(1000 * MS)[0][0] < 0


def test_jerk_is_the_third_derivative_of_the_angle():
    axes = Axes(AxesConfig(pitch_stops=WIDE), (0.0, 0.0))
    axes.command(0, (0.1, 0.4))
    states = axes.states(300)
    # A difference of rates round a millisecond sees the mean of the jerk before and after it.
    differences = np.diff(states.rate, 2, axis=0) * 1e6
    np.testing.assert_allclose((states.jerk[:-2] + states.jerk[1:-1]) / 2, differences, rtol=0.02, atol=1.0)
    assert states.jerk[:40].max() == 0 < states.jerk[45].min()


def test_the_states_do_not_depend_on_when_they_are_asked_for():
    made = []
    for asked in (False, True):
        axes = Axes(AxesConfig(), (-0.5, 0.0))
        for number in range(40):
            axes.command(number * 20 * MS, (0.3 * np.sin(number), 0.5))
            if asked:
                axes.at(number * 20 * MS + 3 * MS)
        made.append(axes.states(900).angle)
    np.testing.assert_array_equal(*made)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"natural_frequency": 0}, "AxesConfig.natural_frequency is 0, allowed is a number above 0"),
        ({"damping": float("nan")}, "AxesConfig.damping is nan"),
        ({"max_rate": -1}, "AxesConfig.max_rate is -1"),
        ({"delay_ms": 2.5}, "AxesConfig.delay_ms is 2.5, allowed is a whole number"),
        ({"pitch_stops": (0.3, -0.3)}, "AxesConfig.pitch_stops is (0.3, -0.3)"),
    ],
)
def test_what_no_motor_has_is_refused(change, words):
    with pytest.raises(InputError) as raised:
        AxesConfig(**change)
    assert words in str(raised.value)


@pytest.mark.parametrize("rate", [(0.0, float("nan")), (0.0,), (0.0, 1.0, 2.0)])
def test_a_command_is_two_finite_rates(rate):
    with pytest.raises(InputError, match="not two finite rates"):
        Axes(AxesConfig(), (0.0, 0.0)).command(0, rate)


def test_commands_do_not_go_back_in_time():
    axes = Axes(AxesConfig(), (0.0, 0.0))
    axes.command(50 * MS, (0.0, 0.0))
    with pytest.raises(InputError, match="times must not go back"):
        axes.command(20 * MS, (0.0, 0.0))
