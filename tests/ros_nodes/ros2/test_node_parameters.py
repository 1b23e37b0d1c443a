"""Parameters of the ROS 2 node while it runs: described, refused with a reason, or in effect."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="this Python has no ROS 2: make ros2, then make test-ros2")

from node_helpers import until

from pvtpp_ros_nodes import conversions
from pvtpp_ros_nodes.config import RANGES


@pytest.fixture(scope="module")
def flight(world2):
    """A node that follows a target, and its operator."""
    from ros2_operator import Operator

    made = Operator(world2)
    # A whole number for a double.
    made.launch("-p", "rate:=100")
    made.film()
    made.init()
    made.more("result", 3)
    yield made
    made.close()


def hz(flight):
    """The rate of ~target by the newest stamps."""
    stamps = [conversions.stamp_ns(each.header.stamp) for each in flight.more("target", 30)]
    return 1e9 / np.median(np.diff(stamps))


def test_a_rate_is_changed_in_flight_by_a_whole_number_too(flight):
    # A busy machine is late for a while.
    until(lambda: hz(flight) == pytest.approx(100, rel=0.1), what="100 Hz")
    for rate in (50, 40.0):
        assert flight.set(rate=rate) == (True, "") and flight.get("rate") == rate
        until(lambda rate=rate: hz(flight) == pytest.approx(rate, rel=0.1), what=f"{rate} Hz")
    assert flight.newest("status").text == "parameters changed: rate 40.0"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("rate", -1e9, "out of range"),
        ("rate", -1, "allowed is a number from 1 to 1000"),
        ("rate", "fast", "allowed is a number from 1 to 1000"),
        ("predictor", "nonsense", "unknown predictor 'nonsense', expected one of"),
        ("predictor", "motion:/no/such.onnx", "no such|cannot|not found|there is no"),
        ("presence", 1, "type"),
        ("search_region", "everywhere", "allowed is one of: last, predicted"),
        ("tracker", "csrt", "read-only"),
        ("imu", True, "read-only"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason_and_changes_nothing(flight, name, value, reason):
    before = flight.get(name)
    accepted, why = flight.set(**{name: value})
    assert not accepted and any(part in why for part in reason.split("|")), why
    assert flight.get(name) == before
    flight.more("result", 2)


def test_another_predictor_takes_over_and_the_target_goes_on(flight):
    assert flight.set(predictor="hold") == (True, "")
    first = flight.newest("target").target_id
    until(lambda: flight.newest("trajectory").predictor == "hold")
    until(lambda: flight.newest("result").target_id == first, what="results of the target that goes on")
    assert flight.newest("status").predictor == "hold"
    assert all(each.velocity[0] == 0 for each in flight.more("target", 3))


def test_without_presence_a_target_is_never_lost(flight):
    assert flight.set(presence=False) == (True, "")
    flight.x = lambda index: None
    flight.more("result", 3)
    assert {each.status for each in flight.more("result", 40)} == {conversions.TRACKING}
    flight.forget()
    flight.more("result", 3)
    assert flight.set(presence=True) == (True, "")
    flight.more("result", 10)
    flight.x = lambda index: None
    flight.status_is(conversions.LOST)
    flight.forget()


def test_parameters_say_what_they_mean_and_what_is_allowed(flight):
    rate, tracker, region = map(flight.describe, ("rate", "tracker", "search_region"))
    (span,) = rate.floating_point_range
    assert (span.from_value, span.to_value) == RANGES["rate"] and not rate.read_only and "Hz" in rate.description
    assert tracker.read_only and "registry" in tracker.description
    assert region.additional_constraints == "allowed is one of: last, predicted"
