"""A steady rate, whatever the work does."""

from __future__ import annotations

import time

from node_helpers import until

from pvtpp_ros_nodes.pacer import Pacer


def test_late_work_skips_deadlines_and_keeps_the_rhythm(no_thread_is_left):
    calls = []

    def work():
        calls.append(time.perf_counter())
        if len(calls) == 3:
            time.sleep(0.1)

    pacer = Pacer(work, 100.0, "pacer", None)
    until(lambda: len(calls) >= 20)
    pacer.stop()
    assert pacer.missed >= 8
    # Deadlines stay where they were: all calls lie at or after multiples of the period from the first.
    offsets = [(call - calls[0]) / 0.01 for call in calls]
    assert max(offsets) >= len(calls) - 1 + pacer.missed - 1


def test_work_that_raises_is_told_and_called_again(no_thread_is_left):
    calls, told = [], []

    def work():
        calls.append(1)
        raise ValueError("no")

    pacer = Pacer(work, 200.0, "pacer", told.append)
    until(lambda: len(calls) > 3)
    pacer.stop()
    assert len(told) == len(calls) and isinstance(told[0], ValueError)
