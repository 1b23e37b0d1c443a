"""Images that are missing between those that came: counted by their stamps, no silence and no other rate."""

from __future__ import annotations

import numpy as np
import pytest

from pvtpp_ros_nodes.stamp_gaps import LEAST, StampGaps, noticed

FRAME_NS = 33_333_333
BEGIN_NS = 1_700_000_000 * 10**9


def seen(numbers, jitter_ns=0, frame_ns=FRAME_NS):
    """What is said of images of these numbers."""
    rng, gaps = np.random.default_rng(0), StampGaps(1.0)
    for number in numbers:
        gaps.arrived(BEGIN_NS + number * frame_ns + int(rng.integers(-jitter_ns, jitter_ns + 1)))
    return gaps.lost()


def test_a_camera_that_loses_nothing_is_not_blamed_whatever_its_jitter():
    found = seen(range(150), jitter_ns=6_000_000)
    assert found.lost == 0 and found.hz == pytest.approx(30, rel=0.15) and not noticed(found)


@pytest.mark.parametrize("share", [0.1, 0.35, 0.6])
def test_lost_images_are_counted(share):
    numbers = np.flatnonzero(np.random.default_rng(1).random(200) > share)
    found = seen(numbers.tolist())
    newest = numbers[-151:] if len(numbers) > 151 else numbers
    assert found.lost == newest[-1] - newest[0] + 1 - len(newest) and noticed(found)
    assert found.hz == pytest.approx(30, rel=0.01)


def test_one_lost_image_is_no_fault():
    found = seen([number for number in range(100) if number != 50])
    assert found.lost == 1 and not noticed(found)


def test_nothing_is_said_of_a_few_images():
    assert seen(range(LEAST)) is None and not noticed(None)


def test_silence_and_time_that_goes_back_are_no_gaps():
    assert seen([*range(60), *range(160, 220)]).lost == 0
    assert seen([*range(1000, 1060), *range(60)]).lost == 0


def test_another_rate_is_believed_in_the_end():
    gaps = StampGaps(1.0)
    stamps = np.cumsum([FRAME_NS] * 100 + [2 * FRAME_NS] * 160)
    for stamp in stamps.tolist():
        gaps.arrived(BEGIN_NS + stamp)
    assert gaps.lost().lost == 0 and gaps.lost().hz == pytest.approx(15, rel=0.01)
