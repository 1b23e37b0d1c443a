"""Latency, stalls and age of the evidence, counted by hand on a small log."""

import numpy as np
import pytest

from pvtpp.core.event_log import EventLog
from pvtpp.tracker import TrackerOutput
from pvtpp.trajectory import Trajectory
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.evaluate import evaluate
from pvtpp_benchmarks.grid import make_grid
from pvtpp_benchmarks.latency import Latency, latency_figures, measure
from pvtpp_benchmarks.oracle import Oracle

MS = 1_000_000
BOX = np.array([50.0, 50, 20, 20])


def hand_made():
    """Frames every 10 ms; results of 0, 30 and 60 ms are there at 25, 50 and 160 ms."""
    log = EventLog()
    log.init(0, 0, 0, BOX)
    log.trajectory(0, "p", held(0))
    for available, captured in ((25, 0), (50, 30), (160, 60)):
        log.result(available * MS, captured // 10, captured * MS, TrackerOutput(BOX, 1.0))
        log.trajectory(available * MS, "p", held(captured))
    return log


def held(captured):
    return Trajectory((captured * MS,), BOX[None], np.zeros((1, 4)), np.ones((1, 4)), captured * MS, "hold")


def test_latency_counts_from_the_capture_and_a_stall_between_results():
    times = np.array([0, 20, 40, 100, 200], dtype=np.int64) * MS
    found = measure(hand_made(), "p", np.array([0, 0, 1, 2, 3]), times, 100.0)
    assert found.results_ms.tolist() == [25, 20, 100] and found.stall_ms == 110
    assert found.age_ms.tolist() == [0, 20, 40, 70, 140]
    figures = latency_figures([found])
    assert (figures["n"], figures["median_ms"], figures["worst_ms"]) == (3, 25, 100)
    assert (figures["age_n"], figures["age_median_ms"], figures["age_worst_ms"]) == (5, 40, 140)


def test_where_a_result_answers_its_own_capture_counts():
    times = np.array([0, 20, 40, 100, 200], dtype=np.int64) * MS
    found = measure(hand_made(), "p", np.full(5, -1), times, 100.0)
    assert found.age_ms.tolist() == [0, 20, 40, 70, 140]
    log = hand_made()
    log.rows = [row for row in log.rows if row[0] != "result"]
    nothing = measure(log, "p", np.full(5, -1), times, 100.0)
    assert nothing.age_ms.tolist() == [0, 20, 40, 100, 200] and nothing.stall_ms == 0


def test_percentiles_need_enough_samples_and_are_over_the_results_of_all_runs():
    run = lambda count: Latency(np.arange(count, dtype=float), 1.0, np.zeros(count))  # noqa: E731
    few, some, many = (latency_figures([run(count)]) for count in (59, 60, 300))
    assert (few["p95_ms"], few["p99_ms"]) == (None, None)
    assert some["p95_ms"] == pytest.approx(56.05) and some["p99_ms"] is None and some["age_p95_ms"] == 0
    assert many["p99_ms"] == pytest.approx(296.01)
    assert latency_figures([run(30), run(30)])["n"] == 60
    nothing = latency_figures([Latency(np.array([]), 0.0, np.zeros(4))])
    assert (nothing["n"], nothing["median_ms"], nothing["worst_ms"], nothing["age_n"]) == (0, None, None, 4)


def test_a_simulated_tracker_of_47_ms_waits_up_to_a_frame_before_it_begins():
    still = VideoSequence("still", np.tile([40.0, 40, 20, 20], (120, 1)))
    grid = make_grid("d", "oracle", processing="47ms", predictors="hold", propagation="none", presence="off")
    offline, online = evaluate([still], grid, Oracle)
    assert offline["latency"] is None
    figures = online["latency"]
    assert 80 < figures["n"] <= 4000 / 47
    assert 47 <= figures["median_ms"] <= figures["worst_ms"] < 47 + 1000 / 30 + 1e-6
    # The tracker initialises before it tracks: two times 47 ms to the first result.
    assert figures["worst_stall_ms"] == 94.0
    assert figures["age_worst_ms"] <= 47 + 47 + 1000 / 30 + 1e-6
