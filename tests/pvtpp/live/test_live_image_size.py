"""The live tracker where the size of the images changes: nothing in the wrong scale, nothing old that looks fresh."""

import cv2
import numpy as np
import pytest
from live_fakes import ANY_TIME, BOX, FRAME, Clock, Held, Quick, box_at, evidence, frame, idle, made, until

from pvtpp.core.presence import Presence, PresenceConfig
from pvtpp.live.config import LiveConfig
from pvtpp.propagation import create as create_propagator
from pvtpp.propagation.none import NoPropagation
from pvtpp.tracker import Frame, TrackerOutput

SMALL = np.random.default_rng(3).integers(255, size=(120, 160, 3), dtype=np.uint8)
LARGE = cv2.resize(SMALL, (320, 240))
SMALL_BOX = np.array([60.0, 50, 20, 10])


class Still(Held):
    """It waits at a gate, and sees the target where it was given."""

    def track(self, frame, search_box=None):
        self.gate()
        return TrackerOutput(self.box)


def test_where_the_image_size_changes_the_target_is_given_anew_in_scale():
    rng = np.random.default_rng(1)
    small, large = (
        np.repeat(rng.integers(255, size=(*side, 1), dtype=np.uint8), 3, 2) for side in ((60, 80), (120, 160))
    )
    tracker = Quick()
    with made(tracker, propagator=create_propagator("optical_flow"), clock=Clock()) as live:
        live.init(frame(0, small), [40, 30, 20, 20])
        for index, image in enumerate([small, small, large, large, small, small], start=1):
            live.submit(frame(index, image))
            until(lambda index=index: evidence(live) == index)
            until(lambda image=image: live.predict(0).box[2] == image.shape[1] / 4)
        assert {each.stage for each in live.errors} == {"size"} and len(live.errors) == 2
        assert "frame 3: the image is 160 x 120 pixels, those before were 80 x 60" in str(live.errors[0].error)
        assert tracker.inits == [0, 2, 4] and live.target == 3


@pytest.mark.parametrize("propagation", [False, True])
def test_where_the_size_changes_after_a_gap_the_answer_keeps_its_age_until_the_tracker_has_seen_the_target(propagation):
    tracker, clock = Still(), Clock()
    propagator = create_propagator("optical_flow") if propagation else None
    with made(tracker, propagator=propagator, clock=clock, presence=PresenceConfig()) as live:
        live.init(frame(0, SMALL), SMALL_BOX)
        until(lambda: idle(live))
        clock.t_ns = 24 * FRAME
        live.submit(frame(24, LARGE))
        tracker.gate.await_somebody()
        until(lambda: live.target == 2)
        answer = live.predict()
        assert answer.age == pytest.approx(0.8) and answer.box.tolist() == (2 * SMALL_BOX).tolist()
        assert live.presence is Presence.UNCERTAIN
        # The tracker starts on the image that shows the target, in the new size.
        assert tracker.inits == [0, 0] and tracker.box.tolist() == (2 * SMALL_BOX).tolist()
        tracker.gate.open.set()
        until(lambda: evidence(live) == 24)


def test_where_no_frame_shows_the_target_any_more_a_change_of_size_forgets_it_and_says_so():
    tracker, clock = Quick(), Clock()
    config = LiveConfig(memory_s=0.5, capture_times=ANY_TIME)
    with made(tracker, clock=clock, config=config) as live:
        live.init(frame(0, SMALL), SMALL_BOX)
        until(lambda: idle(live))
        live.submit(frame(90, LARGE))
        until(lambda: not live.active and live.errors)
        assert "is not in memory: the target is forgotten" in str(live.errors[0].error)
        assert live.predict(90 * FRAME) is None and tracker.inits == [0]
        live.init(frame(91, LARGE), BOX)
        live.submit(frame(92, LARGE))
        until(lambda: evidence(live) == 92)


def test_a_change_of_size_without_a_target_stops_nothing():
    with made(Quick(), propagator=create_propagator("optical_flow"), clock=Clock()) as live:
        live.init(frame(0, SMALL), SMALL_BOX)
        live.reset()
        for index in range(1, 4):
            live.submit(frame(index, LARGE))
            until(lambda: idle(live))
        live.init(frame(4, LARGE), BOX)
        live.submit(frame(5, LARGE))
        until(lambda: evidence(live) == 5)
        assert live.errors == []
        live.submit(frame(6, SMALL))
        live.reset()
        live.init(frame(7, SMALL), SMALL_BOX)
        live.submit(frame(8, SMALL))
        until(lambda: evidence(live) == 8 and idle(live))
        assert [each.is_alive() for each in live._threads] == [True] * 3


def test_a_target_given_in_the_new_size_is_not_scaled_again_while_the_tracker_is_at_the_old_one():
    tracker = Held()
    with made(tracker, propagator=NoPropagation(), clock=Clock()) as live:
        live.init(frame(0, SMALL), SMALL_BOX)
        live.submit(frame(1, SMALL))
        tracker.gate.await_somebody()
        live.init(frame(2, LARGE), BOX)
        live.submit(frame(3, LARGE))
        until(lambda: not live._machine._busy["propagator"])
        assert live.target == 2 and box_at(live, 2) == BOX[0]
        tracker.gate.open.set()
        until(lambda: evidence(live) == 3)
        assert live.target == 2 and live.errors == []


def test_a_target_given_on_a_past_frame_of_the_old_size_is_scaled_once():
    tracker = Held()
    with made(tracker, clock=Clock()) as live:
        live.submit(frame(0, SMALL))
        live.submit(frame(1, LARGE))
        live.init(0, SMALL_BOX)
        tracker.gate.await_somebody()
        assert live.target == 2 and live.predict(FRAME).box.tolist() == (2 * SMALL_BOX).tolist()
        tracker.gate.open.set()
        until(lambda: evidence(live) == 1)


def test_an_image_that_cannot_be_read_is_reported_and_stops_nothing():
    def unreadable():
        raise OSError("cannot be read")

    with made(Quick(), propagator=create_propagator("optical_flow"), clock=Clock()) as live:
        live.init(frame(0, SMALL), SMALL_BOX)
        live.submit(Frame(1, FRAME, unreadable))
        until(lambda: live.errors)
        live.submit(frame(2, LARGE))
        until(lambda: evidence(live) == 2)
