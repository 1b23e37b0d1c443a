"""The frames in memory: bounded in time, number and bytes, and found by their capture time."""

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp.live.recent_frames import RecentFrames
from pvtpp.tracker import Frame

FRAME = 10**9 // 30


def filled(count=200, image=None, **bounds):
    recent = RecentFrames(**bounds)
    for index in range(count):
        recent.push(Frame(index, index * FRAME, image))
    return recent


def test_frames_are_kept_for_the_time_given_and_found_by_their_capture_time():
    recent = filled(seconds=2.0)
    assert recent.newest.index == 199 and recent.oldest.index == 139
    assert recent.find(150 * FRAME).index == 150
    for t_ns in (0, 150 * FRAME + 1, 200 * FRAME):
        assert recent.find(t_ns) is None


def test_frames_are_bounded_in_number_and_in_bytes_but_the_newest_stays():
    image = np.zeros((10, 10, 3), np.uint8)
    assert len(filled(seconds=1e3, count=20)) == 20
    assert len(filled(seconds=1e3, image=image, memory=1500)) == 5
    assert len(filled(seconds=1e3, image=image, memory=1)) == 1


def test_an_image_that_nobody_looked_at_is_not_read():
    recent = RecentFrames(memory=1)
    for index in range(3):
        recent.push(Frame(index, index, lambda: pytest.fail("was read")))
    assert len(recent) == 3


def test_after_a_gap_only_the_newest_is_left():
    recent = filled(10)
    recent.push(Frame(10, 10**12))
    assert len(recent) == 1 and recent.newest is recent.oldest


@pytest.mark.parametrize("bounds", [{"seconds": 0}, {"count": 0}, {"memory": -1}, {"count": 1.5}])
def test_limits_that_leave_nothing_are_refused(bounds):
    ((name, value),) = bounds.items()
    with pytest.raises(InputError, match=f"RecentFrames.{name} is {value}, allowed"):
        RecentFrames(**bounds)
