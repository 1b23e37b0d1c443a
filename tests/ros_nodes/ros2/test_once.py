"""A region that comes by two subscriptions counts once, and one that is sent again counts again."""

from __future__ import annotations

import math

import pytest
from message_fakes import message_class

from pvtpp_ros_nodes import conversions
from pvtpp_ros_nodes.ros2.once import FORGOTTEN_S, Once


def roi(left, stamp=1):
    return conversions.fill_roi(message_class("pvtpp/Roi", 2)(), stamp, "camera", [left, 2.0, 3.0, 4.0])


@pytest.fixture
def heard():
    """The subscriptions, what has been passed on, and the clock."""
    passed, now = [], [0.0]
    return Once(lambda each: passed.append(each.xywh[0]), lambda: now[0]), passed, now


@pytest.mark.parametrize("left", [7.0, math.nan])
def test_a_reliable_publisher_counts_once(heard, left):
    once, passed, _ = heard
    for _ in range(3):
        once.reliable(roi(left))
        once.best_effort(roi(left))
    assert len(passed) == 3


def test_copies_may_come_in_any_order(heard):
    once, passed, _ = heard
    for each in (once.best_effort, once.reliable):
        for left in (1, 2, 3):
            each(roi(left))
    assert passed == [1, 2, 3]


def test_the_same_region_again_counts_again(heard):
    once, passed, now = heard
    once.best_effort(roi(1, stamp=0))
    once.best_effort(roi(1, stamp=0))
    now[0] += FORGOTTEN_S + 1
    once.reliable(roi(1, stamp=0))
    assert passed == [1, 1, 1]
