"""The truth at a time: rounded frame times are the same time, and what came late is late."""

from __future__ import annotations

import numpy as np

from pvtpp.training.truth import NEAR_NS, first_asked, truth_at

TIMES = np.rint(np.arange(4) * 1e9 / 30).astype(np.int64)
TRUTH = np.arange(16.0).reshape(4, 4)


def test_the_truth_of_a_time_is_that_of_the_nearest_frame_and_unknown_between_frames():
    found = truth_at(TIMES, TRUTH, np.array([0, TIMES[1] + NEAR_NS, TIMES[1] + NEAR_NS + 1, TIMES[3] - NEAR_NS]))
    np.testing.assert_array_equal(found[[0, 1, 3]], TRUTH[[0, 1, 3]])
    assert np.isnan(found[2]).all()


def test_an_answer_is_asked_from_the_first_frame_that_it_is_there_for():
    """As the benchmark pairs them: nanoseconds are rounding, a microsecond is late."""
    asked = [first_asked(TIMES, TIMES[1] + late) for late in (-1, 0, 16, 17, 1000)]
    assert asked == [1, 1, 1, 2, 2]
