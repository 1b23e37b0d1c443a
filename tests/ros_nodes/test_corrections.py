"""What a region is about: a target that is new, one that has to be corrected, or nothing that was not known."""

from __future__ import annotations

import numpy as np
import pytest

from pvtpp_ros_nodes.corrections import STREAM_S, About, Corrections

EXPECTED = np.array([100.0, 100, 40, 40])
FAR, NEAR, SAME = (EXPECTED + [dx, 0, 0, 0] for dx in (60, 22, 4))


@pytest.fixture
def at():
    """Asks at a time, seconds."""
    now = [0.0]
    corrections = Corrections(lambda: now[0])

    def ask(seconds, box, expected=EXPECTED, tracked=True):
        now[0] = seconds
        return corrections.about(box, expected, tracked)

    return ask


def test_a_region_elsewhere_or_without_a_target_is_a_new_one(at):
    assert at(0, FAR) is About.NEW
    assert at(10, SAME, expected=None) is About.NEW


@pytest.mark.parametrize("box", [NEAR, SAME])
def test_a_single_region_on_the_target_is_always_taken(at, box):
    assert at(0, box) is About.CORRECTION
    assert at(STREAM_S + 0.1, box) is About.CORRECTION


def test_a_stream_that_agrees_changes_nothing(at):
    assert at(0, SAME) is About.CORRECTION
    assert {at(step / 30, SAME) for step in range(1, 300)} == {About.AGREEMENT}


@pytest.mark.parametrize(("box", "tracked"), [(NEAR, True), (SAME, False)])
def test_a_stream_that_does_not_agree_or_finds_a_lost_target_corrects_it_once_in_a_while(at, box, tracked):
    taken = [step / 30 for step in range(300) if at(step / 30, box, tracked=tracked) is About.CORRECTION]
    assert taken[0] == 0 and np.diff(taken).min() > STREAM_S and len(taken) >= 9
