"""What a closed loop is measured by: losses are long stretches outside, and lost is lost, however far the camera is."""

import numpy as np
import pytest

from pvtpp_benchmarks.closed_loop.axes import AxisStates
from pvtpp_benchmarks.closed_loop.loop import Recording
from pvtpp_benchmarks.closed_loop.measures import SETTLED_S, figures, lost_at

WIDEST = 0.5


def recording(error, inside=None, jerk=None):
    error = np.asarray(error, dtype=float)
    inside = np.ones(len(error), dtype=bool) if inside is None else inside
    still = np.zeros((len(error), 2))
    return Recording(AxisStates(still, still, still if jerk is None else jerk), error, inside, [])


def test_a_loss_is_the_first_stretch_outside_that_is_long_enough():
    inside = np.ones(3000, dtype=bool)
    inside[100:399] = False
    assert lost_at(inside, 300) is None
    inside[700:1000] = inside[1500:2500] = False
    assert lost_at(inside, 300) == 700
    assert lost_at(inside, 301) == 1500
    assert lost_at(~np.ones(5, dtype=bool), 6) is None
    assert lost_at(~np.ones(6, dtype=bool), 6) == 0


def test_the_mean_error_counts_from_where_the_camera_has_settled():
    error = np.full(4001, 0.02)
    error[: round(SETTLED_S * 1e3)] = 0.3
    made = figures(recording(error), WIDEST)
    assert made.mse_mrad2 == pytest.approx(400.0)
    assert made.lost_s is None and made.seconds == 4.0


def test_a_target_out_of_the_image_counts_as_in_its_corner():
    error, inside = np.full(4001, 0.1), np.ones(4001, dtype=bool)
    error[3000:], inside[3000:] = np.linspace(0.4, 3.0, 1001), False
    made = figures(recording(error, inside), WIDEST)
    assert made.lost_s == pytest.approx(3.0)
    assert made.mse_mrad2 == pytest.approx((1500 * 0.1**2 + 1001 * WIDEST**2) / 2501 * 1e6)


def test_jerk_is_that_of_the_time_in_which_the_target_is_held():
    jerk, inside = np.ones((4001, 2)), np.ones(4001, dtype=bool)
    inside[2000:], jerk[2000:] = False, 100.0
    assert figures(recording(np.zeros(4001), inside, jerk), WIDEST).jerk == pytest.approx(1.0)
    assert figures(recording(np.zeros(4001), jerk=jerk), WIDEST).jerk > 50
