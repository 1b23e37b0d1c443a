"""Coverage of sigma: errors of the declared distribution give the declared shares, and absent frames do not count."""

import numpy as np
import pytest

from pvtpp.boxes import box_to_xywh
from pvtpp.core.event_log import EventLog
from pvtpp.trajectory import Trajectory
from pvtpp_benchmarks.coverage import BOUNDS, Coverage, cover, coverage_figures

MS = 1_000_000
BOX = np.array([50.0, 50, 20, 20])


def log_of(sigma):
    log = EventLog()
    log.init(0, 0, 0, BOX)
    row = np.array([sigma, sigma])
    log.trajectory(0, "p", Trajectory((0, 1000 * MS), np.tile(BOX, (2, 1)), np.zeros((2, 4)), row, 0, "hold"))
    return log


def test_the_bounds_are_those_of_students_t_with_three_degrees_of_freedom():
    drawn = np.abs(np.random.default_rng(0).standard_t(3, 400_000))
    scale = BOUNDS["90"] / np.quantile(drawn, 0.9)
    assert BOUNDS["95"] == pytest.approx(scale * np.quantile(drawn, 0.95), rel=0.02)
    assert BOUNDS["50"] == pytest.approx(scale * np.quantile(drawn, 0.5), rel=0.02)


def test_errors_of_the_declared_distribution_are_covered_as_declared():
    sigma, n = np.array([2.0, 3.0, 1.0, 1.5]), 20_000
    errors = np.random.default_rng(1).standard_t(3, (n, 4)) * sigma * BOUNDS["90"] / 2.353363
    truth = box_to_xywh(BOX + errors)
    times = np.linspace(0, 1000 * MS, n).astype(np.int64)
    found = cover(log_of(sigma), "p", np.zeros(n, dtype=int), np.tile(BOX, (n, 1)), truth, times)
    assert found.frames == n
    for part in (found.centre, found.size):
        assert part == pytest.approx([0.5, 0.9, 0.95], abs=0.01)


def test_frames_without_a_target_or_answered_by_a_result_do_not_count():
    truth = np.tile(box_to_xywh(BOX), (4, 1))
    truth[1] = np.nan
    truth[2, 0] += 5
    made, boxes, times = np.array([0, 0, 0, -1]), np.tile(BOX, (4, 1)), np.arange(4) * MS
    found = cover(log_of(np.full(4, 3.0)), "p", made, boxes, truth, times)
    # One of the two centres that count is 5 px off in x: outside .534 and within 1.645 of 3 px only where that is 4.9.
    assert found.frames == 2 and found.centre.tolist() == [0.75, 0.75, 1.0] and found.size.tolist() == [1, 1, 1]
    assert cover(log_of(np.zeros(4)), "p", made, boxes, truth, times) is None
    assert cover(log_of(np.full(4, 3.0)), "p", np.full(4, -1), boxes, truth, times) is None


def test_where_the_camera_turned_sigma_grows_with_the_box():
    log = EventLog()
    log.init(0, 0, 0, BOX)
    flat = np.ones((1, 4))
    log.trajectory(0, "p", Trajectory((0,), BOX[None], 0 * flat, flat, 0, "hold", stabilised=True))
    truth = box_to_xywh(BOX * [1, 1, 2, 2] + [3.0, 3, 0, 0])[None]
    at = np.zeros(1, dtype=int), np.zeros(1, dtype=np.int64)
    # 3 px off: outside 1.645 px, inside twice that in an image where everything is twice as large.
    assert cover(log, "p", at[0], BOX[None], truth, at[1]).centre.tolist() == [0, 0, 0]
    assert cover(log, "p", at[0], (BOX * [1, 1, 2, 2])[None], truth, at[1]).centre.tolist() == [0, 1, 1]


def test_a_row_holds_the_mean_over_sequences_that_have_any():
    run = lambda frames, share: Coverage(frames, np.full(3, share), np.full(3, share))  # noqa: E731
    figures = coverage_figures([[run(10, 0.0), run(10, 1.0)], [run(500, 0.9)], [None]])
    assert figures == {
        "frames": 520,
        "centre": {"50": 0.7, "90": 0.7, "95": 0.7},
        "size": {"50": 0.7, "90": 0.7, "95": 0.7},
    }
    assert coverage_figures([[None], [None]]) is None
