"""A steady rate, whatever the work does."""

from __future__ import annotations

import pytest
from node_helpers import until

from pvtpp_ros_nodes.pacer import Deadlines, Pacer


def test_late_work_skips_deadlines_and_keeps_the_rhythm():
    deadlines, now, calls = Deadlines(5.0, 0.01), 5.0, []
    for number in range(20):
        now += deadlines.wait_s(now)
        calls.append(now)
        # Work takes a moment, the third call ten periods.
        now += 0.105 if number == 2 else 0.001
    assert deadlines.missed == 9
    # Deadlines stay where they were: all calls but the late one lie at multiples of the period.
    periods = [(call - 5.0) / 0.01 for call in calls]
    assert periods[:3] == pytest.approx([1, 2, 3]) and periods[3] == pytest.approx(13.5)
    assert periods[4:] == pytest.approx(range(14, 30))


def test_work_that_raises_is_reported_and_called_again(no_thread_is_left):
    calls, reported = [], []

    def work():
        calls.append(1)
        raise ValueError("no")

    pacer = Pacer(work, 200.0, "pacer", reported.append)
    until(lambda: len(calls) > 3, what="further calls")
    pacer.stop()
    assert len(reported) == len(calls) and isinstance(reported[0], ValueError)


def test_another_rate_is_in_effect_at_once_and_what_was_missed_stays_counted(no_thread_is_left):
    calls = []
    # At its first rate it would not be called within this test.
    pacer = Pacer(lambda: calls.append(1), 1e-4, "pacer", calls.append)
    pacer._deadlines.missed = 7
    pacer.set_rate(200.0)
    until(lambda: len(calls) > 3, what="calls at the new rate")
    assert pacer.missed >= 7 and set(calls) == {1}
    pacer.stop()
