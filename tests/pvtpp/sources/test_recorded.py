"""Files as sources, and files played in real time as if they were cameras."""

import threading
import time

import numpy as np

from pvtpp.sources.recorded import Played, Recorded, TimedImage
from pvtpp.sources.source import Condition, closed_when

TIMES = [0, 20_000_000, 50_000_000, 55_000_000]


def recorded(times=TIMES):
    image = np.zeros((4, 6, 3), np.uint8)
    return Recorded("clip", 50.0, len(times), lambda warn: (TimedImage(t, image) for t in times))


def test_a_recorded_source_starts_again_from_the_first_frame():
    source = recorded()
    for _ in range(2):
        assert [(frame.index, frame.t_ns) for frame in source.frames()] == list(enumerate(TIMES))


def test_a_played_file_comes_at_its_own_times_on_the_clock():
    source = Played(recorded())
    first = None
    for frame, t_ns in zip(source.frames(), TIMES):
        first = first or frame.t_ns
        assert frame.t_ns - first == t_ns and frame.t_ns <= time.time_ns() + 1_000_000
    assert list(Played(recorded([0])).frames()) and source.live


def test_a_played_file_ends_when_it_is_closed_and_says_when_it_is_over():
    source = Played(recorded([0, 3600 * 10**9]))
    frames = source.frames()
    next(frames)
    threading.Timer(0.05, source.close).start()
    assert list(frames) == [] and source.status.condition is Condition.ENDED


def test_a_source_is_closed_as_soon_as_somebody_wants_it_over():
    source, over = Played(recorded([0, 3600 * 10**9])), threading.Event()
    with closed_when(source, over.is_set):
        frames = source.frames()
        next(frames)
        over.set()
        assert list(frames) == []
