"""Trajectories: exact at the knots, smooth between, extrapolated beyond; the same answer singly and in a table."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvtpp.errors import InputError
from pvtpp.trajectory import EXTRAPOLATIONS, SMALLEST, Trajectory, TrajectoryTable

SECOND = 10**9


@st.composite
def trajectories(draw):
    count = draw(st.integers(1, 5))
    t_ns = np.cumsum(draw(st.lists(st.integers(SECOND // 20, SECOND), min_size=count, max_size=count)))
    numbers = st.floats(-500, 500)
    table = lambda values, rows: draw(st.lists(values, min_size=4 * rows, max_size=4 * rows))  # noqa: E731
    mean = np.reshape(table(numbers, count), (-1, 4))
    mean[:, 2:] = np.abs(mean[:, 2:]) + 30
    return Trajectory(
        tuple(t_ns),
        mean,
        np.reshape(table(numbers, count), (-1, 4)),
        np.abs(np.reshape(table(numbers, count), (-1, 4))),
        int(t_ns[0]),
        draw(st.sampled_from(EXTRAPOLATIONS)),
    )


def straight(extrapolation="linear"):
    mean = np.array([[100.0, 50, 20, 10], [110.0, 50, 20, 10]])
    slope = np.array([[10.0, 0, 0, 0]] * 2)
    return Trajectory((0, SECOND), mean, slope, np.array([[1.0] * 4, [2.0] * 4]), 0, extrapolation)


@given(trajectories())
def test_at_a_knot_the_answer_is_the_knot(trajectory):
    for i, t_ns in enumerate(trajectory.t_ns):
        prediction = trajectory.at(t_ns)
        np.testing.assert_allclose(prediction.box, trajectory.mean[i], rtol=1e-9, atol=1e-6)
        np.testing.assert_allclose(prediction.sigma, trajectory.sigma[i], rtol=1e-9, atol=1e-6)


@given(trajectories(), st.lists(st.integers(-SECOND, 7 * SECOND), min_size=1, max_size=8))
def test_a_table_answers_as_each_trajectory_does_to_the_bit(trajectory, times):
    other = straight()
    rows = [other.to_row(), trajectory.to_row()]
    table, second = TrajectoryTable(rows), np.ones(len(times), dtype=int)
    np.testing.assert_array_equal(table.boxes(second, np.array(times)), [trajectory.at(t).box for t in times])
    np.testing.assert_array_equal(table.sigmas(second, np.array(times)), [trajectory.at(t).sigma for t in times])


@given(trajectories(), st.integers(-SECOND, 7 * SECOND))
def test_the_answer_is_that_of_the_formula_in_arrays_to_the_bit(trajectory, t_ns):
    times, mean, derivative, sigma = trajectory.t_ns, trajectory.mean, trajectory.derivative, trajectory.sigma
    low = sum(t <= t_ns for t in times) - 1
    edge, seconds = max(low, 0), (t_ns - times[max(low, 0)]) * 1e-9
    if 0 <= low < len(times) - 1:
        span = (times[low + 1] - times[low]) * 1e-9
        u, rise = seconds / span, mean[low + 1] - mean[low]
        begin, end = span * derivative[low], span * derivative[low + 1]
        square, cube = 3 * rise - 2 * begin - end, begin + end - 2 * rise
        box, slope = mean[low] + u * (begin + u * (square + u * cube)), (begin + u * (2 * square + 3 * u * cube)) / span
        spread = sigma[low] + u * (sigma[low + 1] - sigma[low])
    else:
        slope = derivative[edge] if trajectory.extrapolation == "linear" else np.zeros(4)
        box, spread = mean[edge] + seconds * slope, sigma[edge]
        if len(times) > 1:
            near = low - 1 if low > 0 else 0
            growth = (sigma[near + 1] - sigma[near]) / ((times[near + 1] - times[near]) * 1e-9)
            spread = spread + abs(seconds) * np.maximum(growth, 0)
    box = np.append(box[:2], np.maximum(box[2:], SMALLEST * mean[0, 2:]))
    found = trajectory.at(t_ns)
    for asked, expected in ((found.box, box), (found.velocity, slope), (found.sigma, spread)):
        np.testing.assert_array_equal(asked, expected)
        assert asked.dtype == np.float64 and asked.shape == (4,)


def test_sigma_grows_in_both_directions_of_time():
    trajectory = straight()
    sigmas = [trajectory.at(t).sigma[0] for t in (-2 * SECOND, -SECOND, 0, SECOND, 2 * SECOND, 3 * SECOND)]
    assert sigmas == [3.0, 2.0, 1.0, 2.0, 3.0, 4.0]


@given(trajectories())
def test_written_as_a_row_and_read_back_it_is_the_same_to_the_bit(trajectory):
    again = Trajectory.from_row(trajectory.to_row())
    assert again.to_row() == trajectory.to_row()
    np.testing.assert_array_equal(again.at(3 * SECOND).box, trajectory.at(3 * SECOND).box)


@given(trajectories(), st.integers(0, 7 * SECOND))
def test_the_velocity_is_the_slope_of_the_box(trajectory, t_ns):
    step = 1000
    if any(abs(t_ns - knot) <= step for knot in trajectory.t_ns):
        return
    before, here, after = (trajectory.at(t_ns + d) for d in (-step, 0, step))
    # Where the smallest size is reached the box stops shrinking, whatever its extrapolation says.
    free = np.ones(4, dtype=bool)
    free[2:] = (np.minimum(before.box, after.box) > 0.06 * trajectory.mean[0])[2:]
    slope = (after.box - before.box) / (2 * step * 1e-9)
    np.testing.assert_allclose(slope[free], here.velocity[free], rtol=1e-3, atol=1e-2)


def test_beyond_the_last_knot_the_extrapolation_applies():
    assert straight().at(3 * SECOND).box[0] == 130
    assert straight("hold").at(3 * SECOND).box[0] == 110
    assert straight().at(3 * SECOND).sigma[0] == 4
    assert straight().at(-SECOND).box[0] == 90


def test_age_counts_from_the_newest_evidence():
    assert straight().at(SECOND // 2).age == pytest.approx(0.5)


def test_a_shrinking_target_keeps_some_size():
    shrinking = Trajectory((0,), [[0, 0, 20, 10]], [[0, 0, -100, -100]], np.ones((1, 4)), 0)
    assert shrinking.at(SECOND).box[2:].tolist() == [1.0, 0.5]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"t_ns": (5, 5)}, "strictly increasing"),
        ({"t_ns": (9, 5)}, "strictly increasing"),
        ({"t_ns": ()}, "at least one"),
        ({"mean": np.zeros((1, 4))}, "shape"),
        ({"sigma": np.full((2, 4), np.nan)}, "not finite"),
        ({"derivative": np.full((2, 4), np.inf)}, "not finite"),
        ({"extrapolation": "magic"}, "linear, hold"),
    ],
)
def test_a_bad_trajectory_is_refused(change, words):
    good = {
        "t_ns": (0, 9),
        "mean": np.ones((2, 4)),
        "derivative": np.zeros((2, 4)),
        "sigma": np.ones((2, 4)),
        "evidence_ns": 0,
    }
    with pytest.raises(InputError, match=words):
        Trajectory(**{**good, **change})
