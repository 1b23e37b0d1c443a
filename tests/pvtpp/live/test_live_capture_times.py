"""Capture times that lie are refused and reported once; when they are right again tracking goes on."""

import time

import numpy as np
import pytest

from pvtpp.core.presence import Presence, PresenceConfig
from pvtpp.errors import InputError
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.predictors import create
from pvtpp.tracker import Frame, TrackerOutput

FRAME = 10**9 // 30
START = 1_795_900_000 * 10**9
BOX = np.array([100.0, 100, 20, 20])
HOUR = 3600 * 10**9


class Clock:
    """Real time, moved by the test; `off_ns` is what the system's clock is set wrong by."""

    def __init__(self):
        self.t_ns, self.off_ns = START, 0

    def __call__(self):
        return self.t_ns + self.off_ns


class Still:
    """A tracker of a target that stands."""

    def init(self, frame, box):
        self.box = box

    def track(self, frame, search_box=None):
        return TrackerOutput(self.box)


def until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.001)


def live_with(clock, **options):
    return LiveTracker(Still(), {"hold": create("hold")}, clock=clock, **options)


def follow(live, clock, count=10, stamp=None):
    """Submit as many frames, stamped by the clock or by `stamp`; say which were taken."""
    taken = []
    for _ in range(count):
        clock.t_ns += FRAME
        t_ns = clock() if stamp is None else stamp(clock())
        taken.append(live.submit(Frame(0, t_ns)))
        if taken[-1] and live.active:
            until(lambda t_ns=t_ns: live.trajectory().evidence_ns == t_ns)
    return taken


LIES = {
    "seconds": (lambda now: now // 10**9, "it is in seconds"),
    "microseconds": (lambda now: now // 1000, "it is in microseconds"),
    "monotonic": (lambda now: time.monotonic_ns(), "monotonic clock"),
    "an hour ahead": (lambda now: now + HOUR, "3600.000 s ahead"),
    "an hour behind": (lambda now: now - HOUR, "3600.000 s behind"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_target_cannot_be_given_on_a_frame_whose_capture_time_lies(name):
    stamp, said = LIES[name]
    clock = Clock()
    with live_with(clock) as live:
        with pytest.raises(InputError, match=said):
            live.init(Frame(0, stamp(clock())), BOX)
        assert not live.active and live.predict() is None


@pytest.mark.parametrize("name", LIES)
def test_frames_whose_capture_times_lie_are_refused_once_by_name_and_tracking_goes_on_after_them(name):
    stamp, said = LIES[name]
    clock = Clock()
    with live_with(clock, presence=PresenceConfig()) as live:
        live.init(Frame(0, clock()), BOX)
        assert all(follow(live, clock))
        assert not any(follow(live, clock, 90, stamp))
        assert [each.stage for each in live.errors] == ["capture time"] and said in str(live.errors[0].error)
        assert live.counts["implausible"] == 90
        # Nothing was followed blindly: what is known is three seconds old, and says so.
        assert live.predict().age == pytest.approx(3.0) and live.presence is Presence.LOST
        assert all(follow(live, clock))
        assert live.predict().age == 0


def test_one_bad_capture_time_costs_one_frame():
    clock = Clock()
    with live_with(clock) as live:
        live.init(Frame(0, clock()), BOX)
        follow(live, clock, 1, lambda now: now + HOUR)
        assert all(follow(live, clock, 30))


def test_capture_times_that_stand_still_are_reported_as_such():
    clock = Clock()
    with live_with(clock) as live:
        live.init(Frame(0, clock()), BOX)
        first = clock()
        assert not any(follow(live, clock, 40, lambda now: first))
        assert ["stands still" in str(each.error) for each in live.errors] == [True]
        assert live.counts["duplicates"] == 40


@pytest.mark.parametrize("by", [-10 * 10**9, -HOUR])
def test_where_the_clock_is_set_back_tracking_goes_on_by_the_new_time(by):
    clock = Clock()
    with live_with(clock, presence=PresenceConfig()) as live:
        live.init(Frame(0, clock()), BOX)
        assert all(follow(live, clock, 30))
        clock.off_ns = by
        # This clock does not keep pace with real time, so one frame may seem to come at no later time.
        assert all(follow(live, clock, 30)[1:])
        assert [each.stage for each in live.errors] == ["clock"] and "set back by" in str(live.errors[0].error)
        made = live.predict()
        assert made.t_ns == clock() and made.age == 0 and live.presence is Presence.TRACKING
        assert live.trajectory().evidence_ns == clock()
        # A target may be given on a frame by its time on the clock as it is set now.
        live.init(clock() - 3 * FRAME, BOX)
