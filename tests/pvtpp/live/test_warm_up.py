"""A tracker is used before there is a target; one that cannot start says so in one line."""

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp.live.warm_up import warm_up
from pvtpp.tracker import Frame, TrackerOutput

BOX = np.array([16.0, 12.0, 8.0, 6.0])
FRAME = Frame(0, 0, np.zeros((24, 32, 3), np.uint8))


class Tracker:
    def __init__(self, error=None):
        self.error, self.calls = error, []

    def init(self, frame, box):
        self.calls.append("init")

    def track(self, frame, search_box=None):
        self.calls.append("track")
        if self.error:
            raise self.error
        return TrackerOutput(BOX, 1.0)


def test_it_is_initialised_and_tracks_as_often_as_asked():
    tracker = Tracker()
    warm_up(tracker, "mine", FRAME, BOX, 3)
    assert tracker.calls == ["init", "track", "track", "track"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RuntimeError("out of memory"), r"mine cannot start on box \[16.0, .*RuntimeError: out of memory"),
        (InputError("the image is empty"), "^the image is empty$"),
    ],
)
def test_one_that_cannot_start_is_one_clear_error(error, words):
    with pytest.raises(InputError, match=words):
        warm_up(Tracker(error), "mine", FRAME, BOX)
