"""The study of a flight in its short form: it runs on real ROS 2, and every row of its table has a figure."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("rclpy", reason="this Python has no ROS 2: make ros2, then make test-ros2")

PARTS = ("flight", "added", "imu")


@pytest.mark.real_data
def test_a_short_study_gives_every_figure(world2, data_root, weights_root, tmp_path):
    path = tmp_path / "figures.json"
    given = ["--passes", "1", "--seconds", "2", "--root", data_root / "uav-mini", "--json", path]
    study = world2.run("pvtpp_ros_nodes.flight_study", PVTPP_WEIGHTS=str(weights_root), also=given)
    assert study.wait(200) == 0, study.output
    figures = json.loads(path.read_text())["flights"]["ROS 2"]
    assert set(PARTS) <= set(figures) and figures["protocol"]["versions"]["pvtpp"]
    flight = figures["flight"]
    # How fast it is, it says itself. On a busy machine too the target is followed, in the simulator as in flight.
    assert flight["iou_result"] > 0.5 and flight["iou_simulated"]["target"] > 0.5 and flight["iou_target"] > 0.3
    assert figures["imu"]["samples"] > 50 and figures["added"]["result_ms"]["p50"] > 20
    assert "| ~target, Hz |" in study.output and "NaN" not in study.output
