"""Frames in memory: bounded, in order, and safe from a camera driver that reuses its buffers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvtpp.errors import InputError
from pvtpp.propagation.frame_ring import LARGEST, STEPS_KEPT, FrameRing
from pvtpp.propagation.similarity import Step
from pvtpp.tracker import Frame

BOX = np.array([10.0, 10, 8, 8])


def frame(t_ns, shape=(24, 32), value=None):
    return Frame(t_ns, t_ns, np.full((*shape, 3), t_ns % 256 if value is None else value, np.uint8))


@given(st.lists(st.integers(1, 400), min_size=1, max_size=60), st.integers(1, 1000), st.integers(1, 40 * 24 * 32))
def test_time_and_bytes_bound_what_is_kept_and_two_frames_near_in_time_always_are(gaps, span, memory):
    ring, t_ns = FrameRing(span * 1e-9, memory), 0
    times = []
    for gap in gaps:
        t_ns += gap
        times.append(t_ns)
        assert ring.push(frame(t_ns))
        assert ring.memory <= max(memory, 2 * 24 * 32)
        kept = [t for t in times if ring.find(t) is not None]
        assert kept == times[len(times) - len(kept) :] and len(kept) == len(ring)
        assert len(kept) >= min(2, sum(t_ns - t <= span for t in times))
        assert all(t_ns - t <= span for t in kept)
        for t in kept:
            assert (ring.find(t).grey == t % 256).all()


def test_a_buffer_that_the_driver_uses_again_does_not_change_the_past():
    ring, buffer = FrameRing(1.0, 10**6), np.full((24, 32, 3), 50, np.uint8)
    ring.push(Frame(0, 0, buffer))
    buffer[:] = 200
    ring.push(Frame(1, 1, buffer))
    assert ring.find(0).grey.max() == 50 and ring.find(1).grey.min() == 200


def test_a_repeated_newest_frame_is_ignored_and_an_older_one_refused():
    ring = FrameRing(1.0, 10**6)
    assert ring.push(frame(5)) and ring.push(frame(9))
    assert not ring.push(frame(9, value=77))
    assert ring.newest().grey.max() == 9 and len(ring) == 2
    with pytest.raises(InputError, match="t_ns=7 is before the newest frame, t_ns=9"):
        ring.push(frame(7))


def test_another_image_size_empties_the_memory():
    ring = FrameRing(1.0, 10**6)
    ring.push(frame(0))
    ring.push(frame(1, (48, 64)))
    assert ring.find(0) is None and len(ring) == 1 and ring.newest().grey.shape == (48, 64)


def test_a_very_large_image_is_reduced():
    ring = FrameRing(1.0, 10**8)
    ring.push(Frame(0, 0, np.zeros((2161, 3840, 3), np.uint8)))
    kept = ring.newest()
    assert kept.reduction == 3 and kept.grey.shape == (720, 1280) and kept.grey.size <= LARGEST


def test_steps_are_bounded_and_the_longest_usable_one_is_found():
    ring = FrameRing(1.0, 10**6)
    for t_ns in range(10):
        ring.push(frame(t_ns))
    first = ring.find(0)
    for to in range(1, 10):
        first.add_step(to, Step(BOX, float(to), 0.0, 1.0, 1.0))
    assert first.longest_step(BOX, 9)[0] == 9
    assert first.longest_step(BOX, 8) == (8, Step(BOX, 8.0, 0.0, 1.0, 1.0))
    assert first.longest_step(BOX, 9 - STEPS_KEPT) is None
    assert first.longest_step(BOX + [50, 0, 0, 0], 9) is None
    first.add_step(8, Step(BOX, -8.0, 0.0, 1.0, 1.0))
    assert first.longest_step(BOX, 8)[1].dx == -8.0
