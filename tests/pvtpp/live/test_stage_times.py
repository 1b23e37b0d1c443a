"""Stage times: of the newest samples, from any thread."""

import threading

import pytest

from pvtpp.errors import InputError
from pvtpp.live.stage_times import StageTimes


def test_median_and_p95_are_of_the_newest_samples_of_each_stage():
    times = StageTimes(window=100)
    for value in [7.0] * 500 + list(range(101)):
        times.add("track", value)
    times.add("propagate", 0.002)
    track, propagate = (times.summary()[stage] for stage in ("track", "propagate"))
    assert track.samples == 601 and track.median == pytest.approx(50.5) and track.p95 == pytest.approx(95.05)
    assert propagate == (1, 0.002, 0.002)


def test_no_sample_is_lost_between_threads():
    times = StageTimes(window=8)
    threads = [threading.Thread(target=lambda: [times.add("a", 1.0) for _ in range(2000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert times.summary()["a"] == (8000, 1.0, 1.0)


def test_a_window_of_no_sample_is_refused():
    assert StageTimes().summary() == {}
    with pytest.raises(InputError, match="window is 0"):
        StageTimes(0)
