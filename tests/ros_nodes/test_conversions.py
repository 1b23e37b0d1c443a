"""Messages hold what they mean, to the bit, in the shape of ROS 1 and of ROS 2."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvtpp.errors import InputError
from pvtpp.trajectory import Trajectory
from pvtpp_ros_nodes import conversions

NS = 1_700_000_000_123_456_789


def example(knots=3, valid_until=NS + 10**9):
    rng = np.random.default_rng(knots)
    mean, derivative, sigma = rng.normal(size=(3, knots, 4)) * 10 + 50
    return Trajectory(
        tuple(NS + i * 33_333_333 for i in range(knots)), mean, derivative, np.abs(sigma), NS, "linear", valid_until
    )


@given(st.integers(0, 2**31 * 10**9 - 1))
def test_times_survive_to_the_nanosecond(t_ns):
    from message_fakes import message_class

    for generation in (1, 2):
        stamp = message_class("time", generation)()
        conversions.set_stamp(stamp, t_ns)
        assert conversions.stamp_ns(stamp) == t_ns


@pytest.mark.parametrize("stabilised", [False, True])
@pytest.mark.parametrize("valid_until", [None, NS + 10**9])
def test_a_trajectory_survives_the_message_to_the_bit(middleware, valid_until, stabilised):
    made = replace(example(valid_until=valid_until), stabilised=stabilised)
    row = ["trajectory", NS + 5, "motion", *made.to_row()]
    message = conversions.fill_trajectory(
        middleware.message("pvtpp/Trajectory"), lambda: middleware.message("pvtpp/Knot"), row, "camera", 7
    )
    assert (message.predictor, message.target_id, message.header.frame_id) == ("motion", 7, "camera")
    again = conversions.trajectory(message)
    assert again.to_row() == made.to_row()
    assert (again.at(NS + 44_444_444).box == made.at(NS + 44_444_444).box).all()


def test_a_target_says_what_it_is_for_and_how_sure(middleware):
    prediction = example().at(NS + 50_000_000)
    target = conversions.fill_target(
        middleware.message("pvtpp/Target"), prediction, "camera", 3, conversions.UNCERTAIN, 0.5
    )
    assert conversions.stamp_ns(target.header.stamp) == NS + 50_000_000
    assert target.capture_ns == NS and target.horizon == pytest.approx(0.05)
    assert target.box == prediction.box.tolist() and target.velocity == prediction.velocity.tolist()
    np.testing.assert_allclose(np.reshape(target.covariance, (4, 4)), np.diag(prediction.sigma**2))
    assert target.status == type(target).UNCERTAIN and target.target_id == 3


def test_the_constants_are_those_of_the_message(middleware):
    kind = type(middleware.message("pvtpp/Target"))
    assert {name: getattr(kind, name) for name in conversions.STATUS} == conversions.STATUS
    assert type(middleware.message("pvtpp/Trajectory")).NO_END == conversions.NO_END


def test_a_region_is_a_box_and_a_bad_one_is_refused(middleware):
    roi = conversions.fill_roi(middleware.message("pvtpp/Roi"), NS, "camera", [10, 20, 30, 40])
    assert conversions.roi_box(roi).tolist() == [25, 40, 30, 40]
    for xywh in ([10, 20, 0, 40], [math.nan, 20, 30, 40], [10, 20, 30, math.inf], [10, 20, 30, -1]):
        with pytest.raises(InputError, match="region of interest"):
            conversions.roi_box(conversions.fill_roi(roi, NS, "camera", xywh))


def test_a_region_outside_the_image_is_refused_and_one_at_its_border_is_not():
    inside = np.array([-4.0, 50, 10, 10])
    assert conversions.box_in_image(inside, 100, 100) is inside
    with pytest.raises(InputError, match="outside the image of 100 x 100"):
        conversions.box_in_image(np.array([-5.0, 50, 10, 10]), 100, 100)
    # As long as the size is not known, nothing is outside.
    conversions.box_in_image(np.array([-5.0, 50, 10, 10]), 0, 0)


def test_a_detection_is_of_the_generation_that_is_installed(middleware):
    result = conversions.fill_result(
        middleware.message("pvtpp/Result"),
        middleware.message("std_msgs/Header"),
        4,
        conversions.TRACKING,
        [10, 20, 30, 40],
        0.5,
    )
    kinds = [
        lambda kind=kind: middleware.message(f"vision_msgs/{kind}")
        for kind in ("Detection2D", "ObjectHypothesisWithPose")
    ]
    array = conversions.fill_detections(middleware.message("vision_msgs/Detection2DArray"), *kinds, result, listed=True)
    (detection,) = array.detections
    centre, hypothesis = detection.bbox.center, detection.results[0]
    if middleware.generation == 1:
        assert (centre.x, centre.y, hypothesis.id, hypothesis.score) == (10, 20, 4, 0.5)
    else:
        assert (centre.position.x, centre.position.y, detection.id, hypothesis.hypothesis.score) == (10, 20, "4", 0.5)
    assert (detection.bbox.size_x, detection.bbox.size_y) == (30, 40)
    empty = conversions.fill_detections(
        middleware.message("vision_msgs/Detection2DArray"), *kinds, result, listed=False
    )
    assert empty.detections == []
